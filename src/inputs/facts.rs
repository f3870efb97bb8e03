//! To the facts of a request, as Envoy would bring them.

use super::{GivenCall, Inputs};
use crate::attestation::json::Object;
use crate::reason::Reason;
use crate::request::{
    Body, Headers, Host, Layer, Malformed, McpCall, Metadata, Method, Peer, Readings, RequestFacts, RequestPath,
};
use serde_json::{Value, json};
use std::collections::HashMap;

impl Inputs {
    /// The facts, or why the request can't be judged at all.
    pub fn facts(&self) -> Result<RequestFacts, Malformed> {
        match &self.fault {
            // This one is looked at with the credential.
            Some(Reason::Request(why)) if *why != Malformed::RepeatedAuthorization => return Err(*why),
            _ => {}
        }
        match self.layer {
            Layer::Http => self.request(),
            Layer::Network => self.connection(),
        }
    }

    fn request(&self) -> Result<RequestFacts, Malformed> {
        let headers = self.headers();
        let method = Method::parse(&self.method)?;
        let host = Host::parse(&self.host)?;
        let path = RequestPath::parse(&self.path, method.as_str()).map_err(Malformed::Path)?;
        let body = self.body().map(|body| Body::of_bytes(body.into_bytes(), &headers)).unwrap_or_default();
        Ok(RequestFacts {
            layer: Layer::Http,
            readings: Readings::of(&method, &path, &headers)?,
            method,
            path,
            host,
            headers,
            body,
            asked: self.asks.clone(),
            source: self.source,
            peer: Peer::default(),
            metadata: self.metadata(),
            hints: self.hints.clone(),
        })
    }

    fn connection(&self) -> Result<RequestFacts, Malformed> {
        let host = if self.host.is_empty() { Host::unknown() } else { Host::parse(&self.host)? };
        Ok(RequestFacts::of_connection(self.source, Peer::default(), Metadata::default(), self.hints.clone(), host))
    }

    /// A body is given whole, so its length is what was declared, where nothing else is.
    fn headers(&self) -> Headers {
        let given = self.headers.iter().map(|(name, value)| (name.to_string(), value.as_deref().map(str::to_owned)));
        let mut pairs: Vec<_> = given.collect();
        if let Some(body) = self.body().filter(|_| pairs.iter().all(|(name, _)| name != CONTENT_LENGTH)) {
            pairs.push((CONTENT_LENGTH.to_owned(), Some(body.len().to_string())));
        }
        Headers::apart(pairs, HashMap::new())
    }

    fn body(&self) -> Option<String> {
        self.body.as_deref().map(str::to_owned).or_else(|| Some(self.mcp.as_ref()?.message().to_string()))
    }

    /// As Envoy's `mcp` filter writes it.
    fn metadata(&self) -> Metadata {
        let calls = self.mcp.iter().map(|call| (McpCall::NAMESPACE.into(), call.seen_by_envoy()));
        calls.collect()
    }
}

const CONTENT_LENGTH: &str = "content-length";

impl GivenCall {
    /// The message itself (MCP 2025-11-25, Base Protocol), as far as it is judged.
    fn message(&self) -> Value {
        match (&*self.method, &self.tool) {
            (McpCall::RESPONSE, _) => json!({ "jsonrpc": "2.0", "id": 1, "result": {} }),
            (method, Some(tool)) => {
                json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": { "name": tool } })
            }
            (method, None) => json!({ "jsonrpc": "2.0", "id": 1, "method": method }),
        }
    }

    fn seen_by_envoy(&self) -> Object {
        let mut seen = Object::from_iter([("method".to_owned(), Value::from(&*self.method))]);
        if let Some(tool) = &self.tool {
            seen.insert("params".to_owned(), json!({ "name": tool }));
        }
        seen
    }
}
