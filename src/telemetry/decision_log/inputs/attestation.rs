//! The attestation that was looked at: what it says, or what is wrong with it.

use super::Shows;
use crate::attestation::ProofFault;
use crate::case::Proof;
use crate::decision::{Decision, Outcome, StepUp};
use crate::reason::Reason;
use crate::telemetry::decision_log::record::Record;
use crate::time::Ttl;
use serde::Serialize;

#[derive(Default, Serialize)]
pub(super) struct Shown<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    age: Option<Shows<Ttl>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proof: Option<&'static str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    challenge: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<&'a str>,
}

impl<'a> Shown<'a> {
    pub(super) fn of(record: &Record<'a>) -> Option<Self> {
        let fault = fault(record.decision);
        let Some(attested) = &record.decision.findings.attestation else {
            // Whose it is, and how old, is not known where it did not do.
            return fault.map(|fault| Self { fault: Some(fault), ..Self::default() });
        };
        let name = record.policy.attestation(attested.by)?.name.as_str();
        Some(Self {
            by: Some(name),
            age: Some(Shows(attested.appraised.age)),
            task: attested.appraised.task.as_deref(),
            proof: attested.proven.then_some(Proof::Dpop.as_str()),
            challenge: attested.challenged,
            fault,
        })
    }
}

/// Why it does for no level, but for what can be seen in what else is logged. Where nothing was asked for, it was looked at
/// for what is only watched.
fn fault(decision: &Decision) -> Option<&str> {
    let reason = match (decision.decided(), &decision.shadow) {
        (Outcome::StepUp(StepUp { reason, .. }), _) => reason,
        (decided, Some(Outcome::StepUp(StepUp { reason, .. }))) if decided.level().is_none() => reason,
        _ => return None,
    };
    match reason {
        Reason::Proof(ProofFault::Missing | ProofFault::ChallengeMissing) => None,
        Reason::Attestation(_) | Reason::Proof(_) => Some(reason.as_str()),
        _ => None,
    }
}
