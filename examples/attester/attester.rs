//! A small attester: it knows its workloads by a registered credential, and vouches for the key that each instance
//! made for itself.
//!
//! A real one would look at evidence that can't be copied instead (a TPM or TEE quote, a cloud instance's identity
//! document, the orchestrator's word on a pod); what it signs in the end is the same.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use stepgate::clock::{Clock, SystemClock};
use stepgate::mint::{Jwt, PublicJwk, SigningKey, ath, jwks};

/// The claim for it that stepgate looks for (RFC 8417 §2.2), and more than a task's name needs.
const TASK: &str = "txn";
const MAX_TASK_BYTES: usize = 128;

/// Short: a workload asks again, and one that is no longer registered gets no more.
const TTL_SECONDS: u64 = 300;

#[derive(Debug)]
pub struct Attester {
    issuer: String,
    key: SigningKey,
    /// Workloads by the digest of their credential. It is looked up by digest, so that how long that takes tells
    /// nothing about the credentials.
    workloads: HashMap<String, String>,
}

/// What a workload asks for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    jwk: Value,
    /// What the workload is about to do. A real attester would ask whoever runs the workload whether that is so.
    task: Option<String>,
}

type Refusal = (StatusCode, &'static str);

impl Attester {
    /// `workloads` are names with their credentials.
    pub fn new(issuer: &str, key: SigningKey, workloads: impl IntoIterator<Item = (String, String)>) -> Self {
        let workloads = workloads.into_iter().map(|(name, credential)| (ath(&credential), name)).collect();
        Self { issuer: issuer.to_owned(), key, workloads }
    }

    pub fn router(self) -> Router {
        Router::new().route("/attestations", post(vouch)).route("/jwks.json", get(publish)).with_state(Arc::new(self))
    }

    /// The workload that shows this credential.
    fn known(&self, headers: &HeaderMap) -> Option<&str> {
        let credential = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?;
        self.workloads.get(&ath(credential)).map(String::as_str)
    }
}

async fn publish(State(attester): State<Arc<Attester>>) -> Json<Value> {
    Json(jwks([&attester.key]))
}

/// The instance need not prove here that it has the key: an attestation of someone else's key is of no use to it.
async fn vouch(
    State(attester): State<Arc<Attester>>,
    headers: HeaderMap,
    Json(request): Json<Request>,
) -> Result<Json<Value>, Refusal> {
    let workload = attester.known(&headers).ok_or((StatusCode::UNAUTHORIZED, "no such workload"))?;
    if request.jwk.get("d").is_some() {
        return Err((StatusCode::BAD_REQUEST, "this is a private key: it is known to others now, make a new one"));
    }
    let key = PublicJwk::parse(&request.jwk).map_err(|_| (StatusCode::BAD_REQUEST, "not a public JWK"))?;
    let mut jwt = Jwt::attestation(workload, &key).claim("iss", attester.issuer.as_str()).issued(now(), TTL_SECONDS);
    if let Some(task) = request.task {
        jwt = jwt.claim(TASK, named(task)?);
    }
    let attestation = jwt.sign(&attester.key).map_err(|_| (StatusCode::INTERNAL_SERVER_ERROR, "can't sign"))?;
    Ok(Json(json!({ "attestation": attestation, "expires_in": TTL_SECONDS })))
}

/// A name that fits a header: the service behind the API gets it in one.
fn named(task: String) -> Result<String, Refusal> {
    let fits = (1..=MAX_TASK_BYTES).contains(&task.len()) && task.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { Ok(task) } else { Err((StatusCode::BAD_REQUEST, "a task's name is short and visible ASCII")) }
}

fn now() -> u64 {
    SystemClock.now().as_secs()
}
