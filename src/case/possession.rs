//! That an attestation or a token is the caller's own: a proof by the key that it names, the client certificate that it
//! names, or the caller's challenge in it; and that no proof passes twice.

use super::evidence::{Bearing, Candidate};
use super::presented::token_digest;
use super::{Case, Halt, Need, Progress, ProvenBy, Signed, Spent, refuse};
use crate::attestation::appraise::challenge_behind;
use crate::attestation::jose::signing_input;
use crate::attestation::{Proof, ProofFault, ProofKey, ProofKind, ProvenCall, Thumbprint};
use crate::challenge::LONGEST_LIFE;
use crate::identity::Caller;
use crate::policy::{Assurance, OnStateLoss, Origin};
use crate::reason::{Reason, Unavailable};
use crate::request::Occurrence;
use crate::time::UnixTime;

/// Where a transaction token comes (draft-ietf-oauth-transaction-tokens).
const TRANSACTION_TOKEN_HEADER: &str = "txn-token";

/// A proof to be recorded as used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spending {
    /// Key thumbprint and identifier in one.
    pub key: Thumbprint,
    /// After this moment the proof can't pass any more, and needs no remembering.
    pub until: UnixTime,
    pub reach: Reach,
}

/// Who counts a proof together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// This process.
    Process,
    /// All replicas; and what holds while they can't.
    Replicas(OnStateLoss),
}

/// A proof to be verified, and the key that it must be made with.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "it holds a proof")]
pub struct Unproven<'a> {
    pub kind: ProofKind,
    pub token: &'a str,
    pub key: ProofKey,
}

/// What came of looking for the proof that an attestation is the caller's own.
pub(super) struct Verdict {
    /// Nothing where it is.
    pub fault: Option<ProofFault>,
    /// What was shown to prove it.
    pub proof: Option<ProvenBy>,
    /// Whether a challenge came with it.
    pub challenged: bool,
    /// What is to be spent before it counts.
    pub spending: Option<Spending>,
    /// When the proof was made at the earliest; nothing where there is none that could tell.
    pub made: Option<UnixTime>,
}

