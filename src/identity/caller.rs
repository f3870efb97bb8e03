//! The caller of one request: who it is, and what its token grants.

use super::Principal;
use crate::attestation::{Claims, Thumbprint, Verified};
use crate::context::Lifetime;
use crate::policy::ScopeSet;
use std::fmt;
use std::sync::Arc;

#[derive(Clone, Debug)]
pub struct Caller {
    /// Nobody, where no source yields one.
    pub principal: Option<Principal>,
    pub token: Option<AccessToken>,
    /// One more that came along, which Envoy verified.
    pub beside: Option<AccessToken>,
    /// What all tokens of the call grant together; nothing where there is none.
    pub granted: Option<ScopeSet>,
    /// The client certificate that came with the call, whomever it names.
    pub certificate: Option<Thumbprint>,
    /// Whether that certificate names the principal.
    pub certified: bool,
    /// How long what the caller shows may be used.
    pub lifetime: Lifetime,
    /// Whether tokens say what is granted; where none is configured, scopes are not enforced.
    pub scopes_enforced: bool,
}

/// An access token that was verified and is current.
#[derive(Clone)]
pub struct AccessToken {
    pub verified: VerifiedToken,
    pub scheme: Scheme,
}

/// By whom a token was verified.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "it says what a credential says; its token's Debug says by whom")]
pub enum VerifiedToken {
    Here(Arc<Verified>),
    /// By Envoy's `jwt_authn` filter.
    ByEnvoy(Arc<Claims>),
    /// When the call was recorded.
    Earlier(Arc<Claims>),
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
    /// Whether the caller's tokens grant all of these scopes.
    pub fn is_granted(&self, scopes: &ScopeSet) -> bool {
        let granted = || self.granted.as_ref().is_some_and(|granted| scopes.is_subset_of(granted));
        scopes.is_empty() || !self.scopes_enforced || granted()
    }

    /// The subject of the token, where that is not the principal.
    pub fn foreign_subject(&self) -> Option<&str> {
        let own = self.principal.as_ref().map(Principal::as_str);
        self.claims()?.subject.as_deref().filter(|subject| Some(*subject) != own)
    }

    /// All tokens of the call.
    pub fn tokens(&self) -> impl Iterator<Item = &AccessToken> {
        self.token.iter().chain(&self.beside)
    }

    /// What the caller's token says.
    pub fn claims(&self) -> Option<&Claims> {
        self.token.as_ref().map(AccessToken::claims)
    }
}

impl AccessToken {
    pub fn claims(&self) -> &Claims {
        match &self.verified {
            VerifiedToken::Here(verified) => verified.claims(),
            VerifiedToken::ByEnvoy(claims) | VerifiedToken::Earlier(claims) => claims,
        }
    }

    /// The key that the token is bound to.
    pub fn bound_to(&self) -> Option<Thumbprint> {
        self.claims().confirmation.as_ref().and_then(|confirmation| confirmation.key)
    }

    /// Whether the token is bound to a client certificate (RFC 8705 §3).
    pub fn is_bound_to_certificate(&self) -> bool {
        self.claims().confirmation.as_ref().is_some_and(|confirmation| confirmation.certificate.is_some())
    }
}

/// Who verified it; what it says is the caller's business.
impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by = match &self.verified {
            VerifiedToken::Here(verified) => verified.issuer().as_str(),
            VerifiedToken::ByEnvoy(_) => "jwt_authn",
            VerifiedToken::Earlier(_) => "recorded",
        };
        f.debug_struct("AccessToken").field("issuer", &by).finish_non_exhaustive()
    }
}
