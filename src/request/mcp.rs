//! Which MCP call a request makes, as Envoy's `mcp` filter tells it and nothing else of the request contradicts. Which
//! routes a call takes is the business of the policy.
//!
//! An attacker wants the filter to see a harmless tool, and the server another. Of what he can send,
//! - Envoy 1.40 tells in the metadata, or refuses with `REJECT_NO_MCP`: a batch, even of one; a body that is compressed, cut,
//!   too large or no JSON; bytes behind the call in the same packet; with `reject_duplicate_keys`, duplicate members;
//! - the metadata shows, and is [`McpCall::Unclear`] here: a tool's name that is no text or no plain name; a call with a
//!   `result`, which the filter takes for a response;
//! - the headers show: a charset or an encoding in which the body says something else, an `mcp-name` of another tool;
//! - only the body shows, so Envoy should send it along (`with_request_body`): `Name` beside `name`, which many servers in Go
//!   take for the same; a call behind the call in a later packet; duplicate members where the filter lets them pass.
//!
//! An Envoy that reads calls out of headers (`attribute_source: HEADERS`) and sends no body shows only what the caller says.

mod message;

use super::{Body, Headers, Occurrence, RequestFacts};
use crate::attestation::json::Object;
use serde_json::Value;

/// What a request is known to call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum McpCall<'a> {
    /// Exactly one call, or the client's [response](Self::RESPONSE) to one of the server.
    One {
        method: &'a str,
        /// Always there for `tools/call`, and only there.
        tool: Option<&'a str>,
    },
    /// Any call, many, or none.
    Unclear,
}

/// Longer than any method of MCP, and the longest name that a tool should have (MCP 2025-11-25, Tools).
const MAX_NAME_BYTES: usize = 128;

impl<'a> McpCall<'a> {
    /// Under this name Envoy's filter writes what it saw.
    pub const NAMESPACE: &'static str = "envoy.filters.http.mcp";
    /// What the filter calls a message with a result instead of a method.
    pub const RESPONSE: &'static str = "__jsonrpc_response";

    pub fn of(facts: &'a RequestFacts) -> Self {
        Self::read(facts.metadata.namespace(Self::NAMESPACE), &facts.headers, &facts.body)
    }

    fn read(metadata: Option<&'a Object>, headers: &Headers, body: &Body) -> Self {
        let call = metadata.and_then(told).filter(|call| call.agrees_with(headers) && call.is_all_of(body));
        call.map_or(Self::Unclear, |Told { method, tool }| Self::One { method, tool })
    }
}

/// One message as the filter tells of it.
#[derive(Clone, Copy, Debug)]
struct Told<'a> {
    method: &'a str,
    tool: Option<&'a str>,
}

/// Nothing where the filter found something amiss, or no names that every server reads alike.
fn told(filter: &Object) -> Option<Told<'_>> {
    let amiss = ["passthrough_reason", "is_exceeding_limit"].iter().any(|member| filter.contains_key(*member));
    let good = [("is_mcp_request", Value::from(true)), ("status", "mcp_ok".into()), ("jsonrpc", "2.0".into())];
    if amiss || good.iter().any(|(member, good)| filter.get(*member).is_some_and(|value| value != good)) {
        return None;
    }
    let method = plain(filter.get("method"))?;
    let tool = if method == message::TOOLS_CALL { Some(plain(filter.get("params")?.get("name"))?) } else { None };
    Some(Told { method, tool })
}

/// A name without white space, control characters or look-alikes: servers trim, cut or normalise those.
fn plain(value: Option<&Value>) -> Option<&str> {
    let fits = |name: &&str| (1..=MAX_NAME_BYTES).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_graphic());
    value?.as_str().filter(fits)
}

impl Told<'_> {
    fn agrees_with(&self, headers: &Headers) -> bool {
        let says = |name, own| match headers.occurrence(name) {
            Occurrence::Absent => true,
            Occurrence::Once(value) => value == own,
            Occurrence::Repeated | Occurrence::Unreadable => false,
        };
        // MCP 2026-07-28 has method and name in headers too, and servers may go by these.
        let named = says("mcp-method", self.method) && self.tool.is_none_or(|tool| says("mcp-name", tool));
        named && says("content-encoding", "identity") && is_read_as_utf8(headers)
    }

    /// Whether it is the only message in the body, as far as a body came.
    fn is_all_of(&self, body: &Body) -> bool {
        match body {
            // The filter takes a call with a result for a response, and servers for a call.
            Body::Absent => self.method != McpCall::RESPONSE,
            Body::Whole(bytes) => message::is_only(bytes, self.method, self.tool),
            Body::Truncated | Body::Altered => false,
        }
    }
}

/// The filter reads UTF-8 whatever `charset` says; servers that decode first read something else.
fn is_read_as_utf8(headers: &Headers) -> bool {
    let is_utf8 = |parameter: &str| {
        ["charset=utf-8", "charset=\"utf-8\""].iter().any(|good| parameter.eq_ignore_ascii_case(good))
    };
    match headers.occurrence("content-type") {
        Occurrence::Absent => true,
        Occurrence::Once(value) => {
            let mut parts = value.split(';').map(str::trim);
            parts.next() == Some("application/json") && parts.all(is_utf8)
        }
        Occurrence::Repeated | Occurrence::Unreadable => false,
    }
}

#[cfg(test)]
mod tests;
