//! The guard against loops: who leaves too many challenges unanswered is refused the next one, until a minute has passed.
//!
//! It stands in the place of a step-up and of nothing else. Good evidence passes as ever, and the challenge endpoint still
//! hands one out, so that nobody whose challenges another one used up is locked out.

use super::{Case, Halt, Need, Progress, refuse};
use crate::attestation::Thumbprint;
use crate::context::Network;
use crate::decision::{Findings, Outcome};
use crate::identity::Principal;
use crate::policy::{Mode, Name};
use crate::reason::Reason;
use crate::time::Ttl;

/// Whose challenges are counted together. A thief has the credential of whom he stole it from, and not the place.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ChallengeKey {
    pub principal: Principal,
    /// What the caller is recognised by; nothing where only another proxy reports it.
    pub credential: Option<Thumbprint>,
    /// `None`: the address can't be told.
    pub network: Option<Network>,
    /// `None`: no route names the request. A name means the same after a reload, which a place in a table may not.
    pub route: Option<Name>,
}

/// Whether one more challenge may be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowance {
    /// It may, and counts as unanswered from now on.
    Allowed,
    /// Too many were left unanswered.
    Loop { retry_after: Ttl },
}

/// Unanswered challenges count for so long, from the first of them on; the policy says how many.
pub const CHALLENGE_WINDOW: Ttl = Ttl::from_secs(60);

impl<'a> Case<'a> {
    /// Refuses a step-up that was asked for too often; finds out whose count ends where one was answered.
    pub(super) fn guard_loops(&self, outcome: Outcome, findings: &mut Findings) -> Progress<'a, Outcome> {
        match &outcome {
            // Where nothing is enforced, nothing is asked.
            _ if self.ground.policy.mode == Mode::Shadow => Ok(outcome),
            Outcome::StepUp(_) => match self.allowance(findings)? {
                Allowance::Allowed => Ok(outcome),
                Allowance::Loop { retry_after } => {
                    findings.retry_after = Some(retry_after);
                    Ok(Outcome::Deny(Reason::ChallengeLoop))
                }
            },
            Outcome::Allow(permit) if permit.level().is_some() && !permit.is_granted() => {
                findings.answered = self.challenge_key(findings);
                Ok(outcome)
            }
            Outcome::Allow(_) | Outcome::Deny(_) | Outcome::Challenge | Outcome::TaskEnded => Ok(outcome),
        }
    }

    fn allowance(&self, findings: &Findings) -> Progress<'a, Allowance> {
        if let Some(recorded) = self.recorded {
            return Ok(recorded.allowance());
        }
        match (self.known.allowance, self.challenge_key(findings)) {
            (Some(allowance), _) => Ok(allowance),
            (None, Some(key)) => Err(Halt::Needs(Need::Challenge(key))),
            // Who is nobody is never asked to prove who it is.
            (None, None) => refuse(Reason::CredentialMissing),
        }
    }

    fn challenge_key(&self, findings: &Findings) -> Option<ChallengeKey> {
        let caller = findings.caller.as_ref()?;
        let route = findings.classification.as_ref()?.route;
        Some(ChallengeKey {
            principal: caller.principal.clone()?,
            credential: self.credential(caller),
            network: findings.client.map(Network::of),
            route: route.and_then(|id| self.ground.policy.routes.get(id)).map(|route| route.name.clone()),
        })
    }
}
