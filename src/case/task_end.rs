//! The end of a task: a workload says so inside the check, and proves by an attestation of the task that it is its own.

use super::evidence::{Bearing, Found, Use};
use super::tokens::TokenProof;
use super::{Case, Halt, Moment, Need, Progress, Reach, refuse};
use crate::decision::{Outcome, StepUp};
use crate::identity::{Caller, Principal};
use crate::policy::{Assurance, Carry, LevelId, OnStateLoss};
use crate::reason::{Reason, Unavailable};
use crate::revocation::{Revocation, Source, Target, TaskOwner};
use crate::time::UnixTime;

/// Where workloads say that their task has ended.
pub const TASK_END_PATH: &str = "/.well-known/stepgate/tasks/end";

/// A task that is to be ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedTask {
    pub task: Box<str>,
    pub owner: TaskOwner,
    /// When its attestation was issued, which may be to come by the clock here.
    pub issued: Option<UnixTime>,
}

impl<'a> Case<'a> {
    pub(super) fn ends_task(&self) -> bool {
        self.facts.method.as_str() == "POST" && self.facts.path.canonical() == TASK_END_PATH
    }

    /// Ends the task of the attestation that the caller shows and proves: its own, and nobody else's. Any level will do, the
    /// weakest first, but for what it asks of a call: this one exercises no scope and takes no route.
    pub(super) fn end_task(
        &self,
        caller: &Caller,
        token_proof: &TokenProof,
        moment: Moment<'_>,
        mut found: Found<'_>,
    ) -> Progress<'a, Outcome> {
        let Some(principal) = &caller.principal else { return refuse(Reason::CredentialMissing) };
        if self.recorded.is_some() || self.ground.policy.assurance.is_empty() {
            return refuse(Reason::Unanswerable);
        }
        if !moment.revoked.is_whole() {
            return refuse(Reason::Unavailable(Unavailable::State));
        }
        let mut closest = None;
        for level in &self.ground.policy.assurance {
            let level = to_end(level);
            let shortfall = match self.attest_to_end(&level, caller, principal, moment, found.reborrow())? {
                Ok(issued) => {
                    self.spend_token_proof(token_proof, Reach::Replicas(OnStateLoss::Deny))?;
                    return self.record_end(principal, issued, &found);
                }
                Err(reason) => reason,
            };
            closest.get_or_insert(shortfall);
        }
        let reason = closest.unwrap_or(Reason::AttestationMissing);
        Ok(Outcome::StepUp(StepUp { level: LevelId(0), reason }))
    }

    fn attest_to_end(
        &self,
        level: &Assurance,
        caller: &Caller,
        principal: &Principal,
        moment: Moment<'_>,
        found: Found<'_>,
    ) -> Progress<'a, Result<Option<UnixTime>, Reason>> {
        let origin = self.origin()?;
        let bearing = Bearing { level, caller, principal, origin: &origin, intent: None, routes: &[], moment };
        let weighed = self.weigh(&bearing, Use::Spend, found.attestation)?;
        Ok(weighed.map(|candidate| candidate.verified.claims().issued).map_err(super::evidence::Shortfall::reason))
    }

    fn record_end(&self, principal: &Principal, issued: Option<UnixTime>, found: &Found<'_>) -> Progress<'a, Outcome> {
        let attested = found.attestation.as_ref().map(|attested| &attested.appraised);
        let Some((task, attester)) = attested.and_then(|own| Some((own.task.clone()?, own.issuer.clone()))) else {
            return refuse(Reason::Unavailable(Unavailable::Policy));
        };
        match self.known.ended {
            Some(Ok(())) => Ok(Outcome::TaskEnded),
            Some(Err(_)) => refuse(Reason::Unavailable(Unavailable::State)),
            None => {
                let owner = TaskOwner { principal: principal.clone(), attester };
                Err(Halt::Needs(Need::EndTask(EndedTask { task, owner, issued })))
            }
        }
    }
}

impl EndedTask {
    /// What ends it, with the attestation that said so, however far ahead the attester's clock is.
    pub fn revocation(self, now: UnixTime) -> Revocation {
        let not_before = self.issued.map_or(now, |issued| issued.max(now));
        let target = Target::Task { task: self.task, of: Some(self.owner) };
        Revocation::new(target, not_before, Source::TaskEnd)
    }
}

/// What a level asks of who ends a task. The proof passes once in all replicas: shown again, it could end a later task of
/// the same name.
fn to_end(level: &Assurance) -> Assurance {
    Assurance {
        task_required: true,
        scoped: false,
        single_use: true,
        carry: Carry::EveryCall,
        on_state_loss: OnStateLoss::Deny,
        ..level.clone()
    }
}
