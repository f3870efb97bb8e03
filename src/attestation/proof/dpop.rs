//! DPoP (RFC 9449 §4): brings its key along, and says method and URL.

use super::super::claims::{date, text};
use super::super::json::Object;
use super::super::jwk::{JwkError, PublicKey, check_public};
use super::super::thumbprint::thumbprint;
use super::{Call, ProofFault, ProofKey, Time, required};

/// The key in its header (§4.3, 7), which must be the expected one; nothing where that is at hand already.
pub(super) fn brought_key(jwk: &Object, expected: &ProofKey<'_>) -> Result<Option<PublicKey>, ProofFault> {
    if thumbprint(jwk).as_ref() != Some(&expected.thumbprint) {
        return Err(ProofFault::Key);
    }
    let read = match expected.key {
        Some(_) => check_public(jwk).map(|()| None),
        None => PublicKey::from_jwk(jwk).map(Some),
    };
    read.map_err(|why| match why {
        JwkError::Unsupported => ProofFault::Algorithm,
        _ => ProofFault::ForbiddenHeader,
    })
}

pub(super) fn read(payload: &Object) -> Result<(Call, Time, Option<Box<str>>), ProofFault> {
    let issued = date(payload, "iat")?.ok_or(ProofFault::Malformed)?;
    let call = Call::Request { method: required(payload, "htm")?, target: required(payload, "htu")?, audience: None };
    Ok((call, Time::Issued(issued), text(payload, "nonce")?))
}
