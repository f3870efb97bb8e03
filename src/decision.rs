//! The decision. The only place that makes a [`Permit`].

use crate::attestation::Appraised;
use crate::case::{ChallengeKey, ProvenBy};
use crate::context::{Country, Lesson, Sighting, Signals, Unusual};
use crate::grant::{Basis, Grant};
use crate::identity::{Caller, Scheme};
use crate::policy::{AttestationId, Classification, IdentityId, LevelId, Mode, Policy, Requirement, Subject};
use crate::reason::Reason;
use crate::time::Ttl;
use std::net::IpAddr;
use std::sync::Arc;

/// What comes of one request, and what it was made from.
#[derive(Clone, Debug)]
pub struct Decision {
    pub outcome: Outcome,
    /// What it would be, where something is only watched: if the rules that are only watched counted, or if the policy did.
    pub shadow: Option<Outcome>,
    pub findings: Findings,
}

/// What is known when a decision is made; for a refusal, as far as it came.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    pub classification: Option<Classification>,
    pub caller: Option<Caller>,
    /// The entry that describes the caller.
    pub identity: Option<IdentityId>,
    pub unusual: Unusual,
    /// Where the call really comes from, where that was looked for.
    pub client: Option<IpAddr>,
    pub country: Option<Country>,
    /// What the call shows of the caller, where signals learn.
    pub sighting: Option<Arc<Sighting>>,
    /// How the caller presented its token, also where it is none of ours.
    pub scheme: Scheme,
    pub attestation: Option<Attested>,
    /// The grant that stands for proof.
    pub grant: Option<Arc<Grant>>,
    /// What the proof leaves behind for the other calls of its task, if the call passes.
    pub earned: Option<Arc<Grant>>,
    /// Under what its challenges are counted, where the caller proved that it can answer them.
    pub answered: Option<ChallengeKey>,
    /// How long until it may be given one more, where it left too many unanswered.
    pub retry_after: Option<Ttl>,
}

/// An attestation that does for a call, and what was seen of its proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attested {
    pub by: AttestationId,
    pub appraised: Appraised,
    /// What was shown to prove it; nothing where nothing was.
    pub proof: Option<ProvenBy>,
    /// Whether that is good, but for a challenge that it lacks.
    pub proven: bool,
    /// Whether a challenge came with it.
    pub challenged: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Allow(Permit),
    StepUp(StepUp),
    Deny(Reason),
    /// The caller asked for a challenge, and gets one.
    Challenge,
    /// The caller said that its task has ended, and it has.
    TaskEnded,
}

/// The authority to let one request through. Its fields are private, and this module alone makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permit {
    /// The level that was proven; nothing where none was asked for.
    level: Option<LevelId>,
    /// Whether the caller showed a proof of possession.
    proven: bool,
    /// Whether the level was proven by an earlier call of the task.
    granted: bool,
    /// Whether the request passes only because the policy is not enforced.
    shadow: bool,
}

/// What is asked of the caller before it may try again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepUp {
    pub level: LevelId,
    pub reason: Reason,
}

/// What came of looking at evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// Nobody looked; `proven` says whether the caller's own token came with its proof.
    NotAsked {
        proven: bool,
    },
    Unmet(Reason),
    /// A live grant covers the call; `proven` as above.
    Granted {
        level: LevelId,
        proven: bool,
    },
    /// An attestation did for this level, and its proof was spent.
    Met(LevelId),
}

/// Decides. Deny beats step-up, step-up beats allow; evidence counts only for the level that it was appraised for.
pub fn decide(requirement: &Requirement, evidence: Evidence) -> Outcome {
    match (requirement, evidence) {
        (Requirement::Refusal(reason), _) => Outcome::Deny(Reason::Rule(reason.clone())),
        (Requirement::Nothing, Evidence::NotAsked { proven }) => Outcome::Allow(Permit::proven(None, proven)),
        (Requirement::Nothing, _) => Outcome::Allow(Permit::proven(None, true)),
        (&Requirement::Assurance(level), Evidence::Met(met)) if met == level => {
            Outcome::Allow(Permit::proven(Some(level), true))
        }
        (&Requirement::Assurance(level), Evidence::Granted { level: granted, proven }) if granted == level => {
            Outcome::Allow(Permit { granted: true, ..Permit::proven(Some(level), proven) })
        }
        (&Requirement::Assurance(level), Evidence::Unmet(reason)) => Outcome::StepUp(StepUp { level, reason }),
        (&Requirement::Assurance(level), _) => Outcome::StepUp(StepUp { level, reason: Reason::AttestationMissing }),
    }
}

impl Permit {
    const fn proven(level: Option<LevelId>, proven: bool) -> Self {
        Self { level, proven, granted: false, shadow: false }
    }

    /// For what a policy would stop that is not enforced.
    const fn unenforced() -> Self {
        Self { level: None, proven: false, granted: false, shadow: true }
    }

    pub const fn level(&self) -> Option<LevelId> {
        self.level
    }

    pub const fn is_proven(&self) -> bool {
        self.proven
    }

    /// Whether a grant stands for the proof.
    pub const fn is_granted(&self) -> bool {
        self.granted
    }

    pub const fn is_shadow(&self) -> bool {
        self.shadow
    }
}

impl Decision {
    /// A refusal before anything could be found out.
    pub fn refused(reason: Reason) -> Self {
        Self { outcome: Outcome::Deny(reason), shadow: None, findings: Findings::default() }
    }

