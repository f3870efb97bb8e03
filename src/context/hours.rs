//! stub
use crate::time::UnixTime;
#[derive(Clone, Debug)]
pub struct Hours;
impl Hours {
    pub fn contains(&self, _now: UnixTime) -> bool {
        true
    }
}
