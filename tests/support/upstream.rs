//! The protected service, and all that reached it.

use super::Result;
use super::serving::Serving;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Json, Response};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

#[derive(Debug)]
pub struct Upstream {
    pub address: SocketAddr,
    seen: Seen,
    _serving: Serving,
}

/// One request as the service got it.
#[derive(Debug, Clone)]
pub struct Received {
    pub method: String,
    pub path: String,
    pub headers: HeaderMap,
}

type Seen = Arc<Mutex<Vec<Received>>>;

impl Upstream {
    pub async fn start(service: Router) -> Result<Self> {
        let seen = Seen::default();
        let serving = Serving::start(service.layer(from_fn_with_state(Arc::clone(&seen), remember))).await?;
        Ok(Self { address: serving.address, seen, _serving: serving })
    }

    /// All that reached it so far.
    pub fn received(&self) -> Vec<Received> {
        lock(&self.seen).clone()
    }

    pub fn last(&self) -> Result<Received> {
        lock(&self.seen).last().cloned().ok_or_else(|| "nothing reached the upstream".into())
    }
}

/// A service that answers 200 to everything.
pub fn agreeable() -> Router {
    Router::new().fallback(agree)
}

impl Received {
    fn of(request: &Request) -> Self {
        let (method, path) = (request.method().to_string(), request.uri().to_string());
        Self { method, path, headers: request.headers().clone() }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The headers whose names begin so, in order, each as `name: value`.
    pub fn headers_with(&self, prefix: &str) -> Vec<String> {
        let mut found: Vec<_> = self.headers.iter().filter(|(name, _)| name.as_str().starts_with(prefix)).collect();
        found.sort_by_key(|(name, _)| name.as_str());
        found.into_iter().map(|(name, value)| format!("{name}: {}", value.as_bytes().escape_ascii())).collect()
    }
}

async fn remember(State(seen): State<Seen>, request: Request, next: Next) -> Response {
    lock(&seen).push(Received::of(&request));
    next.run(request).await
}

async fn agree(request: Request) -> Json<Value> {
    let received = Received::of(&request);
    Json(json!({ "path": received.path, "stepgate": received.headers_with("x-stepgate-") }))
}

fn lock(seen: &Seen) -> std::sync::MutexGuard<'_, Vec<Received>> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}
