//! A `CheckRequest` written as JSON (protobuf's JSON mapping), for people who look at one: names as in the `.proto` file or in
//! camel case, bytes as base64, 64-bit numbers as text. Envoy itself never sends it.

mod metadata;
mod raw;

use envoy_types::pb::envoy::service::auth::v3::CheckRequest;
use serde_json::Value;

/// Why a JSON value is no `CheckRequest`.
#[derive(Debug, thiserror::Error)]
#[error("it is no CheckRequest: {0}")]
pub struct JsonError(#[from] serde_json::Error);

/// Whether a JSON value is meant to be a `CheckRequest`.
pub fn is_check_request(json: &Value) -> bool {
    json.get("attributes").is_some()
}

/// Reads one.
pub fn check_request(json: Value) -> Result<CheckRequest, JsonError> {
    let raw: raw::CheckRequest = serde_json::from_value(json)?;
    Ok(raw.into())
}

#[cfg(test)]
mod tests;
