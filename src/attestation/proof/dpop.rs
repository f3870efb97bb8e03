//! `DPoP` proofs (RFC 9449), which bring their key along.

use super::call::{Http, ProvenCall};
use super::{Object, ProofKey};
use crate::attestation::ProofFault;
use crate::attestation::jose::Header;
use crate::attestation::jwk::{Material, check_public, named_algorithm};
use crate::attestation::thumbprint::thumbprint;
use std::borrow::Cow;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Statement(Http);

impl Statement {
    pub(super) fn read(payload: &Object) -> Result<Self, ProofFault> {
        Http::read(payload).map(Self)
    }

    pub(super) fn is_for(&self, call: &ProvenCall<'_>) -> Result<(), ProofFault> {
        self.0.is_of(call)
    }
}

/// The key that the proof brings along (RFC 9449 §4.3, 5 to 7), if it is the expected one.
pub(super) fn signer<'k>(header: &Header, key: &'k ProofKey) -> Result<Cow<'k, Material>, ProofFault> {
    let jwk = header.key.as_ref().ok_or(ProofFault::Malformed)?;
    if thumbprint(jwk) != Some(key.thumbprint) {
        return Err(ProofFault::Key);
    }
    check_public(jwk)?;
    let tied = [named_algorithm(jwk)?, key.key.as_ref().and_then(|known| known.named_algorithm())];
    let material = match &key.key {
        Some(known) => Cow::Borrowed(known.material()),
        None => Cow::Owned(Material::read(jwk)?),
    };
    let fits = tied.into_iter().flatten().all(|only| only == header.algorithm) && material.fits(header.algorithm);
    if fits { Ok(material) } else { Err(ProofFault::Algorithm) }
}