    /// A policy that is not enforced lets through what it would stop, and says what it would have done.
    #[must_use]
    pub fn under(self, mode: Mode) -> Self {
        let stops = matches!(self.outcome, Outcome::StepUp(_) | Outcome::Deny(_));
        match (mode, stops) {
            (Mode::Enforce, _) => self,
            (Mode::Shadow, false) => Self { shadow: Some(self.outcome.clone()), ..self },
            (Mode::Shadow, true) => Self {
                outcome: Outcome::Allow(Permit::unenforced()),
                shadow: Some(self.outcome),
                findings: self.findings,
            },
        }
    }

    /// What was decided, whether or not it is enforced.
    pub const fn decided(&self) -> &Outcome {
        match (&self.outcome, &self.shadow) {
            (Outcome::Allow(Permit { shadow: true, .. }), Some(decided)) => decided,
            (outcome, _) => outcome,
        }
    }

    pub fn reason(&self) -> &Reason {
        match self.decided() {
            Outcome::Allow(permit) if permit.granted && self.is_by_hand() => &Reason::BreakGlass,
            Outcome::Allow(permit) if permit.granted => &Reason::Granted,
            Outcome::Allow(permit) if permit.level.is_some() => &Reason::Attested,
            Outcome::Allow(_) => &Reason::Routine,
            Outcome::StepUp(step_up) => &step_up.reason,
            Outcome::Deny(reason) => reason,
            Outcome::Challenge => &Reason::ChallengeRequested,
            Outcome::TaskEnded => &Reason::TaskEnded,
        }
    }

    /// Whether it was an operator who granted it, which is nothing usual.
    fn is_by_hand(&self) -> bool {
        self.findings.grant.as_ref().is_some_and(|grant| matches!(grant.basis, Basis::BreakGlass { .. }))
    }

    /// Whether a new challenge goes with the answer: where it asks for one, and where it ends a proof's life, so that a chain
    /// need not ask.
    pub const fn hands_out_challenge(&self) -> bool {
        match &self.outcome {
            Outcome::Allow(permit) => permit.proven,
            Outcome::StepUp(_) | Outcome::Challenge | Outcome::TaskEnded | Outcome::Deny(Reason::Proof(_)) => true,
            Outcome::Deny(_) => false,
        }
    }

    /// The grant that the call leaves behind.
    pub fn earned(&self) -> Option<&Arc<Grant>> {
        let passed = matches!(self.decided(), Outcome::Allow(permit) if permit.level.is_some());
        self.findings.earned.as_ref().filter(|_| passed)
    }

    /// The task that was proven, by this call or an earlier one.
    pub fn task(&self) -> Option<&str> {
        let Findings { attestation, grant, .. } = &self.findings;
        let attested = attestation.as_ref().and_then(|attested| attested.appraised.task.as_deref());
        match &self.outcome {
            Outcome::Allow(permit) if permit.granted => grant.as_ref().map(|grant| &*grant.task),
            Outcome::Allow(permit) if permit.level.is_some() => attested,
            _ => None,
        }
    }

    /// What the call teaches of its caller. A thief must not train what is to find him: only what was proven, or what was
    /// allowed with nothing new about it, counts as normal from now on.
    pub fn lesson(&self, signals: &Signals) -> Option<(&Sighting, Lesson)> {
        let sighting = self.findings.sighting.as_deref()?;
        let lesson = match self.decided() {
            // A grant proves nothing anew, least of all one that was given by hand.
            Outcome::Allow(permit) if permit.level.is_some() && !permit.granted => Lesson::All,
            Outcome::Allow(_) if !signals.any_learned(self.findings.unusual.signals) => Lesson::All,
            _ => Lesson::CredentialOnly,
        };
        Some((sighting, lesson))
    }
}

impl Findings {
    /// Whether who calls, and what the call is, is known.
    pub const fn are_settled(&self) -> bool {
        self.caller.is_some() && self.classification.is_some()
    }

    /// These, if who calls and what the call is is known, without what evidence said.
    pub fn settled(self) -> Option<Self> {
        let again = Self { attestation: None, grant: None, earned: None, answered: None, retry_after: None, ..self };
        again.are_settled().then_some(again)
    }

    /// Who calls, as classification looks at it.
    pub fn subject<'a>(&'a self, policy: &'a Policy) -> Subject<'a> {
        let Some(caller) = &self.caller else { return Subject::default() };
        let identity = self.identity.and_then(|id| policy.identities.get(id));
        Subject {
            identity,
            baseline: caller.principal.as_ref().and_then(|_| policy.identities.baseline_of(identity)),
            claims: caller.claims(),
            unusual: self.unusual,
        }
    }
}

impl Outcome {
    /// All words of [`Outcome::as_str`].
    pub const WORDS: [&'static str; 5] = ["allow", "step_up", "deny", "challenge", "task_end"];

    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Allow(_) => "allow",
            Self::StepUp(_) => "step_up",
            Self::Deny(_) => "deny",
            Self::Challenge => "challenge",
            Self::TaskEnded => "task_end",
        }
    }

    /// The level that was asked for or proven.
    pub const fn level(&self) -> Option<LevelId> {
        match self {
            Self::Allow(permit) => permit.level,
            Self::StepUp(step_up) => Some(step_up.level),
            Self::Deny(_) | Self::Challenge | Self::TaskEnded => None,
        }
    }
}
