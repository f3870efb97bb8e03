//! The call that a proof must be for.

use super::{Object, required};
use crate::attestation::{ProofFault, Thumbprint};
use crate::policy::Origin;
use crate::request::{Method, RequestPath, path};

#[derive(Clone, Copy, Debug)]
pub struct ProvenCall<'c> {
    pub method: &'c Method,
    pub path: &'c RequestPath,
    pub origin: &'c Origin,
    /// The digest of the access token that came along.
    pub access_token: Option<Thumbprint>,
    /// The digest of the attestation that came along.
    pub attestation: Option<Thumbprint>,
    /// The digest of what came along in `Txn-Token` (draft-ietf-oauth-transaction-tokens).
    pub transaction_token: Option<Thumbprint>,
}

/// Method and target, as `DPoP` names them (RFC 9449 §4.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Http {
    method: Box<str>,
    target: Box<str>,
}

impl Http {
    pub(super) fn read(payload: &Object) -> Result<Self, ProofFault> {
        Ok(Self { method: required(payload, "htm")?, target: required(payload, "htu")? })
    }

    /// RFC 9449 §4.3, 8 and 9.
    pub(super) fn is_of(&self, call: &ProvenCall<'_>) -> Result<(), ProofFault> {
        if *self.method != *call.method.as_str() {
            return Err(ProofFault::Method);
        }
        if call.is_at(&self.target) { Ok(()) } else { Err(ProofFault::Target) }
    }
}

impl ProvenCall<'_> {
    /// Compared without query and fragment, after normalization (RFC 9449 §4.3, RFC 3986 §6.2.2 and §6.2.3).
    pub(super) fn is_at(&self, target: &str) -> bool {
        let Ok((origin, rest)) = Origin::split_from(target) else {
            return false;
        };
        let end = rest.find(['?', '#']).unwrap_or(rest.len());
        let named = match rest.get(..end) {
            None | Some("") => "/",
            Some(named) => named,
        };
        let Ok(canonical) = path::canonical_path(named) else {
            return false;
        };
        origin == *self.origin && canonical.as_deref().unwrap_or(named) == self.path.canonical()
    }
}
