//! Does what an attestation says do for this call. Asked for every call, never remembered.

use super::{Claims, Thumbprint, TokenFault, Verified};
use crate::identity::Principal;
use crate::policy::{Assurance, Identities, Issuer, Name, Origin};
use crate::time::{Ttl, UnixTime};

/// What one call asks of an attestation.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'c> {
    pub now: UnixTime,
    pub leeway: Ttl,
    pub level: &'c Assurance,
    pub principal: &'c Principal,
    /// Who says by which other names the principal goes.
    pub identities: &'c Identities,
    pub origin: &'c Origin,
    /// The key that the caller's access token is bound to, where it is.
    pub bound_to: Option<Thumbprint>,
}

/// An attestation that does for a call, if the caller proves to hold the key it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appraised {
    /// The key that the proof must be made with.
    pub key: Thumbprint,
    pub issuer: Name,
    pub age: Ttl,
    pub task: Option<Box<str>>,
}

/// Appraises an attestation by `issuer`: times, freshness, audience, subject, confirmation.
pub fn appraise(verified: &Verified, issuer: &Issuer, expected: &Expected<'_>) -> Result<Appraised, TokenFault> {
    let claims = verified.claims();
    check_times(claims, expected.now, expected.leeway)?;
    let age = fresh_age(claims, expected)?;
    if !is_audience(claims, issuer, expected.origin) {
        return Err(TokenFault::Audience);
    }
    let mut subject = claims.subject.as_deref().into_iter().filter(|subject| issuer.may_speak_for(subject));
    if !subject.any(|subject| expected.identities.is_alias(expected.principal.as_str(), subject)) {
        return Err(TokenFault::Subject);
    }
    let key = confirmed_key(claims, expected.bound_to)?;
    Ok(Appraised { key, issuer: verified.issuer().clone(), age, task: claims.task.clone() })
}

/// `exp` must be there and to come; `nbf` and `iat`, where they are, past (RFC 7519 §4.1). Clocks differ by `leeway`.
pub fn check_times(claims: &Claims, now: UnixTime, leeway: Ttl) -> Result<(), TokenFault> {
    let expires = claims.expires.ok_or(TokenFault::NoExpiry)?;
    if now >= expires.plus(leeway) {
        return Err(TokenFault::Expired);
    }
    check_begun(claims, now, leeway)
}

/// The half of it that also holds for what has no end.
pub fn check_begun(claims: &Claims, now: UnixTime, leeway: Ttl) -> Result<(), TokenFault> {
    let to_come = |date: Option<UnixTime>| date.is_some_and(|date| date > now.plus(leeway));
    if to_come(claims.not_before) || to_come(claims.issued) { Err(TokenFault::NotYetValid) } else { Ok(()) }
}

/// How old the attestation is; without `iat` it is never fresh.
fn fresh_age(claims: &Claims, expected: &Expected<'_>) -> Result<Ttl, TokenFault> {
    let issued = claims.issued.ok_or(TokenFault::TooOld)?;
    let age = expected.now.since(issued);
    if age > expected.level.max_age { Err(TokenFault::TooOld) } else { Ok(age) }
}

/// RFC 7519 §4.1.3: an `aud` that is there must name us; where the issuer has audiences, it must be there.
fn is_audience(claims: &Claims, issuer: &Issuer, origin: &Origin) -> bool {
    if issuer.audiences.is_empty() {
        claims.audiences.is_empty() || claims.audiences.iter().any(|aud| **aud == *origin.as_str())
    } else {
        claims.audiences.iter().any(|aud| issuer.is_named(aud))
    }
}

fn confirmed_key(claims: &Claims, bound_to: Option<Thumbprint>) -> Result<Thumbprint, TokenFault> {
    let confirmation = claims.confirmation.as_ref().ok_or(TokenFault::Unbound)?;
    let key = confirmation.key.ok_or(TokenFault::Unbound)?;
    let provable = !confirmation.unknown && confirmation.certificate.is_none();
    if provable && bound_to.is_none_or(|bound| bound == key) { Ok(key) } else { Err(TokenFault::Binding) }
}
