//! stub
use super::NetworkSet;
use crate::request::Headers;
use std::net::IpAddr;
pub fn client_address(peer: Option<IpAddr>, _h: &Headers, _t: &NetworkSet) -> Option<IpAddr> {
    peer
}
