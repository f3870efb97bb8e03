//! The control API: what is in force, what was decided, what is revoked and granted, under a token of an operator's.
//!
//! The inventory will stand here too; until then its path is not found.

use super::access::{Access, journal, let_in};
use super::events::Receiver;
use super::grants::{break_glass, end_grant, grants};
use super::problems::{BAD_LIMIT, TIMED_OUT, TOO_LARGE, json, json_answer, method_not_allowed, not_found, refuse};
use super::revocations::{revocations, revoke};
use super::tokens::AdminTokens;
use crate::clock::Clock;
use crate::revocation::{Revocation, RevocationId};
use crate::server::Snapshot;
use crate::store::{Ledger, NoRandomness, NotKept};
use crate::telemetry::{LatestDecisions, Metrics};
use crate::time::UnixTime;
use arc_swap::{ArcSwap, ArcSwapOption};
use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::{any, delete, get};
use http_body_util::Limited;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// What the control API speaks of.
#[derive(Clone)]
pub struct Control {
    pub tokens: Arc<ArcSwap<AdminTokens>>,
    pub snapshot: Arc<ArcSwap<Snapshot>>,
    /// What was said of the changed policy that is not in force; nothing where what the files hold is.
    pub last_error: LastError,
    pub decisions: Arc<LatestDecisions>,
    pub ledger: Arc<Ledger>,
    pub clock: Arc<dyn Clock>,
    pub events: Arc<Receiver>,
}

/// Shared by who reloads and who tells of it.
pub type LastError = Arc<ArcSwapOption<String>>;

/// The answer of `/v1/policy`.
#[derive(Serialize)]
struct PolicyInForce<'a> {
    hash: &'a str,
    loaded_at: String,
    files: Vec<Cow<'a, str>>,
    last_error: Option<&'a str>,
}

/// The query of `/v1/decisions`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    limit: Option<usize>,
}

/// What is sent here is a few names and numbers.
const MAX_BODY_BYTES: u64 = 64 * 1024;
/// For all of a request that is on its way, and for what is done about it.
const PATIENCE: Duration = Duration::from_secs(10);
/// Where nobody says how many decisions.
const DEFAULT_LIMIT: usize = 100;

/// The pages under `/v1/`, and who may see them: what has no page is only told to those who may.
pub(super) fn api<S: Clone + Send + Sync + 'static>(control: Control, metrics: Arc<Metrics>) -> Router<S> {
    let access = Arc::new(Access::new(Arc::clone(&control.tokens), metrics));
    Router::new()
        .route("/v1/policy", get(policy))
        .route("/v1/decisions", get(decisions))
        .route("/v1/revocations", get(revocations).post(revoke))
        .route("/v1/grants", get(grants).post(break_glass))
        .route("/v1/grants/{id}", delete(end_grant))
        .route("/v1/", any(not_found))
        .route("/v1/{*rest}", any(not_found))
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn(bounded))
        .layer(from_fn(journal))
        .layer(from_fn_with_state(access, let_in))
        .with_state(control)
}

async fn policy(State(control): State<Control>) -> Response {
    let (snapshot, last_error) = (control.snapshot.load(), control.last_error.load());
    json_answer(json(&PolicyInForce {
        hash: &snapshot.policy.hash,
        loaded_at: rfc_3339(snapshot.loaded_at),
        files: snapshot.files.iter().map(|file| file.to_string_lossy()).collect(),
        last_error: last_error.as_ref().map(|said| said.as_str()),
    }))
}

async fn decisions(State(control): State<Control>, wanted: Result<Query<Wanted>, QueryRejection>) -> Response {
    let Some(limit) = wanted.ok().and_then(|Query(wanted)| wanted.limit()) else { return refuse(&BAD_LIMIT) };
    let lines = control.decisions.newest(limit).join(",");
    json_answer(format!(r#"{{"decisions":[{lines}]}}"#))
}

impl Control {
    /// Has these in force, kept and shared, also where the operator hangs up meanwhile.
    pub(super) async fn revoke(&self, revocations: Vec<Revocation>) -> Result<(), NotKept> {
        let (ledger, now) = (Arc::clone(&self.ledger), self.clock.now());
        tokio::spawn(async move { ledger.revoke(revocations, now).await }).await.unwrap_or(Err(NotKept))
    }
}

impl Wanted {
    fn limit(&self) -> Option<usize> {
        let limit = self.limit.unwrap_or(DEFAULT_LIMIT);
        (1..=LatestDecisions::MAX_LINES).contains(&limit).then_some(limit)
    }
}

/// No request is longer than it need be, or takes longer.
pub(super) async fn bounded(request: Request, next: Next) -> Response {
    if request.body().size_hint().lower() > MAX_BODY_BYTES {
        return refuse(&TOO_LARGE);
    }
    let limit = usize::try_from(MAX_BODY_BYTES).unwrap_or(usize::MAX);
    let request = request.map(|body| Body::new(Limited::new(body, limit)));
    timeout(PATIENCE, next.run(request)).await.unwrap_or_else(|_| refuse(&TIMED_OUT))
}

/// 128 bits, so that nobody meets another's and nobody guesses one.
pub(super) fn random_id() -> Result<RevocationId, NoRandomness> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| NoRandomness)?;
    RevocationId::parse(&format!("{:032x}", u128::from_be_bytes(bytes))).map_err(|_| NoRandomness)
}

pub(super) fn rfc_3339(time: UnixTime) -> String {
    let time = i64::try_from(time.as_secs()).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    time.unwrap_or(Timestamp::MAX).to_string()
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Bytes;
    use axum::routing::post;
    use http_body::Frame;
    use hyper::service::Service;
    use hyper_util::service::TowerToHyperService;
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    /// A body that does not say how long it is.
    enum Unannounced {
        Endless,
        Silent,
    }

    impl HttpBody for Unannounced {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            match *self {
                Self::Endless => Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b'x'; 1_024]))))),
                Self::Silent => Poll::Pending,
            }
        }
    }

    /// What a page answers that reads all of its request.
    async fn status_for(body: Body) -> u16 {
        let page = post(|body: Bytes| async move { drop(body) });
        let service = TowerToHyperService::new(Router::new().route("/", page).layer(from_fn(bounded)));
        service.call(Request::post("/").body(body).unwrap()).await.unwrap().status().as_u16()
    }

    #[tokio::test(start_paused = true)]
    async fn requests_are_bounded_in_bytes_and_in_time() {
        assert_eq!(status_for(Body::from(vec![b'x'; 65_536])).await, 200);
        assert_eq!(status_for(Body::from(vec![b'x'; 65_537])).await, 413);
        assert_eq!(status_for(Body::new(Unannounced::Endless)).await, 413);
        assert_eq!(status_for(Body::new(Unannounced::Silent)).await, 408);
    }

    #[test]
    fn limits_are_from_1_to_1000() {
        let limit = |limit| Wanted { limit }.limit();
        assert_eq!([None, Some(1), Some(1_000)].map(limit), [Some(100), Some(1), Some(1_000)]);
        assert_eq!([Some(0), Some(1_001), Some(usize::MAX)].map(limit), [None; 3]);
    }

    #[test]
    fn times_are_written_in_utc() {
        assert_eq!(rfc_3339(UnixTime::from_secs(1_800_000_000)), "2027-01-15T08:00:00Z");
        assert_eq!(rfc_3339(UnixTime::from_secs(u64::MAX)), Timestamp::MAX.to_string());
    }
}