impl<'a> Case<'a> {
    /// Whether the attestation is the caller's own: by this key, for this call, just now, with our challenge. That nobody
    /// used it before is to be found out by spending it.
    pub(super) fn prove(&self, candidate: &Candidate<'a>, bearing: &Bearing<'_>) -> Progress<'a, Verdict> {
        match candidate.appraised.binding.key {
            Some(key) => self.prove_key(key, candidate, bearing),
            None => Ok(self.prove_without_key(candidate, bearing)),
        }
    }

    fn prove_key(&self, key: Thumbprint, candidate: &Candidate<'a>, bearing: &Bearing<'_>) -> Progress<'a, Verdict> {
        let confirmation = candidate.verified.claims().confirmation.as_ref();
        let signer = ProofKey { thumbprint: key, key: confirmation.and_then(|confirmation| confirmation.jwk.clone()) };
        let (kind, proof) = match self.first_proof(candidate.attestation.key_proofs(), &signer)? {
            Some((kind, Ok(proof))) => (kind, proof),
            Some((kind, Err(fault))) => return Ok(Verdict::faulty(fault, Some(kind.into()))),
            None => return Ok(Verdict::faulty(ProofFault::Missing, None)),
        };
        let good = self
            .check_proof(&proof, Some(candidate.verified.digest()), bearing.caller, bearing.origin, bearing.moment.now)
            .and_then(|()| self.check_challenge(&proof, bearing));
        Ok(Verdict {
            fault: good.err(),
            proof: Some(kind.into()),
            challenged: proof.challenge().is_some(),
            spending: Some(Spending::of_proof(&proof, bearing.level.reach())),
            // A proof that does not say when names the attestation, and so is younger.
            made: proof.issued().or(candidate.verified.claims().issued),
        })
    }

    /// By the client certificate, or by nothing at all: then only where the certificate says who calls, or where the
    /// attestation was made for our challenge, and passes once.
    fn prove_without_key(&self, candidate: &Candidate<'a>, bearing: &Bearing<'_>) -> Verdict {
        let proof = candidate.appraised.binding.certificate.then_some(ProvenBy::Mtls);
        let may_be_shown_again = proof.is_some() || bearing.caller.certified;
        let level = bearing.level;
        if !may_be_shown_again && !level.takes_statements() {
            return Verdict::faulty(ProofFault::Missing, None);
        }
        let challenged = if level.challenge_required { self.check_own_challenge(candidate, bearing) } else { Ok(()) };
        Verdict {
            fault: challenged.err(),
            proof,
            challenged: level.challenge_required && challenged.is_ok(),
            spending: (!may_be_shown_again)
                .then(|| Spending::of_statement(candidate.token, bearing.moment.now, level.reach())),
            made: None,
        }
    }

    /// The proof by the token's own key, before anything else is asked of it.
    pub(super) fn token_proof(&self, key: Thumbprint) -> Progress<'a, Signed> {
        let shown = self.first_proof(&[ProofKind::Dpop], &ProofKey::of_thumbprint(key))?;
        Ok(shown.map_or(Err(ProofFault::Missing), |(_, verdict)| verdict))
    }

    /// The first of these proofs that the call shows, its signature by this key checked. Beside one that is made for the
    /// attestation, that for the token does not count.
    fn first_proof(&self, kinds: &'static [ProofKind], signer: &ProofKey) -> Progress<'a, Option<(ProofKind, Signed)>> {
        for kind in kinds {
            let verdict = match self.proof_token(*kind) {
                Occurrence::Absent => continue,
                Occurrence::Repeated => Err(ProofFault::Repeated),
                Occurrence::Unreadable => Err(ProofFault::Malformed),
                Occurrence::Once(token) => self.signed_proof(*kind, token, signer)?,
            };
            return Ok(Some((*kind, verdict)));
        }
        Ok(None)
    }

    /// A WPT may stand in `authorization` too (draft-ietf-wimse-wpt §3.2).
    fn proof_token(&self, kind: ProofKind) -> Occurrence<'a> {
        let headers = &self.facts.headers;
        let own = headers.occurrence(kind.header());
        let in_authorization = kind.scheme().and_then(|scheme| headers.authorization(scheme));
        match (own, in_authorization) {
            (own, None) => own,
            (Occurrence::Absent, Some(token)) => Occurrence::Once(token),
            (_, Some(_)) => Occurrence::Repeated,
        }
    }

    fn signed_proof(&self, kind: ProofKind, token: &'a str, signer: &ProofKey) -> Progress<'a, Signed> {
        let known = self.known.proofs.iter().find(|(known, key, _)| *known == kind && *key == signer.thumbprint);
        match known {
            Some((_, _, verdict)) => Ok(verdict.clone()),
            None => Err(Halt::Needs(Need::Proof(Unproven { kind, token, key: signer.clone() }))),
        }
    }

    pub(super) fn check_proof(
        &self,
        proof: &Proof,
        attestation: Option<Thumbprint>,
        caller: &Caller,
        origin: &Origin,
        now: UnixTime,
    ) -> Result<(), ProofFault> {
        proof.is_for(&ProvenCall {
            method: &self.facts.method,
            path: &self.facts.path,
            origin,
            access_token: token_digest(self.facts, caller),
            attestation,
            transaction_token: self.transaction_token(proof)?,
        })?;
        proof.is_recent(now, self.ground.policy.credentials.leeway)
    }

    /// Only a WPT says anything of it. Of two that came along, or of one that is no text, it can't have named what counts.
    fn transaction_token(&self, proof: &Proof) -> Result<Option<Thumbprint>, ProofFault> {
        match self.facts.headers.occurrence(TRANSACTION_TOKEN_HEADER) {
            _ if proof.kind() != ProofKind::Wpt => Ok(None),
            Occurrence::Absent => Ok(None),
            Occurrence::Once(token) => Ok(Some(Thumbprint::of(token.as_bytes()))),
            Occurrence::Repeated | Occurrence::Unreadable => Err(ProofFault::Token),
        }
    }

    /// A challenge that is there must be good, also at a level that asks for none.
    fn check_challenge(&self, proof: &Proof, bearing: &Bearing<'_>) -> Result<(), ProofFault> {
        match proof.challenge() {
            Some(challenge) => self.is_ours(challenge, bearing),
            None if bearing.level.challenge_required => Err(ProofFault::ChallengeMissing),
            None => Ok(()),
        }
    }

    /// One of the challenges that the attestation carries itself must be ours. What else platforms write there is their
    /// own business. Behind the name of another, it is one that the other has passed on.
    fn check_own_challenge(&self, candidate: &Candidate<'a>, bearing: &Bearing<'_>) -> Result<(), ProofFault> {
        let Candidate { attestation, issuer, verified, .. } = candidate;
        let claims = verified.claims();
        let behind = claims.audiences.iter().filter_map(|audience| challenge_behind(audience, attestation.profile));
        let behind = behind.filter(|(audience, _)| attestation.is_named(audience, issuer));
        let challenges = claims.nonces.iter().map(|nonce| &**nonce).chain(behind.map(|(_, challenge)| challenge));
        let mut closest = ProofFault::ChallengeMissing;
        for challenge in challenges {
            match self.is_ours(challenge, bearing) {
                Ok(()) => return Ok(()),
                Err(fault) => closest = closest.max(fault),
            }
        }
        Err(closest)
    }

    fn is_ours(&self, challenge: &str, bearing: &Bearing<'_>) -> Result<(), ProofFault> {
        self.ground.challenges.check(challenge, bearing.moment.now, bearing.origin, bearing.principal)
    }

    /// Spends what proves this call.
    // INVARIANT: a case remembers what was spent, so that a proof is spent once however many things it proves.
    pub(super) fn spend(&self, spending: Spending) -> Progress<'a, Result<(), ProofFault>> {
        match self.known.spent.iter().find(|(key, _)| *key == spending.key) {
            None => Err(Halt::Needs(Need::Spend(spending))),
            Some((_, Spent::First)) => Ok(Ok(())),
            Some((_, Spent::Replayed)) => Ok(Err(ProofFault::Replayed)),
            Some((_, Spent::Full)) => refuse(Reason::Unavailable(Unavailable::ReplayMemory)),
            Some((_, Spent::Untold)) => refuse(Reason::Unavailable(Unavailable::State)),
        }
    }
}

impl Verdict {
    const fn faulty(fault: ProofFault, proof: Option<ProvenBy>) -> Self {
        Self { fault: Some(fault), proof, challenged: false, spending: None, made: None }
    }
}

impl Spending {
    pub fn of_proof(proof: &Proof, reach: Reach) -> Self {
        Self { key: proof.spending_key(), until: proof.expires(), reach }
    }

    /// An attestation that is its own proof. It is counted by what is signed: a signature can be written in more than one
    /// way (of ECDSA's (r, s), (r, -s) is as good).
    fn of_statement(token: &str, now: UnixTime, reach: Reach) -> Self {
        Self { key: Thumbprint::of(signing_input(token).as_bytes()), until: now.plus(LONGEST_LIFE), reach }
    }
}

impl Assurance {
    /// Who counts the proofs of this level together.
    pub(super) const fn reach(&self) -> Reach {
        if self.single_use { Reach::Replicas(self.on_state_loss) } else { Reach::Process }
    }
}
