//! A small MCP server (MCP 2025-06-18, Streamable HTTP, without streams): a ledger with four tools.
//!
//! It asks nobody for proof. Who calls, and for which task, stands in the headers that stepgate sets.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

const TOOLS: [(&str, &str); 4] = [
    ("read_ledger", "What was done, by whom and for which task"),
    ("list_payments", "All payments"),
    ("write_note", "Adds a note to the ledger"),
    ("delete_payment", "Deletes a payment for good"),
];

#[derive(Debug)]
struct Ledger {
    payments: BTreeMap<u64, &'static str>,
    journal: Vec<String>,
}

type Shared = Arc<Mutex<Ledger>>;

pub(crate) fn router() -> Router {
    let payments = BTreeMap::from([
        (8810, "Northwind, 120.00"),
        (8811, "Northwind, 120.00, once more"),
        (8812, "Contoso, 75.50"),
        (8813, "Contoso, 75.50, once more"),
    ]);
    let ledger = Ledger { payments, journal: Vec::new() };
    Router::new().route("/mcp", post(answer)).with_state(Arc::new(Mutex::new(ledger)))
}

async fn answer(State(ledger): State<Shared>, headers: HeaderMap, Json(call): Json<Value>) -> Response {
    let Some(id) = call.get("id") else { return StatusCode::ACCEPTED.into_response() };
    let result = match call.get("method").and_then(Value::as_str) {
        Some("initialize") => json!({
            "protocolVersion": "2025-06-18",
            "capabilities": { "tools": {} },
            "serverInfo": { "name": "ledger", "version": "1" },
        }),
        Some("tools/list") => json!({ "tools": TOOLS.map(|(name, description)| {
            json!({ "name": name, "description": description, "inputSchema": { "type": "object" } })
        }) }),
        Some("tools/call") => {
            let mut ledger = ledger.lock().unwrap_or_else(PoisonError::into_inner);
            let called = ledger.call(&call, &Caller::of(&headers));
            let (is_error, text) = (called.is_err(), called.unwrap_or_else(|why| why));
            json!({ "content": [{ "type": "text", "text": text }], "isError": is_error })
        }
        _ => {
            return Json(
                json!({ "jsonrpc": "2.0", "id": id, "error": { "code": -32601, "message": "no such method" } }),
            )
            .into_response();
        }
    };
    Json(json!({ "jsonrpc": "2.0", "id": id, "result": result })).into_response()
}

impl Ledger {
    fn call(&mut self, call: &Value, caller: &Caller<'_>) -> Result<String, String> {
        let argument = |name: &str| call.pointer(&format!("/params/arguments/{name}"));
        match call.pointer("/params/name").and_then(Value::as_str) {
            Some("read_ledger") => Ok(self.journal.join("\n")),
            Some("list_payments") => Ok(self.listed().join("\n")),
            Some("write_note") => {
                let note = argument("text").and_then(Value::as_str).ok_or("a note has a `text`")?;
                self.journal.push(format!("{note} (a note of {})", caller.principal));
                Ok("noted".to_owned())
            }
            Some("delete_payment") => {
                let id = argument("id").and_then(Value::as_u64).ok_or("a payment has an `id`")?;
                self.payments.remove(&id).ok_or_else(|| format!("there is no payment {id}"))?;
                self.journal.push(format!("{id} deleted by {} for {}", caller.principal, caller.task));
                Ok(format!("deleted {id}"))
            }
            _ => Err("no such tool".to_owned()),
        }
    }

    fn listed(&self) -> Vec<String> {
        self.payments.iter().map(|(id, what)| format!("{id}: {what}")).collect()
    }
}

/// Who calls, in stepgate's words.
struct Caller<'h> {
    principal: &'h str,
    task: &'h str,
}

impl<'h> Caller<'h> {
    fn of(headers: &'h HeaderMap) -> Self {
        let told = |name| headers.get(name).and_then(|value| value.to_str().ok());
        Self {
            principal: told("x-stepgate-principal").unwrap_or("nobody"),
            task: told("x-stepgate-task").unwrap_or("no task"),
        }
    }
}
