//! Workload proof tokens (draft-ietf-wimse-wpt-01 §2).

use super::call::ProvenCall;
use super::{Object, digest, only_audience};
use crate::attestation::{ProofFault, Thumbprint};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Statement {
    audience: Box<str>,
    /// `wth`: over the workload identity token.
    attestation: Thumbprint,
    /// `tth`: over the transaction token.
    transaction_token: Option<Thumbprint>,
}

impl Statement {
    /// `oth` names other tokens. None is understood here, and then the proof must be refused.
    pub(super) fn read(payload: &Object) -> Result<Self, ProofFault> {
        if payload.contains_key("oth") {
            return Err(ProofFault::Token);
        }
        Ok(Self {
            audience: only_audience(payload)?,
            attestation: digest(payload, "wth", ProofFault::Attestation)?.ok_or(ProofFault::Malformed)?,
            transaction_token: digest(payload, "tth", ProofFault::Token)?,
        })
    }

    pub(super) fn is_for(&self, call: &ProvenCall<'_>) -> Result<(), ProofFault> {
        if !call.is_at(&self.audience) {
            return Err(ProofFault::Target);
        }
        if call.attestation != Some(self.attestation) {
            return Err(ProofFault::Attestation);
        }
        if self.transaction_token == call.transaction_token { Ok(()) } else { Err(ProofFault::Token) }
    }
}
