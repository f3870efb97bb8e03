//! The token as the caller presents it: one header, one scheme, one token.

use super::{Case, Halt, Progress};
use crate::attestation::{Thumbprint, TokenFault};
use crate::identity::{Caller, Scheme, VerifiedToken};
use crate::policy::Policy;
use crate::reason::Reason;
use crate::request::{Malformed, Occurrence, RequestFacts};
use std::fmt;

/// A token as the caller presented it.
#[derive(Clone, Copy)]
pub(super) struct Presented<'a> {
    pub token: &'a str,
    pub scheme: Scheme,
}

impl<'a> Case<'a> {
    pub(super) fn scheme(&self) -> Scheme {
        if let Some(recorded) = self.recorded {
            return recorded.scheme();
        }
        let presented = self.looked_at().as_ref().ok().copied().flatten();
        presented.map_or(Scheme::Bearer, |presented| presented.scheme)
    }

    pub(super) fn presented(&self) -> Progress<'a, Option<Presented<'a>>> {
        self.looked_at().clone().map_err(Halt::Refused)
    }

    /// A token may be long, so that its header is read once.
    fn looked_at(&self) -> &Result<Option<Presented<'a>>, Reason> {
        self.presented.get_or_init(|| presented(self.ground.policy, self.facts))
    }
}

/// How, and never what.
impl fmt::Debug for Presented<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presented").field("scheme", &self.scheme).finish_non_exhaustive()
    }
}

/// The digest of what the caller showed: its token, else its certificate.
pub fn credential_digest(facts: &RequestFacts, caller: &Caller) -> Option<Thumbprint> {
    token_digest(facts, caller).or(caller.certificate)
}

/// RFC 9449 §4.2: the digest of the token that a call presents, which is what the `ath` of its proof must be.
pub(super) fn token_digest(facts: &RequestFacts, caller: &Caller) -> Option<Thumbprint> {
    match &caller.token.as_ref()?.verified {
        VerifiedToken::Here(verified) => Some(verified.digest()),
        // What was verified earlier is not at hand any more.
        VerifiedToken::Earlier(_) => None,
        VerifiedToken::ByEnvoy(_) => in_authorization(facts).map(|shown| Thumbprint::of(shown.token.as_bytes())),
    }
}

/// How a token in `authorization` is presented, whatever else the policy reads of it.
pub(super) fn scheme_of_authorization(facts: &RequestFacts) -> Scheme {
    in_authorization(facts).map_or(Scheme::Bearer, |presented| presented.scheme)
}

/// A token that Envoy's filter has verified is its business, so that bearers may have another header.
fn in_authorization(facts: &RequestFacts) -> Option<Presented<'_>> {
    read_presented(facts.headers.only("authorization")?, true).ok().flatten()
}

fn presented<'a>(policy: &Policy, facts: &'a RequestFacts) -> Result<Option<Presented<'a>>, Reason> {
    let headers = &facts.headers;
    if headers.occurrence("authorization") == Occurrence::Repeated {
        return Err(Reason::Request(Malformed::RepeatedAuthorization));
    }
    let name = policy.credentials.bearer.as_ref().map_or("authorization", |bearer| &bearer.header);
    match headers.occurrence(name) {
        Occurrence::Absent => Ok(None),
        Occurrence::Once(value) => read_presented(value, name == "authorization"),
        Occurrence::Repeated => Err(Reason::Credential(TokenFault::Repeated)),
        Occurrence::Unreadable => Err(Reason::Credential(TokenFault::Malformed)),
    }
}

/// `Bearer <token>` or `DPoP <token>`; a header of its own may hold the bare token. Other schemes are not ours. What only
/// looks like one of ours could be taken for it further on, and is refused.
fn read_presented(value: &str, is_authorization: bool) -> Result<Option<Presented<'_>>, Reason> {
    if is_authorization && holds_another(value) {
        return Err(Reason::Request(Malformed::RepeatedAuthorization));
    }
    let name_end = value.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(value.len());
    let (name, rest) = value.split_at(name_end);
    let scheme = match name.to_ascii_lowercase().as_str() {
        "bearer" => Scheme::Bearer,
        "dpop" => Scheme::Dpop,
        _ if is_authorization => return Ok(None),
        _ => return Ok(Some(Presented { token: value, scheme: Scheme::Bearer })),
    };
    match rest.strip_prefix(' ').map(|token| token.trim_start_matches(' ')) {
        Some(token) if !token.is_empty() => Ok(Some(Presented { token, scheme })),
        _ => Err(Reason::Credential(TokenFault::Malformed)),
    }
}

/// Envoy joins repeated headers by a comma, which no token holds.
fn holds_another(value: &str) -> bool {
    let joined = value.contains(',');
    joined && value.split(',').any(|part| is_ours(part.trim_start()))
}

fn is_ours(value: &str) -> bool {
    let name = value.split([' ', '\t']).next().unwrap_or_default();
    ["bearer", "dpop", "wpt"].iter().any(|own| name.eq_ignore_ascii_case(own))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_how_a_token_was_presented_and_none_of_it() {
        let shown = format!("{:?}", Presented { token: "secret", scheme: Scheme::Dpop });
        assert_eq!(shown, "Presented { scheme: Dpop, .. }");
    }
}
