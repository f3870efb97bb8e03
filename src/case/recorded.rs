//! A case whose credentials and attestation were verified before: it asks for nothing, and decides all else as ever. So
//! what was decided once can be decided again, explained, and tested.

use super::tokens::TokenProof;
use super::{Allowance, CHALLENGE_WINDOW, Case, Ground, Halt, Moment, Progress, Step};
use crate::attestation::appraise::Binding;
use crate::attestation::{Appraised, ProofFault, ProofKind, Thumbprint, TokenFault};
use crate::context::{Country, SignalSet, Signals, Unusual};
use crate::decision::{Attested, Decision, Evidence};
use crate::identity::{AccessToken, Caller, Scheme};
use crate::policy::{Assurance, Attestation, AttestationId, Classification, Identity, LevelId, Name, Policy, ScopeSet};
use crate::reason::{Reason, Unavailable};
use crate::request::RequestFacts;
use crate::revocation::Revocations;
use crate::time::{Ttl, UnixTime};

/// What a case is told instead of verifying and remembering.
#[derive(Clone, Debug)]
pub struct Recorded {
    pub caller: Caller,
    /// What is wrong with the credential. Where it names a caller all the same, it is the proof of a token that is wrong.
    pub fault: Option<Reason>,
    /// Where a database said it.
    pub country: Option<Country>,
    /// Signals that fired on what is not recorded.
    pub fired: SignalSet,
    pub attestation: Option<RecordedAttestation>,
    pub grant: Option<RecordedGrant>,
    /// Whether the caller had left too many challenges unanswered.
    pub looped: bool,
}

/// An attestation whose signature, subject and binding were good.
#[derive(Clone, Debug, Default)]
pub struct RecordedAttestation {
    /// Nothing where it is none that the policy knows.
    pub by: Option<AttestationId>,
    /// Without one it is never fresh.
    pub age: Option<Ttl>,
    pub task: Option<Box<str>>,
    /// What it covers.
    pub scopes: ScopeSet,
    /// What the proof was made with that came with it; nothing where none did.
    pub proof: Option<ProvenBy>,
    /// Whether the proof, or the attestation itself where it came without one, carried a challenge of ours.
    pub challenge: bool,
    /// What else is wrong with it or its proof: then it does for no level.
    pub fault: Option<Reason>,
}

/// A live grant of the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedGrant {
    /// The level that it was given at; nothing where an operator gave it.
    pub level: Option<Name>,
    /// Since the oldest of what it was made from was issued.
    pub age: Option<Ttl>,
    pub task: Box<str>,
    pub scopes: ScopeSet,
    pub routes: Vec<Name>,
}

/// How a workload proves that an attestation is its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProvenBy {
    Dpop,
    /// The profile's own proof token.
    Pop,
    /// The client certificate.
    Mtls,
}

impl<'a> Case<'a> {
    /// A case that asks for nothing.
    pub fn recorded(ground: Ground<'a>, facts: &'a RequestFacts, recorded: &'a Recorded) -> Self {
        Self { recorded: Some(recorded), ..Self::open(ground, facts) }
    }
}

impl Recorded {
    /// Stands for a key or certificate that was shown when the call was recorded.
    pub const KEY: Thumbprint = Thumbprint::from_bytes([0; 32]);

    /// Decides again.
    pub fn decide(&self, ground: Ground<'_>, facts: &RequestFacts, now: UnixTime) -> Decision {
        let revoked = Revocations::none(Revocations::DEFAULT_KEEP);
        match Case::recorded(ground, facts, self).step(Moment { now, revoked: &revoked }) {
            Step::Decided(decision) => decision,
            Step::Needs(_) => Decision::refused(Reason::Unavailable(Unavailable::Policy)).under(ground.policy.mode),
        }
    }

    pub(super) fn caller<'a>(&self) -> Progress<'a, Caller> {
        match &self.fault {
            Some(fault) if self.caller.principal.is_none() => Err(Halt::Refused(fault.clone())),
            _ => Ok(self.caller.clone()),
        }
    }

    pub(super) fn scheme(&self) -> Scheme {
        let bound = self.caller.token.as_ref().and_then(AccessToken::bound_to);
        if bound.is_some() { Scheme::Dpop } else { Scheme::Bearer }
    }

    pub(super) fn token_proof<'a>(&self, bound: bool) -> Progress<'a, TokenProof> {
        match &self.fault {
            Some(fault) => Err(Halt::Refused(fault.clone())),
            None if bound => Ok(TokenProof::Recorded),
            None => Ok(TokenProof::Unbound),
        }
    }

