//! The proof of a client attestation (draft-ietf-oauth-attestation-based-client-auth §5.2): whom it is for and when it was
//! made. The draft's says nothing of the call; ours has to, in the claims of DPoP, or it would prove any call just as well.

use super::super::claims::{date, text};
use super::super::json::Object;
use super::{Call, ProofFault, Time, required};

pub(super) fn read(payload: &Object) -> Result<(Call, Time, Option<Box<str>>), ProofFault> {
    let issued = date(payload, "iat")?.ok_or(ProofFault::Malformed)?;
    let call = Call::Request {
        method: required(payload, "htm")?,
        target: required(payload, "htu")?,
        // One alone: what is made for several, each of them could show to the others.
        audience: Some(required(payload, "aud")?),
    };
    Ok((call, Time::Issued(issued), text(payload, "challenge")?))
}
