//! What a caller shows when it is asked to prove itself: attestations, the proof that one is its own, and that nobody used
//! that proof before.

use super::possession::Verdict;
use super::{Case, Halt, Moment, Need, Progress, origin, refuse};
use crate::attestation::{Appraised, Expected, Intent, ProofFault, TokenFault, Verified, appraise};
use crate::decision::{Attested, Evidence};
use crate::grant::Grant;
use crate::identity::{AccessToken, Caller, Principal};
use crate::policy::{Assurance, Attestation, AttestationId, Classification, Issuer, LevelId, Origin, UNMATCHED};
use crate::reason::{Reason, Unavailable};
use crate::request::Occurrence;
use std::borrow::Cow;
use std::sync::Arc;

/// What is done with a proof that is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    Spend,
    /// Whether it would pass is asked, and it stays as good as it was.
    LookOnly,
}

/// What evidence is held against, the same for every piece of it.
#[derive(Clone, Copy)]
pub(super) struct Bearing<'c> {
    pub level: &'c Assurance,
    pub caller: &'c Caller,
    pub principal: &'c Principal,
    pub origin: &'c Origin,
    /// What the call means to do; nothing where it only ends a task.
    pub intent: Option<Intent<'c>>,
    /// The names of the routes that it takes.
    pub routes: &'c [&'c str],
    pub moment: Moment<'c>,
}

/// Where is told what was found.
pub(super) struct Found<'f> {
    pub attestation: &'f mut Option<Attested>,
    pub grant: &'f mut Option<Arc<Grant>>,
    pub earned: &'f mut Option<Arc<Grant>>,
}

/// An attestation that does for the call, if the caller proves that it is its own.
pub(super) struct Candidate<'a> {
    pub id: AttestationId,
    pub attestation: &'a Attestation,
    pub issuer: &'a Issuer,
    pub token: &'a str,
    pub verified: Arc<Verified>,
    pub appraised: Appraised,
}

/// An attestation as the caller shows it.
enum Shown<'a> {
    Absent,
    Faulty(TokenFault),
    Good(Candidate<'a>),
}

/// How far the evidence that came closest came, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Shortfall {
    Absent,
    Attestation(TokenFault),
    Proof(ProofFault),
    /// Good in all, but for a revocation.
    Revoked,
    Replayed,
}

