//! Does what an attestation says do for this call. Asked for every call, never remembered.

use super::{Claims, Confirmation, Thumbprint, TokenFault, Verified};
use crate::identity::Principal;
use crate::policy::{Assurance, Attestation, Coverage, Identities, Issuer, Name, Origin, Profile, ScopeSet};
use crate::request::Host;
use crate::time::{Ttl, UnixTime};

/// What one call asks of an attestation.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'c> {
    pub now: UnixTime,
    pub leeway: Ttl,
    pub level: &'c Assurance,
    pub attestation: &'c Attestation,
    pub principal: &'c Principal,
    /// Who says by which other names the principal goes.
    pub identities: &'c Identities,
    pub origin: &'c Origin,
    /// The key that the caller's access token is bound to, where it is.
    pub bound_to: Option<Thumbprint>,
    /// The client certificate that came with the call.
    pub certificate: Option<Thumbprint>,
    /// Nothing where it does not matter, as at the end of a task.
    pub intent: Option<Intent<'c>>,
}

/// What the call means to do, in all of its readings.
#[derive(Clone, Copy, Debug)]
pub struct Intent<'c> {
    /// The elevated privilege in it.
    pub coverage: &'c Coverage,
    /// The names of the routes that it takes.
    pub routes: &'c [&'c str],
    pub host: &'c Host,
}

/// An attestation that does for a call, if the caller proves that it is its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appraised {
    pub binding: Binding,
    pub issuer: Name,
    pub age: Ttl,
    pub task: Option<Box<str>>,
    /// What it covers.
    pub scopes: ScopeSet,
}

/// What an attestation is bound to (RFC 7800 §3), all of which its caller must show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Binding {
    /// The key that a proof must be made with.
    pub key: Option<Thumbprint>,
    /// Whether it is bound to the client certificate that came with the call.
    pub certificate: bool,
}

/// Appraises an attestation by `issuer`, in SPEC's order: times, freshness, audience, subject, confirmation, and then what
/// the policy and the level ask it to say.
pub fn appraise(verified: &Verified, issuer: &Issuer, expected: &Expected<'_>) -> Result<Appraised, TokenFault> {
    let claims = verified.claims();
    check_times(claims, expected.now, expected.leeway)?;
    let age = fresh_age(claims, expected)?;
    if !is_audience(claims, issuer, expected) {
        return Err(TokenFault::Audience);
    }
    let mut subject = claims.subject.as_deref().into_iter().filter(|subject| issuer.may_speak_for(subject));
    if !subject.any(|subject| expected.identities.is_alias(expected.principal.as_str(), subject)) {
        return Err(TokenFault::Subject);
    }
    let binding = Binding::of(claims.confirmation.as_ref(), expected)?;
    check_results(claims, expected.attestation)?;
    check_intent(claims, expected)?;
    Ok(Appraised {
        binding,
        issuer: verified.issuer().clone(),
        age,
        task: claims.task.clone(),
        scopes: claims.scopes.clone(),
    })
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

/// RFC 7519 §4.1.3: an `aud` that is there must name us; where the policy says whom, it must be there.
fn is_audience(claims: &Claims, issuer: &Issuer, expected: &Expected<'_>) -> bool {
    let attestation = expected.attestation;
    if attestation.has_audiences(issuer) {
        let is_named = |audience: &str| attestation.is_named(audience, issuer);
        return claims.audiences.iter().any(|audience| {
            is_named(audience) || challenge_behind(audience, attestation.profile).is_some_and(|(own, _)| is_named(own))
        });
    }
    // The type alone of such an attestation says that it was made to be shown to somebody like us.
    let may_be_absent = attestation.profile.holds_its_key();
    let ours = expected.origin.as_str();
    may_be_absent && (claims.audiences.is_empty() || claims.audiences.iter().any(|audience| **audience == *ours))
}

/// An audience, and the challenge behind it: `<audience>#<challenge>`, for workloads that can choose nothing else of what
/// a platform signs for them.
pub fn challenge_behind(audience: &str, profile: Profile) -> Option<(&str, &str)> {
    if profile.holds_its_key() { None } else { audience.rsplit_once('#') }
}

/// What the platform found, and what the policy wants it to have found.
fn check_results(claims: &Claims, attestation: &Attestation) -> Result<(), TokenFault> {
    if !attestation.claims.are_met_by(claims) {
        return Err(TokenFault::Claims);
    }
    match (attestation.profile, claims.results) {
        (Profile::Ear(_), Some(results)) if results.is_contraindicated() => Err(TokenFault::Contraindicated),
        (Profile::Ear(tier), Some(results)) if results.meets(tier) => Ok(()),
        (Profile::Ear(_), _) => Err(TokenFault::Tier),
        _ => Ok(()),
    }
}

/// What the workload says it is about to do, against what it does. An attestation for one intent does not open another.
fn check_intent(claims: &Claims, expected: &Expected<'_>) -> Result<(), TokenFault> {
    let level = expected.level;
    if let Some(intent) = &expected.intent {
        if level.scoped && !intent.coverage.is_named_by(&claims.scopes) {
            return Err(TokenFault::Scope);
        }
        if !claims.details.covers(&intent.routes.iter().copied(), intent.host.as_str()) {
            return Err(TokenFault::Intent);
        }
    }
    if level.task_required && claims.task.as_deref().is_none_or(str::is_empty) {
        return Err(TokenFault::Task);
    }
    Ok(())
}

impl Binding {
    /// What can't be proven in a way that the policy takes does not do.
    fn of(confirmation: Option<&Confirmation>, expected: &Expected<'_>) -> Result<Self, TokenFault> {
        let attestation = expected.attestation;
        let Some(confirmation) = confirmation else {
            return if attestation.may_be_unbound() { Ok(Self::default()) } else { Err(TokenFault::Unbound) };
        };
        if confirmation.unknown || !holds_what_its_standard_asks(confirmation, attestation.profile) {
            return Err(TokenFault::Unbound);
        }
        let own = Self { key: confirmation.key, certificate: confirmation.certificate.is_some() };
        let certificate_shown = confirmation.certificate.is_none_or(|bound| expected.certificate == Some(bound));
        let same_key = own.key.zip(expected.bound_to).is_none_or(|(key, bound)| key == bound);
        let provable = match own.key {
            Some(_) => !attestation.key_proofs().is_empty(),
            None => attestation.takes_certificate(),
        };
        if certificate_shown && same_key && provable { Ok(own) } else { Err(TokenFault::Binding) }
    }

    /// Whether nothing needs to be shown.
    pub const fn is_nothing(&self) -> bool {
        self.key.is_none() && !self.certificate
    }
}

/// A proof that does not bring its key along needs that of the attestation (draft-ietf-oauth-attestation-based-client-auth
/// §5.1); a WIT says by which algorithm too (draft-ietf-wimse-workload-creds §3.1).
fn holds_what_its_standard_asks(confirmation: &Confirmation, profile: Profile) -> bool {
    let key = confirmation.jwk.as_ref();
    match profile {
        Profile::OauthClientAttestation => key.is_some(),
        Profile::Wimse => key.is_some_and(|key| key.named_algorithm().is_some()),
        Profile::Jwt | Profile::Ear(_) => confirmation.key.is_some() || confirmation.certificate.is_some(),
    }
}
