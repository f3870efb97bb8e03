//! `POST /v1/events`: Security Event Tokens as RFC 8935 has them pushed. Who sends one is known by its signature, so that
//! transmitters need no operator's token.

use super::control::bounded;
use super::pace::Pace;
use super::problems::{TOO_LARGE, answer, json, method_not_allowed, not_found, refuse};
use super::serve::{Peer, serve_pages};
use crate::clock::{Clock, SystemClock};
use crate::event::{self, EventType, Received, Refused};
use crate::problem::Problem;
use crate::server::Snapshot;
use crate::store::Ledger;
use crate::time::UnixTime;
use arc_swap::ArcSwap;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Extension, Router};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use std::sync::Arc;
use tokio::net::TcpListener;

/// What events are judged by, and where what follows from them goes.
#[derive(Debug)]
pub struct Receiver {
    snapshot: Arc<ArcSwap<Snapshot>>,
    ledger: Arc<Ledger>,
    pace: Pace,
}

/// RFC 8935 §2.3.
#[derive(Serialize)]
struct Fault<'a> {
    err: &'a str,
    description: String,
}

/// Why a push fails.
enum Failed {
    ContentType,
    Token(Refused),
    /// In force here, and nowhere else yet.
    NotKept,
}

const EVENTS_OFF: Problem = Problem::new(
    403,
    "events_off",
    "No events are received",
    "Name `transmitters` and `audiences` in the `events` of the policy to receive them.",
);
const KEYS_AWAY: Problem = Problem::new(
    503,
    "keys_away",
    "Keys are away",
    "The issuer's keys can't be had at the moment. Send the event again later.",
);
const NOT_KEPT: Problem = Problem::new(
    503,
    "state_away",
    "Not kept yet",
    "The event is in force in this replica, and not kept or shared yet. Send it again later.",
);
/// When a transmitter may try again what is away now.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("10");
/// RFC 8417 §7.1.
const CONTENT_TYPE: &str = "application/secevent+jwt";

/// Receives events until `shutdown`, and answers nothing else: for a listener that transmitters reach and operators don't
/// need.
pub async fn serve(listener: TcpListener, receiver: Arc<Receiver>, shutdown: impl Future<Output = ()>) {
    serve_pages(listener, page(receiver).fallback(not_found), shutdown).await;
}

/// The page alone, for a listener that has others.
pub(super) fn page<S: Clone + Send + Sync + 'static>(receiver: Arc<Receiver>) -> Router<S> {
    Router::new()
        .route("/v1/events", post(push))
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn(bounded))
        .with_state(receiver)
}

async fn push(
    State(receiver): State<Arc<Receiver>>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let Ok(body) = body else { return refuse(&TOO_LARGE) };
    receiver.pace.keep().await;
    let pushed = if is_event(&headers) { receiver.take(&body).await } else { Err(Failed::ContentType) };
    match pushed {
        Ok(()) => (StatusCode::ACCEPTED, [(header::CACHE_CONTROL, "no-store")]).into_response(),
        Err(failed) => {
            receiver.note(&failed, peer.map(|Extension(peer)| peer));
            failed.into_response()
        }
    }
}

/// RFC 8935 §2.1; parameters change nothing.
fn is_event(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let (value, alone) = (values.next().and_then(|value| value.to_str().ok()), values.next().is_none());
    let essence = value.and_then(|value| value.split(';').next()).unwrap_or_default();
    alone && essence.trim().eq_ignore_ascii_case(CONTENT_TYPE)
}

impl Receiver {
    pub fn new(snapshot: Arc<ArcSwap<Snapshot>>, ledger: Arc<Ledger>) -> Self {
        Self { snapshot, ledger, pace: Pace::default() }
    }

    /// Takes a token, and has what follows from it kept before anybody is told that it was taken.
    async fn take(&self, body: &[u8]) -> Result<(), Failed> {
        let now = SystemClock.now();
        let received = self.read(body, now)?;
        let known = received.revocations.iter().filter(|one| self.ledger.knows(&one.id)).count();
        log(&received, known);
        if received.revocations.is_empty() {
            return Ok(());
        }
        // Also where it is known: it may not be kept yet.
        self.ledger.revoke(received.revocations, now).await.map_err(|_| Failed::NotKept)
    }

    fn read(&self, body: &[u8], now: UnixTime) -> Result<Received, Failed> {
        let token = std::str::from_utf8(body).map_err(|_| Refused::Malformed)?;
        let snapshot = self.snapshot.load();
        Ok(event::receive(token, &snapshot.policy, &snapshot.keyring, &self.ledger.revocations(), now)?)
    }

    /// Says it if there was silence for a while. What is away is nobody's guess.
    fn note(&self, failed: &Failed, peer: Option<Peer>) {
        let Some(others) = self.pace.note(failed.fault().is_some()) else { return };
        let peer = peer.map(|Peer(address)| tracing::field::display(address));
        tracing::warn!(peer, reason = failed.reason(), others, "a security event was not taken");
    }
}

/// Nothing of the token but what names it; both are texts of somebody else's.
fn log(received: &Received, known: usize) {
    let events: Vec<_> = received.events.iter().map(EventType::as_str).collect();
    let (transmitter, id, revocations) = (&received.transmitter, &received.id, received.revocations.len());
    tracing::info!(%transmitter, id = ?id, events = events.join(" "), revocations, known, "security event received");
}

impl Failed {
    /// The word and the text for a fault of the token's; nothing where it has none.
    fn fault(&self) -> Option<Fault<'static>> {
        let (err, description) = match self {
            Self::ContentType => ("invalid_request", format!("the content type must be {CONTENT_TYPE}")),
            Self::Token(refused) => (refused.code()?, refused.to_string()),
            Self::NotKept => return None,
        };
        Some(Fault { err, description })
    }

    fn reason(&self) -> String {
        match (self.fault(), self) {
            (Some(fault), _) => fault.description,
            (None, Self::Token(refused)) => refused.to_string(),
            (None, _) => NOT_KEPT.detail.to_string(),
        }
    }
}

impl From<Refused> for Failed {
    fn from(refused: Refused) -> Self {
        Self::Token(refused)
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        if let Some(fault) = self.fault() {
            let mut response = answer(StatusCode::BAD_REQUEST, "application/json", json(&fault));
            response.headers_mut().insert(header::CONTENT_LANGUAGE, HeaderValue::from_static("en"));
            return response;
        }
        if matches!(self, Self::Token(Refused::Off)) {
            return refuse(&EVENTS_OFF);
        }
        let problem = if matches!(self, Self::NotKept) { NOT_KEPT } else { KEYS_AWAY };
        let mut response = refuse(&problem);
        response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER_SECONDS);
        response
    }
}
