//! Grants: whether an earlier proof of the same task stands for this call, and what a proof leaves behind.

use super::evidence::{Bearing, Candidate, Use};
use super::{Case, Halt, Need, Progress, Recorded, RecordedGrant};
use crate::attestation::Details;
use crate::grant::{AttestedBasis, Basis, Grant, GrantKey, Holder};
use crate::identity::{AccessToken, Caller};
use crate::policy::{Carry, Classification, LevelId, Name, RouteId, ScopeSet, Taken};
use crate::revocation::{Note, RevocationId};
use crate::time::UnixTime;
use std::sync::Arc;

/// The grants of one caller that are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub keys: Vec<GrantKey>,
    pub from: GrantSource,
}

/// How far is looked for grants: most often what is at hand does, and nobody has to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantSource {
    Here,
    Everywhere,
}

impl<'a> Case<'a> {
    /// A grant that covers the call at this level, if the caller has one.
    pub(super) fn granted(
        &self,
        level: LevelId,
        classification: &Classification,
        bearing: &Bearing<'_>,
        purpose: Use,
    ) -> Progress<'a, Option<Arc<Grant>>> {
        let keys = keys(bearing);
        if keys.is_empty() {
            return Ok(None);
        }
        for from in [GrantSource::Here, GrantSource::Everywhere] {
            let Some((_, grants)) = self.known.grants.iter().find(|(known, _)| *known == from) else {
                if from == GrantSource::Everywhere && purpose == Use::LookOnly {
                    break; // no call waits for the state because of what is only watched
                }
                return Err(Halt::Needs(Need::Grants(Wanted { keys, from })));
            };
            let covers =
                |grant: &&Arc<Grant>| keys.contains(&grant.key()) && self.covers(grant, level, classification, bearing);
            if let Some(grant) = grants.iter().find(covers) {
                return Ok(Some(Arc::clone(grant)));
            }
        }
        Ok(None)
    }

    fn covers(&self, grant: &Grant, level: LevelId, classification: &Classification, bearing: &Bearing<'_>) -> bool {
        let live = grant.is_live(bearing.moment.now, bearing.moment.revoked);
        live && match &grant.basis {
            Basis::Attested(basis) => {
                self.still_stands(basis, level, bearing)
                    && basis.details.covers(&bearing.routes.iter().copied(), self.facts.host.as_str())
                    && self.is_within(&grant.scopes, &grant.routes, classification)
            }
            Basis::BreakGlass { .. } => self.is_listed(&grant.routes, classification),
        }
    }

    /// The grant that was recorded, where it covers the call.
    pub(super) fn recorded_grant(
        &self,
        level: LevelId,
        caller: &Caller,
        classification: &Classification,
        now: UnixTime,
    ) -> Option<Arc<Grant>> {
        let given = self.recorded?.grant.as_ref()?;
        let covers = self.covers_as_recorded(given, level, caller, classification);
        covers.then(|| given.to_grant(caller, now)).flatten().map(Arc::new)
    }

    fn covers_as_recorded(
        &self,
        given: &RecordedGrant,
        asked: LevelId,
        caller: &Caller,
        classification: &Classification,
    ) -> bool {
        let policy = self.ground.policy;
        let Some(name) = &given.level else {
            return caller.certified && self.is_listed(&given.routes, classification);
        };
        let level = policy.assurance.iter().position(|level| level.name == *name);
        let carries = level.is_some_and(|index| index >= asked.0)
            && level.and_then(|index| policy.assurance.get(index)).is_some_and(|level| {
                level.carry == Carry::FirstCall && given.age.is_some_and(|age| age < level.max_age)
            });
        carries && own_holder(caller).is_some() && self.is_within(&given.scopes, &given.routes, classification)
    }

    /// Whether all that the call exercises is among these scopes, and where it needs none, its route is among these. What
    /// has no scope that could be named is not.
    fn is_within(&self, scopes: &ScopeSet, routes: &[Name], classification: &Classification) -> bool {
        let covers = |taken: &Taken<'_>| match self.name_of(taken.route) {
            Some(name) if taken.scopes.is_empty() => routes.contains(name),
            Some(_) => taken.scopes.is_subset_of(scopes),
            None => false,
        };
        classification.coverage.is_named_by(scopes)
            && self.facts.hints.scopes.is_subset_of(scopes)
            && self.taken().iter().all(covers)
    }

    fn is_listed(&self, routes: &[Name], classification: &Classification) -> bool {
        let is_listed = |id: Option<RouteId>| self.name_of(id).is_some_and(|name| routes.contains(name));
        !classification.coverage.is_unnamed() && classification.touched().all(is_listed)
    }

    /// Whether the policy and the keys of this moment would still give it.
    fn still_stands(&self, basis: &AttestedBasis, asked: LevelId, bearing: &Bearing<'_>) -> bool {
        let policy = self.ground.policy;
        let Some((level, assurance)) = policy.level_as_defined(&basis.level, basis.definition) else { return false };
        let Some((id, issuer)) = policy.issuer_named(&basis.attester) else { return false };
        let signed = self.ground.keyring.of(id).is_some_and(|keys| keys.contains(&basis.signer));
        let names_caller = policy.identities.is_alias(bearing.principal.as_str(), &basis.subject);
        let speaks = issuer.may_speak_for(&basis.subject);
        level >= asked && assurance.carry == Carry::FirstCall && signed && names_caller && speaks
    }

    fn name_of(&self, route: Option<RouteId>) -> Option<&'a Name> {
        route.and_then(|id| self.ground.policy.routes.get(id)).map(|route| &route.name)
    }

    /// What a proof leaves behind for the other calls of its task; nothing where the level remembers none, or the caller has
    /// nothing to show that it is the same again.
    pub(super) fn earned(
        &self,
        level: LevelId,
        candidate: &Candidate<'a>,
        classification: &Classification,
        bearing: &Bearing<'_>,
    ) -> Option<Grant> {
        if bearing.level.carry != Carry::FirstCall || classification.coverage.is_unnamed() {
            return None;
        }
        let holder = own_holder(bearing.caller)?;
        let claims = candidate.verified.claims();
        let confirmation = claims.confirmation.as_ref();
        let keys = confirmation.into_iter().flat_map(|confirmation| [confirmation.key, confirmation.certificate]);
        let basis = AttestedBasis {
            level: bearing.level.name.clone(),
            definition: self.ground.policy.definition(level)?,
            attestation: candidate.attestation.name.clone(),
            attester: candidate.issuer.name.clone(),
            subject: claims.subject.clone()?,
            signer: candidate.verified.key(),
            keys: keys.flatten().collect(),
            details: claims.details.clone(),
        };
        let (issued, expires) = self.validity(candidate, holder, bearing)?;
        let all = self.taken().iter().try_fold(claims.scopes.union(&self.facts.hints.scopes), |all, taken| {
            self.name_of(taken.route).map(|_| all.union(&taken.scopes))
        });
        let grant = Grant {
            id: RevocationId::derived(&[]),
            principal: bearing.principal.clone(),
            holder,
            basis: Basis::Attested(basis),
            scopes: all.filter(|scopes| scopes.iter().count() <= ScopeSet::MAX_SCOPES)?,
            routes: classification.touched().map(|id| self.name_of(id).cloned()).collect::<Option<_>>()?,
            task: candidate.appraised.task.clone()?,
            issued,
            expires,
        };
        Some(grant.named())
    }

    /// When the oldest of what is behind it was issued, and when the first of that ends. What does not say when it was issued
    /// could not be told from what is revoked.
    fn validity(
        &self,
        candidate: &Candidate<'a>,
        holder: Holder,
        bearing: &Bearing<'_>,
    ) -> Option<(UnixTime, UnixTime)> {
        let claims = candidate.verified.claims();
        let attested = claims.issued?;
        let mut issued = attested;
        let mut expires = attested.plus(bearing.level.max_age).min(claims.expires?);
        for token in bearing.caller.tokens().map(AccessToken::claims) {
            issued = issued.min(token.issued?);
            expires = token.expires.map_or(expires, |end| end.min(expires));
        }
        if let (Holder::Certificate(_), Some(Ok(certificate))) = (holder, &self.known.certificate) {
            expires = expires.min(certificate.not_after);
        }
        (bearing.moment.now < expires).then_some((issued, expires))
    }

    fn taken(&self) -> &[Taken<'a>] {
        self.touched.get_or_init(|| self.ground.policy.touch(self.facts))
    }
}