    /// Adds the signals that fired on what is not recorded, and no others: all that the record tells is looked at anew.
    pub(super) fn add_fired(&self, unusual: Unusual, signals: &Signals, identity: Option<&Identity>) -> Unusual {
        let fired = signals.iter().filter(|(id, signal)| {
            self.fired.contains(*id) && !unusual.signals.contains(*id) && signal.test.leaves_record(identity)
        });
        fired.fold(unusual, |unusual, (id, signal)| unusual.with(id, signal.points))
    }

    /// How long it still had to wait is not recorded: what is said is the longest.
    pub(super) const fn allowance(&self) -> Allowance {
        if self.looped { Allowance::Loop { retry_after: CHALLENGE_WINDOW } } else { Allowance::Allowed }
    }

    pub(super) fn evidence<'a>(
        &self,
        level_id: LevelId,
        level: &Assurance,
        caller: &Caller,
        classification: &Classification,
        policy: &Policy,
        found: &mut Option<Attested>,
    ) -> Progress<'a, Evidence> {
        let verdict = match &self.attestation {
            Some(attestation) => attestation.appraise(level, caller, classification, policy, found),
            None => Err(Reason::AttestationMissing),
        };
        match verdict {
            Ok(()) => Ok(Evidence::Met(level_id)),
            Err(reason @ Reason::Attestation(TokenFault::Contraindicated)) => Err(Halt::Refused(reason)),
            Err(reason) => Ok(Evidence::Unmet(reason)),
        }
    }
}

impl RecordedAttestation {
    /// What is left to be asked, in the order of [`attestation::appraise`](crate::attestation::appraise).
    fn appraise(
        &self,
        level: &Assurance,
        caller: &Caller,
        classification: &Classification,
        policy: &Policy,
        found: &mut Option<Attested>,
    ) -> Result<(), Reason> {
        let attestation_fault = matches!(self.fault, Some(Reason::Attestation(_)));
        if let Some(fault) = self.fault.clone().filter(|_| attestation_fault) {
            return Err(fault);
        }
        let accepted = self.by.filter(|by| level.accept.contains(by));
        let named = accepted.and_then(|by| Some((by, policy.attestation(by)?)));
        let (by, attestation) = named.ok_or(Reason::AttestationMissing)?;
        let appraised = self.appraised(level, attestation, classification, policy).map_err(Reason::Attestation)?;
        let proven = self.fault.is_none() && self.is_proven(level, caller, attestation);
        *found = Some(Attested { by, appraised, proof: self.proof, proven, challenged: self.challenge });
        match &self.fault {
            Some(fault) => Err(fault.clone()),
            None if !proven => Err(Reason::Proof(ProofFault::Missing)),
            None if level.challenge_required && !self.challenge => Err(Reason::Proof(ProofFault::ChallengeMissing)),
            None => Ok(()),
        }
    }

    fn appraised(
        &self,
        level: &Assurance,
        attestation: &Attestation,
        classification: &Classification,
        policy: &Policy,
    ) -> Result<Appraised, TokenFault> {
        let age = self.age.filter(|age| *age <= level.max_age).ok_or(TokenFault::TooOld)?;
        let issuer = attestation.issuers.first().and_then(|id| policy.issuer(*id)).ok_or(TokenFault::Issuer)?;
        if level.scoped && !classification.coverage.is_named_by(&self.scopes) {
            return Err(TokenFault::Scope);
        }
        if level.task_required && self.task.as_deref().is_none_or(str::is_empty) {
            return Err(TokenFault::Task);
        }
        Ok(Appraised {
            binding: Binding::default(),
            issuer: issuer.name.clone(),
            age,
            task: self.task.clone(),
            scopes: self.scopes.clone(),
        })
    }

    fn is_proven(&self, level: &Assurance, caller: &Caller, attestation: &Attestation) -> bool {
        match self.proof {
            Some(proof) => attestation.takes(proof),
            None => attestation.may_be_unbound() && (caller.certified || level.takes_statements()),
        }
    }
}

impl Attestation {
    /// Whether it can be proven so.
    fn takes(&self, proof: ProvenBy) -> bool {
        match proof {
            ProvenBy::Mtls => self.takes_certificate(),
            proof => self.key_proofs().iter().any(|kind| ProvenBy::from(*kind) == proof),
        }
    }
}

impl From<ProofKind> for ProvenBy {
    fn from(kind: ProofKind) -> Self {
        match kind {
            ProofKind::Dpop => Self::Dpop,
            ProofKind::Pop | ProofKind::Wpt => Self::Pop,
        }
    }
}

impl ProvenBy {
    pub const ALL: [Self; 3] = [Self::Dpop, Self::Pop, Self::Mtls];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dpop => "dpop",
            Self::Pop => "pop",
            Self::Mtls => "mtls",
        }
    }
}
