//! Proofs in `OAuth-Client-Attestation-PoP` (draft-ietf-oauth-attestation-based-client-auth-10 §5.1 and §7.2).
//!
//! By the draft such a proof is for all that a resource server does. Here it must also name its call, as `DPoP` does:
//! otherwise who reads it could make another call of it.

use super::call::{Http, ProvenCall};
use super::{Object, only_audience};
use crate::attestation::ProofFault;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Statement {
    audience: Box<str>,
    http: Http,
}

impl Statement {
    pub(super) fn read(payload: &Object) -> Result<Self, ProofFault> {
        Ok(Self { audience: only_audience(payload)?, http: Http::read(payload)? })
    }

    /// The audience is the resource's identifier to the letter (RFC 7519 §2, RFC 9728 §3.3).
    pub(super) fn is_for(&self, call: &ProvenCall<'_>) -> Result<(), ProofFault> {
        if *self.audience != *call.origin.as_str() {
            return Err(ProofFault::Target);
        }
        self.http.is_of(call)
    }
}
