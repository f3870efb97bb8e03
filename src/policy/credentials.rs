//! Where a caller's identity and scopes come from.

use super::IssuerId;
use crate::identity::TrustDomain;
use crate::time::Ttl;

#[derive(Clone, Debug)]
pub struct Credentials {
    /// The first that yields a principal counts.
    pub identity: Vec<IdentitySource>,
    pub mtls: Option<MtlsCredential>,
    pub bearer: Option<BearerCredential>,
    /// For `exp`, `nbf` and `iat`, since clocks differ.
    pub leeway: Ttl,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IdentitySource {
    Mtls,
    Bearer,
}

/// A client certificate with a SPIFFE ID in one of these trust domains.
#[derive(Clone, Debug)]
pub struct MtlsCredential {
    pub trust_domains: Vec<TrustDomain>,
    /// Whether `source.principal` counts where Envoy sends no certificate.
    pub certificate_required: bool,
}

/// A JWT access token that is verified here (RFC 6750, RFC 9068).
#[derive(Clone, Debug)]
pub struct BearerCredential {
    pub issuers: Vec<IssuerId>,
    /// In lower case.
    pub header: Box<str>,
    /// The claim that names the principal.
    pub subject: Box<str>,
    /// The claim that holds the granted scopes.
    pub scopes: Box<str>,
}

impl Credentials {
    pub const DEFAULT_LEEWAY: Ttl = Ttl::from_secs(10);
}
