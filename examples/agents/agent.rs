//! The agent's side of MCP: JSON-RPC calls over HTTP. That a call may be challenged is the client's business
//! (`../client/step_up.rs`), and nothing that the agent has to know.

use super::step_up::{Body, StepUpClient};
use super::support::Result;
use super::support::answer::Answer;
use reqwest::Method;
use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use serde_json::{Value, json};

pub(crate) const MCP: &str = "/mcp";

#[derive(Debug)]
pub(crate) struct Agent {
    client: StepUpClient,
    last_id: u64,
}

impl Agent {
    pub(crate) const fn new(client: StepUpClient) -> Self {
        Self { client, last_id: 0 }
    }

    pub(crate) async fn tool(&mut self, name: &str, arguments: &Value) -> Result<Answer> {
        self.call("tools/call", &json!({ "name": name, "arguments": arguments })).await
    }

    pub(crate) async fn call(&mut self, method: &str, params: &Value) -> Result<Answer> {
        self.last_id += 1;
        let message = Body::Json(message(self.last_id, method, params));
        Answer::read(self.client.call_with(Method::POST, MCP, Some(&message)).await?).await
    }
}

pub(crate) fn message(id: u64, method: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

/// What every client of MCP has to send (MCP 2025-06-18, Transports), and Envoy's filter looks for.
pub(crate) fn accepting() -> HeaderMap {
    HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"))])
}

/// The text that a tool answered with.
pub(crate) fn text(answer: &Answer) -> Result<String> {
    let answer = answer.json()?;
    let text = answer.pointer("/result/content/0/text").and_then(Value::as_str);
    text.map(str::to_owned).ok_or_else(|| format!("no tool's answer: {answer}").into())
}
