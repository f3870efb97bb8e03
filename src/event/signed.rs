//! Whose token it is: its type, its issuer among the transmitters, and a signature under that issuer's key.

use super::Refused;
use crate::attestation::claims::{date, text};
use crate::attestation::jose::Compact;
use crate::attestation::json::Object;
use crate::attestation::{Keyring, TokenFault};
use crate::policy::{Events, Issuer, Policy};
use crate::revocation::Revocations;
use crate::time::UnixTime;

/// A token that a transmitter signed.
pub(super) struct Signed<'p> {
    pub transmitter: &'p Issuer,
    pub issuer: Box<str>,
    pub payload: Object,
}

/// It comes as a body and not in a header, with texts for people in several languages.
pub const MAX_TOKEN_BYTES: usize = 64 * 1024;

/// RFC 8417 §2.3; with it, no other token passes for this one, and this one for no other.
const MEDIA_TYPE: &str = "secevent+jwt";

impl<'p> Signed<'p> {
    pub(super) fn open(
        token: &str,
        policy: &'p Policy,
        receiver: &Events,
        keyring: &Keyring,
        revoked: &Revocations,
    ) -> Result<Self, Refused> {
        let compact = Compact::parse_up_to(token, MAX_TOKEN_BYTES)?;
        if compact.header.key.is_some() {
            return Err(Refused::ForbiddenHeader);
        }
        if compact.header.media_type.as_deref() != Some(MEDIA_TYPE) {
            return Err(Refused::Type);
        }
        let issuer = text(&compact.payload, "iss")?.ok_or(Refused::Issuer)?;
        let (id, transmitter) = receiver.transmitter(policy, &issuer).ok_or(Refused::Issuer)?;
        let algorithm = compact.header.algorithm;
        if !transmitter.algorithms.contains(&algorithm) {
            return Err(Refused::Algorithm);
        }
        let keys = keyring.of(id).ok_or(Refused::KeysAway)?;
        let key = keys.find(compact.header.key_id.as_deref(), algorithm, None).ok_or(Refused::Key)?;
        // A key that came back signs again, from then on.
        let at = date(&compact.payload, "iat").ok().flatten().unwrap_or(UnixTime::from_secs(0));
        if revoked.key_epoch(&key.thumbprint) >= Some(at) {
            return Err(Refused::Key);
        }
        if !key.verifies(algorithm, compact.signing_input().as_bytes(), compact.signature()) {
            return Err(Refused::Signature);
        }
        Ok(Self { transmitter, issuer, payload: compact.payload })
    }
}

impl From<TokenFault> for Refused {
    fn from(fault: TokenFault) -> Self {
        match fault {
            TokenFault::Algorithm => Self::Algorithm,
            TokenFault::ForbiddenHeader => Self::ForbiddenHeader,
            _ => Self::Malformed,
        }
    }
}
