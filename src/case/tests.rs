//! The order of all checks, driven without any I/O: one world, one good call, and everything that may be wrong with it.

mod attacks;
mod delegation;
mod grants;
mod keys;
mod laws;
mod loops;
mod order;
mod profiles;
mod recorded;
mod remembered;
mod reported;
mod revoked;
pub(crate) mod standing;
mod task_end;
pub(crate) mod world;

use crate::decision::Outcome;

/// What came out, in one line: the outcome and its reason.
fn line(decision: &crate::decision::Decision) -> String {
    let verb = match &decision.outcome {
        Outcome::Allow(permit) if permit.level().is_some() => "verified",
        Outcome::Allow(_) => "allowed",
        Outcome::StepUp(_) => "step_up",
        Outcome::Deny(_) => "deny",
        Outcome::Challenge => "challenge",
        Outcome::TaskEnded => "ended",
    };
    format!("{verb} {}", decision.reason().as_str())
}
