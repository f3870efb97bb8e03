//! The caller of one request: who it is, and what its token grants.

use super::Principal;
use crate::attestation::{Thumbprint, Verified};
use crate::policy::ScopeSet;
use std::fmt;
use std::sync::Arc;

#[derive(Clone, Debug)]
pub struct Caller {
    /// Nobody, where no source yields one.
    pub principal: Option<Principal>,
    pub token: Option<AccessToken>,
    /// The client certificate that came with the call, whomever it names.
    pub certificate: Option<Thumbprint>,
    /// Whether tokens say what is granted; where none is configured, scopes are not enforced.
    pub scopes_enforced: bool,
}

/// A bearer token that was verified and is current.
#[derive(Clone)]
pub struct AccessToken {
    pub verified: Arc<Verified>,
    pub scheme: Scheme,
}

/// How the token was presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Scheme {
    #[default]
    Bearer,
    /// RFC 9449 §7.1: the token is bound to a key, and a proof must come with it.
    Dpop,
}

impl Caller {
    /// Whether the caller's token grants all of these scopes.
    pub fn is_granted(&self, scopes: &ScopeSet) -> bool {
        let granted = self.token.as_ref().map(|token| &token.verified.claims().scopes);
        scopes.is_empty() || !self.scopes_enforced || granted.is_some_and(|granted| scopes.is_subset_of(granted))
    }
}

impl AccessToken {
    /// The key that the token is bound to.
    pub fn bound_to(&self) -> Option<Thumbprint> {
        self.verified.claims().confirmation.as_ref().and_then(|confirmation| confirmation.key)
    }
}

/// Who signed it; what it says is the caller's business.
impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken").field("issuer", self.verified.issuer()).finish_non_exhaustive()
    }
}
