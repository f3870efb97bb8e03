//! What a caller shows when it is asked to prove itself: an attestation, its proof, and that nobody used it before.

use super::presented::token_digest;
use super::{Case, Halt, Need, Progress, Spent, origin, refuse};
use crate::attestation::dpop::ProvenCall;
use crate::attestation::{Appraised, DpopProof, Expected, ProofFault, Thumbprint, TokenFault, TokenKind, appraise};
use crate::decision::{Attested, Evidence};
use crate::identity::{AccessToken, Caller, Principal};
use crate::policy::{Assurance, Attestation, AttestationId, LevelId, Origin, Profile};
use crate::reason::{Reason, Unavailable};
use crate::request::Occurrence;
use crate::time::UnixTime;
use std::borrow::Cow;

/// A proof to be recorded as used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spending {
    /// Key thumbprint and identifier in one.
    pub key: Thumbprint,
    /// After this moment the proof can't pass any more, and needs no remembering.
    pub until: UnixTime,
}

/// What is done with a proof that is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    Spend,
    /// Whether it would pass is asked, and it stays as good as it was.
    LookOnly,
}

/// What the spending of a proof came to.
type Verdict<T> = Result<T, ProofFault>;

/// What evidence is held against, the same for every piece of it.
#[derive(Clone, Copy)]
struct Bearing<'c> {
    level: &'c Assurance,
    caller: &'c Caller,
    principal: &'c Principal,
    origin: &'c Origin,
    now: UnixTime,
}

/// An attestation as the caller shows it.
enum Shown {
    Absent,
    Faulty(TokenFault),
    Good(Appraised),
}

