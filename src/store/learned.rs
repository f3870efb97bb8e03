//! stub
use crate::context::{Familiarity, LearningTerms, Lesson, Seen, Sighting};
use crate::time::UnixTime;
#[derive(Debug, Default)]
pub struct Bounds;
#[derive(Debug)]
pub struct Learned;
impl Learned {
    pub fn new(_b: Bounds) -> Self {
        Self
    }
    pub fn familiarity(&self, _s: &Sighting, _t: &LearningTerms, _n: UnixTime) -> Familiarity {
        Familiarity {
            calls: 0,
            network: Seen::Never,
            country: Seen::Never,
            scopes: Seen::Never,
            knows_networks: false,
            knows_countries: false,
            last_seen: None,
            credential_networks: 0,
        }
    }
    pub fn learn(&self, _s: &Sighting, _l: Lesson, _t: &LearningTerms, _n: UnixTime) {}
}
