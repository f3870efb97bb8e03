//! Who calls: names of workloads as SPIFFE and others write them. How a name was proven is the business of `caller`.

pub mod caller;
pub mod certificate;
mod der;
mod pem;
pub mod spiffe_id;
pub mod xfcc;

pub use caller::{AccessToken, Caller, Scheme, VerifiedToken};
pub use certificate::PeerCertificate;
pub use spiffe_id::{SpiffeId, TrustDomain};

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

/// The authenticated identity that a request is judged by: 1 to 2,048 visible ASCII characters.
///
/// It ends up in headers, logs and cache keys, so nothing in it may need quoting or look like something else.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Principal(Arc<str>);

/// Why a name is nobody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a principal is 1 to {} visible ASCII characters", Principal::MAX_BYTES)]
pub struct PrincipalError;

impl Principal {
    /// As long as a SPIFFE ID may be (SPIFFE-ID §2.3).
    pub const MAX_BYTES: usize = 2_048;

    pub fn parse(name: &str) -> Result<Self, PrincipalError> {
        let fits = (1..=Self::MAX_BYTES).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_graphic());
        if fits { Ok(Self(name.into())) } else { Err(PrincipalError) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Two are the same where their names are.
impl Borrow<str> for Principal {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl From<&SpiffeId> for Principal {
    fn from(id: &SpiffeId) -> Self {
        Self(id.as_str().into())
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_principal_is_visible_ascii() {
        assert!(Principal::parse("spiffe://example.org/ns/billing/sa/web").is_ok());
        for name in ["", "a b", "a\r\nx-admin: 1", "caf\u{e9}", "a\0"] {
            assert_eq!(Principal::parse(name), Err(PrincipalError), "{name:?}");
        }
        assert!(Principal::parse(&"a".repeat(2_049)).is_err());
    }
}