impl<'a> Case<'a> {
    /// Looks at the evidence for one level.
    pub(super) fn attest(
        &self,
        level_id: LevelId,
        caller: &Caller,
        now: UnixTime,
        purpose: Use,
        found: &mut Option<Attested>,
    ) -> Progress<'a, Evidence> {
        let Some(level) = self.ground.policy.level(level_id) else {
            return refuse(Reason::Unavailable(Unavailable::Policy));
        };
        let Some(principal) = &caller.principal else { return refuse(Reason::CredentialMissing) };
        let origin = self.origin()?;
        if let Some(recorded) = self.recorded {
            return Ok(recorded.evidence(level_id, level, self.ground.policy, found));
        }
        let bearing = Bearing { level, caller, principal, origin: &origin, now };
        let (by, appraised) = match self.attestation(level, &bearing)? {
            Ok(shown) => shown,
            Err(reason) => return Ok(Evidence::Unmet(reason)),
        };
        let attested = found.insert(Attested { by, appraised, proven: false, challenged: false });
        Ok(match self.prove(attested, &bearing, purpose)? {
            Ok(()) => Evidence::Met(level_id),
            Err(fault) => Evidence::Unmet(Reason::Proof(fault)),
        })
    }

    /// Without an origin of its own, nothing that the caller shows can have been made for this service.
    pub(super) fn origin(&self) -> Progress<'a, Cow<'a, Origin>> {
        origin(self.ground.policy, self.facts).ok_or(Halt::Refused(Reason::UnmatchedRoute))
    }

    /// The first accepted attestation that does; where none does, what is wrong with the one that came closest.
    fn attestation(
        &self,
        level: &'a Assurance,
        bearing: &Bearing<'_>,
    ) -> Progress<'a, Result<(AttestationId, Appraised), Reason>> {
        let mut closest = None;
        for id in &level.accept {
            let Some(attestation) = self.ground.policy.attestation(*id) else { continue };
            match self.shown(*id, attestation, bearing)? {
                Shown::Good(appraised) => return Ok(Ok((*id, appraised))),
                Shown::Faulty(fault) => closest = closest.max(Some(fault)),
                Shown::Absent => {}
            }
        }
        Ok(Err(closest.map_or(Reason::AttestationMissing, Reason::Attestation)))
    }

    fn shown(&self, id: AttestationId, attestation: &'a Attestation, bearing: &Bearing<'_>) -> Progress<'a, Shown> {
        let token = match self.facts.headers.occurrence(attestation.profile.attestation_header()) {
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
        let expected = Expected {
            now: bearing.now,
            leeway: self.ground.policy.credentials.leeway,
            level: bearing.level,
            principal: bearing.principal,
            identities: &self.ground.policy.identities,
            origin: bearing.origin,
            bound_to: bearing.caller.token.as_ref().and_then(AccessToken::bound_to),
        };
        let issuer = self.signer(verified, attestation.profile.kind(), &attestation.issuers)?;
        let appraised = issuer.and_then(|issuer| appraise(verified, issuer, &expected));
        Ok(appraised.map_or_else(Shown::Faulty, Shown::Good))
    }

    /// The proof: by this key, for this call, just now, with our challenge, and never used before.
    fn prove(&self, attested: &mut Attested, bearing: &Bearing<'_>, purpose: Use) -> Progress<'a, Verdict<()>> {
        let proof = match self.proof(attested.appraised.key)? {
            Ok(proof) => proof,
            Err(fault) => return Ok(Err(fault)),
        };
        let good = self
            .check_proof(&proof, bearing.caller, bearing.origin, bearing.now)
            .and_then(|()| self.check_challenge(&proof, bearing));
        let verdict = match good {
            Ok(()) if purpose == Use::Spend => self.spend(&proof)?,
            verdict => verdict,
        };
        attested.proven = matches!(verdict, Ok(()) | Err(ProofFault::ChallengeMissing));
        attested.challenged = proof.challenge().is_some();
        Ok(verdict)
    }

    /// The one proof that a call shows, its signature by this key checked.
    pub(super) fn proof(&self, key: Thumbprint) -> Progress<'a, Verdict<DpopProof>> {
        let header = Profile::OauthClientAttestation.proof_header();
        let token = match self.facts.headers.occurrence(header) {
            Occurrence::Absent => return Ok(Err(ProofFault::Missing)),
            Occurrence::Repeated => return Ok(Err(ProofFault::Repeated)),
            Occurrence::Unreadable => return Ok(Err(ProofFault::Malformed)),
            Occurrence::Once(token) => token,
        };
        match &self.known.proof {
            None => Err(Halt::Needs(Need::Proof(token, key))),
            // One proof may serve for the token and for the attestation, where both name its key.
            Some(Ok(proof)) if *proof.key() != key => Ok(Err(ProofFault::Key)),
            Some(verdict) => Ok(verdict.clone()),
        }
    }

    pub(super) fn check_proof(
        &self,
        proof: &DpopProof,
        caller: &Caller,
        origin: &Origin,
        now: UnixTime,
    ) -> Verdict<()> {
        proof.is_for(&ProvenCall {
            method: &self.facts.method,
            path: &self.facts.path,
            origin,
            access_token: token_digest(self.ground.policy, self.facts, caller),
        })?;
        proof.is_recent(now, self.ground.policy.credentials.leeway)
    }

    /// A challenge that is there must be good, also at a level that asks for none.
    fn check_challenge(&self, proof: &DpopProof, bearing: &Bearing<'_>) -> Verdict<()> {
        let challenges = self.ground.challenges;
        match proof.challenge() {
            Some(challenge) => challenges.check(challenge, bearing.now, bearing.origin, bearing.principal),
            None if bearing.level.challenge_required => Err(ProofFault::ChallengeMissing),
            None => Ok(()),
        }
    }

    /// Spends the proof of this call.
    // INVARIANT: a call shows one proof, and a case remembers that it was spent, so that it is spent once however many
    // things it proves.
    pub(super) fn spend(&self, proof: &DpopProof) -> Progress<'a, Verdict<()>> {
        match self.known.spent {
            None => Err(Halt::Needs(Need::Spend(Spending { key: proof.spending_key(), until: proof.expires() }))),
            Some(Spent::First) => Ok(Ok(())),
            Some(Spent::Replayed) => Ok(Err(ProofFault::Replayed)),
            Some(Spent::Full) => refuse(Reason::Unavailable(Unavailable::ReplayMemory)),
        }
    }
}

impl Profile {
    /// What its attestations are verified as.
    pub const fn kind(self) -> TokenKind {
        match self {
            Self::OauthClientAttestation => TokenKind::OauthClientAttestation,
        }
    }
}
