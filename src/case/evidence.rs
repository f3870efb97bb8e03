//! What a caller shows when it is asked to prove itself: an attestation, its proof, and that nobody used it before.

use super::authenticate::token_digest;
use super::{Case, Halt, Need, Progress, Spent, origin, refuse};
use crate::attestation::dpop::ProvenCall;
use crate::attestation::{Appraised, DpopProof, Expected, ProofFault, Thumbprint, TokenFault, TokenKind, appraise};
use crate::decision::Evidence;
use crate::identity::{AccessToken, Caller, Principal};
use crate::policy::{Assurance, Attestation, AttestationId, LevelId, Profile};
use crate::reason::{Reason, Unavailable};
use crate::request::Occurrence;
use crate::time::UnixTime;

/// A proof to be recorded as used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spending {
    /// Key thumbprint and identifier in one.
    pub key: Thumbprint,
    /// After this moment the proof can't pass any more, and needs no remembering.
    pub until: UnixTime,
}

/// What the spending of a proof came to.
type Verdict<T> = Result<T, ProofFault>;

impl<'a> Case<'a> {
    /// Looks at the evidence for one level.
    pub(super) fn attest(
        &self,
        level_id: LevelId,
        caller: &Caller,
        now: UnixTime,
        found: &mut Option<(AttestationId, Appraised)>,
    ) -> Progress<'a, Evidence> {
        let Some(level) = self.ground.policy.level(level_id) else {
            return refuse(Reason::Unavailable(Unavailable::Policy));
        };
        let Some(principal) = &caller.principal else {
            return refuse(Reason::CredentialMissing);
        };
        let (id, appraised) = match self.attestation(level, caller, principal, now)? {
            Ok(shown) => shown,
            Err(reason) => return Ok(Evidence::Unmet(reason)),
        };
        let key = appraised.key;
        *found = Some((id, appraised));
        Ok(match self.prove(level, key, caller, principal, now)? {
            Ok(()) => Evidence::Met(level_id),
            Err(fault) => Evidence::Unmet(Reason::Proof(fault)),
        })
    }

    /// The first accepted attestation that does; where none does, what is wrong with the one that came closest.
    fn attestation(
        &self,
        level: &'a Assurance,
        caller: &Caller,
        principal: &Principal,
        now: UnixTime,
    ) -> Progress<'a, Result<(AttestationId, Appraised), Reason>> {
        let mut closest = None;
        for id in &level.accept {
            let Some(attestation) = self.ground.policy.attestation(*id) else {
                continue;
            };
            match self.shown(*id, attestation, level, caller, principal, now)? {
                Some(Ok(appraised)) => return Ok(Ok((*id, appraised))),
                Some(Err(fault)) => closest = closest.max(Some(fault)),
                None => {}
            }
        }
        Ok(Err(closest.map_or(Reason::AttestationMissing, Reason::Attestation)))
    }

    /// `None` where the caller shows no attestation of this kind.
    fn shown(
        &self,
        id: AttestationId,
        attestation: &'a Attestation,
        level: &Assurance,
        caller: &Caller,
        principal: &Principal,
        now: UnixTime,
    ) -> Progress<'a, Option<Result<Appraised, TokenFault>>> {
        let token = match self.facts.headers.occurrence(attestation.profile.attestation_header()) {
            Occurrence::Absent => return Ok(None),
            Occurrence::Repeated => return Ok(Some(Err(TokenFault::Repeated))),
            Occurrence::Unreadable => return Ok(Some(Err(TokenFault::Malformed))),
            Occurrence::Once(token) => token,
        };
        let verified = match self.known.attestations.iter().find(|(known, _)| *known == id) {
            None => return Err(Halt::Needs(Need::Attestation(id, token))),
            Some((_, Err(fault))) => return Ok(Some(Err(*fault))),
            Some((_, Ok(verified))) => verified,
        };
        let kind = attestation.profile.kind();
        let expected = Expected {
            now,
            leeway: self.ground.policy.credentials.leeway,
            level,
            principal,
            origin: &origin(self.ground.policy, self.facts),
            bound_to: caller.token.as_ref().and_then(AccessToken::bound_to),
        };
        let issuer = verified.still_holds(kind, self.trusted(&attestation.issuers));
        Ok(Some(issuer.and_then(|issuer| appraise(verified, issuer, &expected))))
    }

    /// The proof: by this key, for this call, just now, with our challenge, and never used before.
    fn prove(
        &self,
        level: &Assurance,
        key: Thumbprint,
        caller: &Caller,
        principal: &Principal,
        now: UnixTime,
    ) -> Progress<'a, Verdict<()>> {
        let proof = match self.proof()? {
            Ok(proof) => proof,
            Err(fault) => return Ok(Err(fault)),
        };
        let good = self
            .check_proof(&proof, key, caller, now)
            .and_then(|()| self.check_challenge(level, &proof, principal, now));
        match good {
            Ok(()) => self.spend(&proof),
            Err(fault) => Ok(Err(fault)),
        }
    }

    /// The one proof that a call shows, its signature checked.
    pub(super) fn proof(&self) -> Progress<'a, Verdict<DpopProof>> {
        let header = Profile::OauthClientAttestation.proof_header();
        let token = match self.facts.headers.occurrence(header) {
            Occurrence::Absent => return Ok(Err(ProofFault::Missing)),
            Occurrence::Repeated => return Ok(Err(ProofFault::Repeated)),
            Occurrence::Unreadable => return Ok(Err(ProofFault::Malformed)),
            Occurrence::Once(token) => token,
        };
        self.known.proof.clone().ok_or(Halt::Needs(Need::Proof(token)))
    }

    pub(super) fn check_proof(
        &self,
        proof: &DpopProof,
        key: Thumbprint,
        caller: &Caller,
        now: UnixTime,
    ) -> Verdict<()> {
        if *proof.key() != key {
            return Err(ProofFault::Key);
        }
        proof.is_for(&ProvenCall {
            method: &self.facts.method,
            path: &self.facts.path,
            origin: &origin(self.ground.policy, self.facts),
            access_token: caller.token.as_ref().and_then(|_| token_digest(self.ground.policy, self.facts)),
        })?;
        proof.is_recent(now, self.ground.policy.credentials.leeway)
    }

    /// A challenge that is there must be good, also at a level that asks for none.
    fn check_challenge(
        &self,
        level: &Assurance,
        proof: &DpopProof,
        principal: &Principal,
        now: UnixTime,
    ) -> Verdict<()> {
        let resource = origin(self.ground.policy, self.facts);
        match proof.challenge() {
            Some(challenge) => self.ground.challenges.check(challenge, now, &resource, principal),
            None if level.challenge_required => Err(ProofFault::ChallengeMissing),
            None => Ok(()),
        }
    }

    /// Spends the proof of this call, once, however many things it proves.
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
