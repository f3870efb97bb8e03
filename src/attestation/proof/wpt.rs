//! Workload proof tokens (draft-ietf-wimse-wpt §3.1): the URL, and digests of the tokens that go with it.

use super::super::claims::{date, text};
use super::super::json::Object;
use super::{Call, ProofFault, Time, digest, required};

pub(super) fn read(payload: &Object) -> Result<(Call, Time, Option<Box<str>>), ProofFault> {
    let expires = date(payload, "exp")?.ok_or(ProofFault::Malformed)?;
    // Digests of tokens of which nobody here knows where they are: what can't be checked does not pass.
    if payload.contains_key("oth") {
        return Err(ProofFault::Token);
    }
    let call = Call::Target {
        target: required(payload, "aud")?,
        attestation: digest(payload, "wth")?.ok_or(ProofFault::Malformed)?,
        transaction: digest(payload, "tth")?,
    };
    Ok((call, Time::Expires(expires), text(payload, "challenge")?))
}
