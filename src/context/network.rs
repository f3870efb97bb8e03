//! stub
use std::net::IpAddr;
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network(IpAddr);
impl Network {
    pub fn of(ip: IpAddr) -> Self {
        Self(ip)
    }
}
#[derive(Clone, Debug, Default)]
pub struct NetworkSet(Vec<IpAddr>);
impl NetworkSet {
    pub fn contains(&self, ip: IpAddr) -> bool {
        self.0.contains(&ip)
    }
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
