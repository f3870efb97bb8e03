//! The protected service: it answers 200 to everything, and remembers what reached it.

use super::Result;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::Json;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

#[derive(Debug)]
pub struct Upstream {
    pub address: SocketAddr,
    seen: Seen,
    server: JoinHandle<()>,
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
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let seen = Seen::default();
        let app = Router::new().fallback(receive).with_state(Arc::clone(&seen));
        let server = tokio::spawn(async move {
            // It ends when it is aborted; a failure shows as Envoy's 503.
            let _ = axum::serve(listener, app).await;
        });
        Ok(Self { address, seen, server })
    }

    /// All that reached it so far.
    pub fn received(&self) -> Vec<Received> {
        lock(&self.seen).clone()
    }

    pub fn last(&self) -> Result<Received> {
        lock(&self.seen).last().cloned().ok_or_else(|| "nothing reached the upstream".into())
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Received {
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

async fn receive(State(seen): State<Seen>, request: Request) -> Json<Value> {
    let (head, _) = request.into_parts();
    let received = Received { method: head.method.to_string(), path: head.uri.to_string(), headers: head.headers };
    let answer = json!({ "path": received.path, "stepgate": received.headers_with("x-stepgate-") });
    lock(&seen).push(received);
    Json(answer)
}

fn lock(seen: &Seen) -> std::sync::MutexGuard<'_, Vec<Received>> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}
