//! The decision. The only place that makes a [`Permit`].

use crate::attestation::Appraised;
use crate::identity::{Caller, Scheme};
use crate::policy::{AttestationId, Classification, Effect, LevelId, Policy, Requirement, RuleId};
use crate::reason::Reason;

/// What comes of one request, and what it was made from.
#[derive(Clone, Debug)]
pub struct Decision {
    pub outcome: Outcome,
    pub findings: Findings,
}

/// What is known when a decision is made; for a refusal, as far as it came.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    pub classification: Option<Classification>,
    pub caller: Option<Caller>,
    /// How the caller presented its token, also where it is none of ours.
    pub scheme: Scheme,
    pub attestation: Option<(AttestationId, Appraised)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Allow(Permit),
    StepUp(StepUp),
    Deny(Reason),
    /// The caller asked for a challenge, and gets one.
    Challenge,
}

/// The authority to let one request through. Its fields are private, and [`decide`] alone makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permit {
    /// The level that was proven; nothing where none was asked for.
    level: Option<LevelId>,
    /// Whether the caller showed a proof of possession.
    proven: bool,
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
    /// An attestation did for this level, and its proof was spent.
    Met(LevelId),
}

/// Decides. Deny beats step-up, step-up beats allow; evidence counts only for the level that it was appraised for.
pub fn decide(policy: &Policy, requirement: Requirement, evidence: Evidence) -> Outcome {
    match (requirement, evidence) {
        (Requirement::Refusal(rule), _) => Outcome::Deny(refusal(policy, rule)),
        (Requirement::Nothing, Evidence::NotAsked { proven }) => Outcome::Allow(Permit { level: None, proven }),
        (Requirement::Nothing, _) => Outcome::Allow(Permit { level: None, proven: true }),
        (Requirement::Assurance(level), Evidence::Met(met)) if met == level => {
            Outcome::Allow(Permit { level: Some(level), proven: true })
        }
        (Requirement::Assurance(level), Evidence::Unmet(reason)) => Outcome::StepUp(StepUp { level, reason }),
        (Requirement::Assurance(level), _) => Outcome::StepUp(StepUp { level, reason: Reason::AttestationMissing }),
    }
}

fn refusal(policy: &Policy, rule: RuleId) -> Reason {
    match policy.rule(rule).map(|rule| &rule.effect) {
        Some(Effect::Deny(reason)) => Reason::Rule(reason.clone()),
        _ => Reason::Unavailable(crate::reason::Unavailable::Policy),
    }
}

impl Permit {
    pub const fn level(&self) -> Option<LevelId> {
        self.level
    }

    pub const fn proven(&self) -> bool {
        self.proven
    }
}

impl Decision {
    /// A refusal before anything could be found out.
    pub fn refused(reason: Reason) -> Self {
        Self { outcome: Outcome::Deny(reason), findings: Findings::default() }
    }

    pub const fn reason(&self) -> &Reason {
        match &self.outcome {
            Outcome::Allow(permit) if permit.level.is_some() => &Reason::Attested,
            Outcome::Allow(_) => &Reason::Routine,
            Outcome::StepUp(step_up) => &step_up.reason,
            Outcome::Deny(reason) => reason,
            Outcome::Challenge => &Reason::ChallengeRequested,
        }
    }
}

impl Outcome {
    /// All words of [`Outcome::as_str`].
    pub const WORDS: [&'static str; 4] = ["allow", "step_up", "deny", "challenge"];

    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Allow(_) => "allow",
            Self::StepUp(_) => "step_up",
            Self::Deny(_) => "deny",
            Self::Challenge => "challenge",
        }
    }

    /// The level that was asked for or proven.
    pub const fn level(&self) -> Option<LevelId> {
        match self {
            Self::Allow(permit) => permit.level,
            Self::StepUp(step_up) => Some(step_up.level),
            Self::Deny(_) | Self::Challenge => None,
        }
    }
}
