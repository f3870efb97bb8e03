//! Where a caller's identity and scopes come from.

use super::{IssuerId, NamePattern};
use crate::attestation::{ClaimNames, Purpose};
use crate::identity::TrustDomain;
use crate::time::Ttl;

#[derive(Clone, Debug)]
pub struct Credentials {
    /// The first that yields a principal counts.
    pub identity: Vec<IdentitySource>,
    pub mtls: Option<MtlsCredential>,
    pub xfcc: Option<XfccCredential>,
    pub jwt_authn: Option<JwtAuthnCredential>,
    pub bearer: Option<BearerCredential>,
    /// The claims of tokens that rules look at.
    pub claims: Box<[Box<str>]>,
    /// For `exp`, `nbf` and `iat`, since clocks differ.
    pub leeway: Ttl,
}

/// The headers of standards for attestations and proofs, in lower case.
pub const EVIDENCE_HEADERS: [&str; 5] = [
    "oauth-client-attestation",
    "oauth-client-attestation-pop",
    "dpop",
    "workload-identity-token",
    "workload-proof-token",
];

/// Headers in which credentials and what proves them stand, whatever a policy makes of them, in lower case.
pub const CREDENTIAL_HEADERS: [&str; 12] = [
    "authorization",
    "proxy-authorization",
    "cookie",
    "x-api-key",
    "x-auth-token",
    "x-forwarded-client-cert",
    // Attestations and proofs, also of profiles that a policy does not use.
    "oauth-client-attestation",
    "oauth-client-attestation-pop",
    "dpop",
    "workload-identity-token",
    "workload-proof-token",
    "x-attestation",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IdentitySource {
    Mtls,
    Xfcc,
    JwtAuthn,
    Bearer,
}

/// A client certificate with a SPIFFE ID in one of these trust domains.
#[derive(Clone, Debug)]
pub struct MtlsCredential {
    pub trust_domains: Vec<TrustDomain>,
    /// Whether `source.principal` counts where Envoy sends no certificate.
    pub certificate_required: bool,
}

/// The client certificate as another proxy reports it in `x-forwarded-client-cert`.
#[derive(Clone, Debug)]
pub struct XfccCredential {
    pub trust_domains: Vec<TrustDomain>,
}

/// A token that Envoy's `jwt_authn` filter has verified; its claims come as metadata.
#[derive(Clone, Debug)]
pub struct JwtAuthnCredential {
    pub namespace: Box<str>,
    /// The member of the namespace that holds the claims: `payload_in_metadata` of the provider.
    pub key: Box<str>,
    /// The claim that names the principal.
    pub subject: Box<str>,
    /// The claim that holds the granted scopes.
    pub scopes: Box<str>,
    /// Whom it may name; none named: anybody.
    pub subjects: Vec<NamePattern>,
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
    /// Whether it may speak for somebody else, whom another source names as the one it was given to.
    pub delegated: bool,
}

impl IdentitySource {
    /// In the order in which they count where `identity` does not say.
    pub const ALL: [Self; 4] = [Self::Mtls, Self::Xfcc, Self::JwtAuthn, Self::Bearer];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mtls => "mtls",
            Self::Xfcc => "xfcc",
            Self::JwtAuthn => "jwt_authn",
            Self::Bearer => "bearer",
        }
    }
}

impl BearerCredential {
    /// The claims that are read of its tokens.
    pub fn claim_names<'p>(&'p self, credentials: &'p Credentials) -> ClaimNames<'p> {
        ClaimNames {
            subject: &self.subject,
            scopes: &self.scopes,
            task: "",
            purpose: if self.delegated { Purpose::DelegatedToken } else { Purpose::Token },
            kept: &credentials.claims,
        }
    }
}

impl JwtAuthnCredential {
    /// Where Envoy's filter puts what it has verified.
    pub const DEFAULT_NAMESPACE: &'static str = "envoy.filters.http.jwt_authn";

    pub fn may_name(&self, subject: &str) -> bool {
        self.subjects.is_empty() || self.subjects.iter().any(|pattern| pattern.matches(subject))
    }

    /// The claims that are read of what Envoy verified.
    pub fn claim_names<'p>(&'p self, credentials: &'p Credentials) -> ClaimNames<'p> {
        ClaimNames {
            subject: &self.subject,
            scopes: &self.scopes,
            task: "",
            purpose: Purpose::Token,
            kept: &credentials.claims,
        }
    }
}

impl Credentials {
    /// Whether tokens say what is granted; where none is configured, scopes are not enforced.
    pub const fn grant_scopes(&self) -> bool {
        self.bearer.is_some() || self.jwt_authn.is_some()
    }

    pub const DEFAULT_LEEWAY: Ttl = Ttl::from_secs(10);
}
