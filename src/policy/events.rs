//! Whose Security Event Tokens are believed.

use super::{Issuer, IssuerId, Policy};

#[derive(Clone, Debug)]
pub struct Events {
    /// Each has an `issuer`, and no two the same.
    pub transmitters: Vec<IssuerId>,
    /// One of them must be in `aud`.
    pub audiences: Vec<Box<str>>,
}

impl Events {
    /// The transmitter that calls itself so.
    pub fn transmitter<'p>(&self, policy: &'p Policy, issuer: &str) -> Option<(IssuerId, &'p Issuer)> {
        let mut known = self.transmitters.iter().filter_map(|id| Some((*id, policy.issuer(*id)?)));
        known.find(|(_, own)| own.issuer.as_deref() == Some(issuer))
    }

    pub fn is_named(&self, audience: &str) -> bool {
        self.audiences.iter().any(|own| **own == *audience)
    }
}
