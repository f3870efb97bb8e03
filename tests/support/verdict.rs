//! What the gate tells Envoy, in the terms in which it is promised.

use super::Result;
use envoy_types::pb::envoy::config::core::v3::HeaderValueOption;
use envoy_types::pb::envoy::service::auth::v3::check_response::HttpResponse;
use envoy_types::pb::envoy::service::auth::v3::{CheckResponse, DeniedHttpResponse, OkHttpResponse};
use envoy_types::pb::google::protobuf::{Value, value::Kind};
use std::fmt;

#[derive(Debug, Clone, PartialEq)]
pub struct Verdict(pub CheckResponse);

/// A refusal as outside programs see it: HTTP status, the problem's `code`, the `error` of `WWW-Authenticate` (empty
/// where there is none), and the `reason` in the metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub status: i32,
    pub code: String,
    pub error: String,
    pub reason: String,
}

impl Refusal {
    /// One whose `WWW-Authenticate` repeats the code, as every 401 and 403 does that speaks of what the caller showed.
    pub fn new(status: i32, code: &str, reason: &str) -> Self {
        Self { error: code.to_owned(), ..Self::without_error(status, code, reason) }
    }

    pub fn without_error(status: i32, code: &str, reason: &str) -> Self {
        Self { status, code: code.to_owned(), error: String::new(), reason: reason.to_owned() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.status, self.code, self.reason)
    }
}

impl Verdict {
    /// Whether Envoy lets the request through: also for an answer without a status, whatever else it holds.
    pub fn is_allowed(&self) -> bool {
        self.0.status.as_ref().is_none_or(|status| status.code == 0)
    }

    pub fn allowed(&self) -> Result<&OkHttpResponse> {
        match &self.0.http_response {
            Some(HttpResponse::OkResponse(ok)) if self.is_allowed() => Ok(ok),
            _ => Err(format!("not allowed: {self:?}").into()),
        }
    }

    pub fn denied(&self) -> Result<&DeniedHttpResponse> {
        match &self.0.http_response {
            Some(HttpResponse::DeniedResponse(denied)) if !self.is_allowed() => Ok(denied),
            _ => Err(format!("not denied: {self:?}").into()),
        }
    }

    /// An error where the request was allowed.
    pub fn refusal(&self) -> Result<Refusal> {
        let denied = self.denied()?;
        let challenged = value(&denied.headers, "www-authenticate").unwrap_or_default();
        let error = challenged.split_once("error=\"").and_then(|(_, rest)| rest.split('"').next());
        Ok(Refusal {
            status: denied.status.as_ref().map_or(0, |status| status.code),
            code: self.problem()?.get("code").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned(),
            error: error.unwrap_or_default().to_owned(),
            reason: self.metadata("reason").to_owned(),
        })
    }

    /// The body of a denied answer.
    pub fn problem(&self) -> Result<serde_json::Value> {
        Ok(serde_json::from_str(&self.denied()?.body)?)
    }

    /// One text of the dynamic metadata.
    pub fn metadata(&self, name: &str) -> &str {
        let fields = self.0.dynamic_metadata.as_ref().map(|metadata| &metadata.fields);
        match fields.and_then(|fields| fields.get(name)) {
            Some(Value { kind: Some(Kind::StringValue(text)) }) => text,
            _ => "",
        }
    }

    /// The decision and its reason.
    pub fn said(&self) -> (&str, &str) {
        (self.metadata("decision"), self.metadata("reason"))
    }

    /// The challenge that came along, on either kind of answer.
    pub fn challenge(&self) -> Option<&str> {
        let headers = match &self.0.http_response {
            Some(HttpResponse::OkResponse(ok)) => &ok.response_headers_to_add,
            Some(HttpResponse::DeniedResponse(denied)) => &denied.headers,
            _ => return None,
        };
        value(headers, "oauth-client-attestation-challenge")
    }
}

/// The value of a header in an answer.
pub fn value<'h>(headers: &'h [HeaderValueOption], name: &str) -> Option<&'h str> {
    let headers = headers.iter().filter_map(|option| option.header.as_ref());
    headers.into_iter().find(|header| header.key == name).map(|header| header.value.as_str())
}
