//! A request in a file: the inputs of a decision, with or without the line of the log around them, or a `CheckRequest`.

use super::Failure;
use crate::attestation::json::Object;
use crate::config;
use crate::ext_authz::json::{check_request, is_check_request};
use crate::inputs::Inputs;
use crate::time::UnixTime;
use envoy_types::pb::envoy::service::auth::v3::CheckRequest;
use serde_json::Value;
use std::fs;
use std::io::{self, Read};
use std::path::Path;

pub(super) enum Given {
    Inputs(Box<Inputs>),
    CheckRequest(Box<CheckRequest>),
}

/// Reads a request, and when it came where that stands beside it.
pub(super) fn read(path: &Path) -> Result<(Given, Option<UnixTime>), Failure> {
    let file = |source| Failure::File { path: path.to_owned(), source };
    let text = if path.as_os_str() == "-" { stdin() } else { fs::read_to_string(path) }.map_err(file)?;
    let json: Value = serde_json::from_str(&text).map_err(|source| Failure::Json { path: path.to_owned(), source })?;
    if is_check_request(&json) {
        let check = check_request(json).map_err(|source| Failure::CheckRequest { path: path.to_owned(), source })?;
        let at = sent_at(&check);
        return Ok((Given::CheckRequest(Box::new(check)), at));
    }
    let Value::Object(object) = json else { return Err(Failure::NoObject { path: path.to_owned() }) };
    let (inputs, at) = match (object.get("inputs"), object.get("time")) {
        (Some(Value::Object(inputs)), time) => (inputs, time.and_then(Value::as_str).and_then(config::moment)),
        _ => (&object, None),
    };
    Ok((Given::Inputs(Box::new(given(inputs, path)?)), at))
}

fn given(inputs: &Object, path: &Path) -> Result<Inputs, Failure> {
    Inputs::from_json(inputs, path).map_err(|problems| Failure::Request { path: path.to_owned(), problems })
}

fn stdin() -> io::Result<String> {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text)?;
    Ok(text)
}

fn sent_at(check: &CheckRequest) -> Option<UnixTime> {
    let time = check.attributes.as_ref()?.request.as_ref()?.time?;
    u64::try_from(time.seconds).ok().map(UnixTime::from_secs)
}