impl<'a> Case<'a> {
    /// Looks at the evidence for one level: an attestation and its proof, or a grant that an earlier one left.
    pub(super) fn attest(
        &self,
        level_id: LevelId,
        caller: &Caller,
        classification: &Classification,
        moment: Moment<'_>,
        purpose: Use,
        found: &mut Found<'_>,
    ) -> Progress<'a, Evidence> {
        if !moment.revoked.is_whole() {
            return refuse(Reason::Unavailable(Unavailable::State));
        }
        let Some(level) = self.ground.policy.level(level_id) else {
            return refuse(Reason::Unavailable(Unavailable::Policy));
        };
        let Some(principal) = &caller.principal else { return refuse(Reason::CredentialMissing) };
        let origin = self.origin()?;
        if let Some(recorded) = self.recorded {
            let policy = self.ground.policy;
            let evidence = recorded.evidence(level_id, level, caller, classification, policy, found.attestation)?;
            let Evidence::Unmet(_) = evidence else { return Ok(evidence) };
            *found.grant = self.recorded_grant(level_id, caller, classification, moment.now);
            return Ok(if found.grant.is_some() { granted(level_id, caller) } else { evidence });
        }
        let routes = self.routes_of(classification);
        let intent = Some(Intent { coverage: &classification.coverage, routes: &routes, host: &self.facts.host });
        let bearing = Bearing { level, caller, principal, origin: &origin, intent, routes: &routes, moment };
        let shortfall = match self.weigh(&bearing, purpose, found.attestation)? {
            Ok(candidate) => {
                *found.earned = self.earned(level_id, &candidate, classification, &bearing).map(Arc::new);
                return Ok(Evidence::Met(level_id));
            }
            Err(shortfall) => shortfall,
        };
        let Some(grant) = self.granted(level_id, classification, &bearing, purpose)? else {
            return Ok(Evidence::Unmet(shortfall.reason()));
        };
        *found.grant = Some(grant);
        Ok(granted(level_id, caller))
    }

    /// Without an origin of its own, nothing that the caller shows can have been made for this service.
    pub(super) fn origin(&self) -> Progress<'a, Cow<'a, Origin>> {
        origin(self.ground.policy, self.facts).ok_or(Halt::Refused(Reason::UnmatchedRoute))
    }

    fn routes_of(&self, classification: &Classification) -> Vec<&'a str> {
        let routes = &self.ground.policy.routes;
        let named = |id| routes.get(id).map_or(UNMATCHED, |route| route.name.as_str());
        classification.touched().map(|id| id.map_or(UNMATCHED, named)).collect()
    }

    /// The first attestation that does and is proven to be the caller's own; where there is none, what the one that came
    /// closest lacks.
    pub(super) fn weigh(
        &self,
        bearing: &Bearing<'_>,
        purpose: Use,
        found: &mut Option<Attested>,
    ) -> Progress<'a, Result<Candidate<'a>, Shortfall>> {
        let mut closest = Shortfall::Absent;
        for candidate in self.candidates(bearing, &mut closest)? {
            let verdict = self.prove(&candidate, bearing)?;
            let shortfall = self.shortfall(&candidate, &verdict, bearing, purpose)?;
            let attested = Attested {
                by: candidate.id,
                appraised: candidate.appraised.clone(),
                proof: verdict.proof,
                proven: matches!(shortfall, None | Some(Shortfall::Proof(ProofFault::ChallengeMissing))),
                challenged: verdict.challenged,
            };
            let Some(shortfall) = shortfall else {
                *found = Some(attested);
                return Ok(Ok(candidate));
            };
            if shortfall > closest {
                closest = shortfall;
                *found = Some(attested);
            }
        }
        Ok(Err(closest))
    }

    /// What one lacks: its proof, or that nothing of it is revoked, or that the proof was not used before. What is void
    /// spends nothing.
    fn shortfall(
        &self,
        candidate: &Candidate<'a>,
        verdict: &Verdict,
        bearing: &Bearing<'_>,
        purpose: Use,
    ) -> Progress<'a, Option<Shortfall>> {
        if let Some(fault) = verdict.fault {
            return Ok(Some(Shortfall::Proof(fault)));
        }
        // What has just ended its own task is void by that.
        if self.known.ended.is_none() && Self::is_void(candidate, verdict.made, bearing) {
            return Ok(Some(Shortfall::Revoked));
        }
        match verdict.spending.filter(|_| purpose == Use::Spend) {
            Some(spending) => Ok(self.spend(spending)?.err().map(|_| Shortfall::Replayed)),
            None => Ok(None),
        }
    }

    /// All accepted attestations that the caller shows and that do. One whose verifier warns of the workload is refused,
    /// whatever else is shown beside it.
    fn candidates(&self, bearing: &Bearing<'_>, closest: &mut Shortfall) -> Progress<'a, Vec<Candidate<'a>>> {
        let mut candidates = Vec::new();
        for id in &bearing.level.accept {
            let Some(attestation) = self.ground.policy.attestation(*id) else { continue };
            match self.shown(*id, attestation, bearing)? {
                Shown::Good(candidate) => candidates.push(candidate),
                Shown::Faulty(fault @ TokenFault::Contraindicated) => return refuse(Reason::Attestation(fault)),
                Shown::Faulty(fault) => *closest = (*closest).max(Shortfall::Attestation(fault)),
                Shown::Absent => {}
            }
        }
        Ok(candidates)
    }

    fn shown(&self, id: AttestationId, attestation: &'a Attestation, bearing: &Bearing<'_>) -> Progress<'a, Shown<'a>> {
        let token = match self.facts.headers.occurrence(&attestation.header) {
            Occurrence::Absent => return Ok(Shown::Absent),
            Occurrence::Repeated => return Ok(Shown::Faulty(TokenFault::Repeated)),
            Occurrence::Unreadable => return Ok(Shown::Faulty(TokenFault::Malformed)),
            Occurrence::Once(token) => token,
        };
        let verified = match self.known.attestations.iter().find(|(known, _)| *known == id) {
            None => return Err(Halt::Needs(Need::Attestation(id, token))),
            Some((_, Err(fault))) => {
                self.look_for_newer_keys(*fault, &attestation.issuers)?;
                return Ok(Shown::Faulty(*fault));
            }
            Some((_, Ok(verified))) => verified,
        };
        let issuer = match self.signer(verified, attestation.profile.kind(), &attestation.issuers)? {
            Ok(issuer) => issuer,
            Err(fault) => return Ok(Shown::Faulty(fault)),
        };
        let appraised = appraise(verified, issuer, &self.expected(attestation, bearing));
        Ok(appraised.map_or_else(Shown::Faulty, |appraised| {
            Shown::Good(Candidate { id, attestation, issuer, token, verified: Arc::clone(verified), appraised })
        }))
    }

    fn expected<'c>(&self, attestation: &'c Attestation, bearing: &Bearing<'c>) -> Expected<'c>
    where
        'a: 'c,
    {
        Expected {
            now: bearing.moment.now,
            leeway: self.ground.policy.credentials.leeway,
            level: bearing.level,
            attestation,
            principal: bearing.principal,
            identities: &self.ground.policy.identities,
            origin: bearing.origin,
            bound_to: bearing.caller.token.as_ref().and_then(AccessToken::bound_to),
            certificate: bearing.caller.certificate,
            intent: bearing.intent,
        }
    }
}

/// A grant stands for the proof of the level, and the caller proved its token if that is bound to a key.
fn granted(level: LevelId, caller: &Caller) -> Evidence {
    Evidence::Granted { level, proven: caller.token.as_ref().is_some_and(|token| token.bound_to().is_some()) }
}

impl Shortfall {
    pub(super) const fn reason(self) -> Reason {
        match self {
            Self::Absent => Reason::AttestationMissing,
            Self::Attestation(fault) => Reason::Attestation(fault),
            Self::Proof(fault) => Reason::Proof(fault),
            Self::Revoked => Reason::Attestation(TokenFault::Revoked),
            Self::Replayed => Reason::Proof(ProofFault::Replayed),
        }
    }
}