impl RecordedGrant {
    /// As far as it is told.
    fn to_grant(&self, caller: &Caller, now: UnixTime) -> Option<Grant> {
        let named = |text| Name::parse(text).ok();
        let basis = match &self.level {
            Some(level) => Basis::Attested(AttestedBasis {
                level: level.clone(),
                definition: Recorded::KEY,
                attestation: named(RECORDED)?,
                attester: named(RECORDED)?,
                subject: Box::default(),
                signer: Recorded::KEY,
                keys: Vec::new(),
                details: Details::default(),
            }),
            None => Basis::BreakGlass { by: named(RECORDED)?, reason: Note::parse(RECORDED).ok()? },
        };
        Some(Grant {
            id: RevocationId::derived(&[RECORDED.as_bytes()]),
            principal: caller.principal.clone()?,
            holder: own_holder(caller)?,
            basis,
            scopes: self.scopes.clone(),
            routes: self.routes.clone(),
            task: self.task.clone(),
            issued: now.minus(self.age.unwrap_or_default()),
            expires: now,
        })
    }
}

/// Stands for what a record does not tell.
const RECORDED: &str = "recorded";

/// Where grants of this caller may be: those that were given to what it shows, where the level remembers any, and what an
/// operator gave to its certificate.
fn keys(bearing: &Bearing<'_>) -> Vec<GrantKey> {
    let key = |holder| GrantKey { principal: bearing.principal.clone(), holder };
    let own = own_holder(bearing.caller).filter(|_| bearing.level.carry == Carry::FirstCall);
    let certified = bearing.caller.certified.then_some(Holder::Certified);
    own.into_iter().chain(certified).map(key).collect()
}

/// What the caller shows to be the same again: a proof by the key of its token, else the client certificate that names it,
/// or that its token is bound to.
fn own_holder(caller: &Caller) -> Option<Holder> {
    let token = caller.token.as_ref();
    if let Some(key) = token.and_then(AccessToken::bound_to) {
        return Some(Holder::Key(key));
    }
    let holds = caller.certified || token.is_some_and(AccessToken::is_bound_to_certificate);
    caller.certificate.filter(|_| holds).map(Holder::Certificate)
}

impl Grant {
    /// The same under the name that follows from all that it says.
    fn named(self) -> Self {
        let parts = serde_json::to_vec(&self).unwrap_or_default();
        Self { id: RevocationId::derived(&[b"grant", &parts]), ..self }
    }
}
