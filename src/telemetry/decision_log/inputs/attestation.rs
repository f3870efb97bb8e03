//! The attestation that was looked at: what it says, or what is wrong with it.

use super::{Scopes, Shows};
use crate::attestation::ProofFault;
use crate::case::ProvenBy;
use crate::decision::{Decision, Outcome, StepUp};
use crate::policy::Attestation;
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
    scopes: Option<Scopes<'a>>,
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
            return fault.map(|fault| Self { fault: Some(fault.as_str()), ..Self::default() });
        };
        let attestation = record.policy.attestation(attested.by)?;
        let name = attestation.name.as_str();
        let scopes = &attested.appraised.scopes;
        Some(Self {
            by: Some(name),
            age: Some(Shows(attested.appraised.age)),
            task: attested.appraised.task.as_deref(),
            scopes: (!scopes.is_empty()).then_some(Scopes(Some(scopes))),
            proof: attested.proof.filter(|_| attested.proven).map(ProvenBy::as_str),
            challenge: attested.challenged,
            fault: fault.filter(|fault| !is_seen(fault, attestation)).map(Reason::as_str),
        })
    }
}

/// Why it does for no level. Where nothing was asked for, it was looked at for what is only watched.
fn fault(decision: &Decision) -> Option<&Reason> {
    let decided = decision.decided();
    let watched = || decision.shadow.as_ref().filter(|_| decided.level().is_none());
    shortfall(decided).or_else(|| watched().and_then(shortfall))
}

const fn shortfall(outcome: &Outcome) -> Option<&Reason> {
    match outcome {
        Outcome::StepUp(StepUp { reason: reason @ (Reason::Attestation(_) | Reason::Proof(_)), .. })
        | Outcome::Deny(reason @ Reason::Attestation(_)) => Some(reason),
        _ => None,
    }
}

/// Whether the fault can be seen in what else is logged. That nothing proves an attestation that needs no proof of some
/// callers can't.
fn is_seen(fault: &Reason, attestation: &Attestation) -> bool {
    match fault {
        Reason::Proof(ProofFault::Missing) => !attestation.may_be_unbound(),
        Reason::Proof(ProofFault::ChallengeMissing) => true,
        _ => false,
    }
}
