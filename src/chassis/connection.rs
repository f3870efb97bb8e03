//! One HTTP/2 connection, from its first byte to its end.

use super::authorize::Authorize;
use super::budget::Budget;
use super::check;
use super::executor::AtOnce;
use super::grpc::Status;
use super::health::Health;
use super::in_flight::InFlight;
use super::limits::Limits;
use super::reply::Reply;
use super::wire::Wire;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::TokioTimer;
use std::convert::Infallible;
use std::future::{pending, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

const CHECK: &str = "/envoy.service.auth.v3.Authorization/Check";
const HEALTH: &str = "/grpc.health.v1.Health/";

/// An Envoy worker sends all its calls over one connection and opens another only when this many wait on it.
const MAX_STREAMS: u32 = 1024;

/// A message of the usual 3 kB never waits for the window, nor do the calls of `MAX_STREAMS` together.
const STREAM_WINDOW: u32 = 1024 * 1024;
const CONNECTION_WINDOW: u32 = 16 * 1024 * 1024;

/// The client's headers travel in the message, but Envoy copies `tracestate` and `baggage` into the call's own, and a
/// call refused for its size is a gRPC error. So: as much as Envoy takes from a client (`max_request_headers_kb`).
const MAX_HEADER_LIST: u32 = 60 * 1024;

/// A peer that vanished without a word is found within the sum of both.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(30);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(20);

/// How long a connection that was never used may stay when it is to end: enough for a request that is already on its way.
const PARTING: Duration = Duration::from_secs(1);

/// What the connections of all workers have in common.
#[derive(Debug)]
pub(super) struct Shared<S> {
    pub(super) service: Arc<S>,
    pub(super) health: Health,
    pub(super) in_flight: InFlight,
    pub(super) messages: Budget,
    pub(super) limits: Limits,
    /// No new calls, and those in flight are finished.
    pub(super) draining: CancellationToken,
    /// Those in flight are dropped.
    pub(super) giving_up: CancellationToken,
}

impl<S: Authorize> Shared<S> {
    async fn route(&self, request: Request<Incoming>) -> Response<Reply> {
        match request.uri().path() {
            CHECK => check::answer(self, request).await,
            path if path.starts_with(HEALTH) => self.health.answer(request, &self.draining).await,
            _ => Reply::refusal(Status::Unimplemented("no such method")),
        }
    }
}

pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Serves a connection until the peer closes it, or until its last call is answered once the drain has begun. One that
/// asks nothing in time is ended, whether its handshake was done or not.
pub(super) async fn serve<S, I>(stream: I, shared: Arc<Shared<S>>) -> Result<(), BoxError>
where
    S: Authorize,
    I: AsyncRead + AsyncWrite + Unpin,
{
    let used = AtomicBool::new(false);
    let wire = Wire::new(stream);
    let service = service_fn(|request| {
        used.store(true, Ordering::Relaxed);
        let shared = Arc::clone(&shared);
        // Some kilobytes, which hyper and the executor would otherwise move from place to place.
        Box::pin(async move { Ok::<_, Infallible>(shared.route(request).await) })
    });
    let mut connection = pin!(settings().serve_connection(wire.clone(), service));
    tokio::select! {
        biased;
        ended = drive(connection.as_mut(), &wire) => return ended,
        () = shared.draining.cancelled() => {}
        () = unused(shared.limits.first_request, &used) => {}
    }
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        biased;
        ended = drive(connection, &wire) => ended,
        // hyper would wait for the peer to finish its handshake, or to say goodbye as well.
        () = unused(PARTING, &used) => Ok(()),
    }
}

/// Comes to an end after `patience`, unless there was a request by then.
async fn unused(patience: Duration, used: &AtomicBool) {
    sleep(patience).await;
    if used.load(Ordering::Relaxed) {
        pending::<()>().await;
    }
}

/// Polls the connection, and after each time sends what it has left on the wire.
async fn drive<C, I>(mut connection: Pin<&mut C>, wire: &Wire<I>) -> Result<(), BoxError>
where
    C: Future<Output = hyper::Result<()>>,
    I: AsyncRead + AsyncWrite + Unpin,
{
    poll_fn(|cx| {
        if connection.as_mut().poll(cx)?.is_ready() {
            return Poll::Ready(Ok(()));
        }
        match wire.poll_finish_batch(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error.into())),
            _ => Poll::Pending,
        }
    })
    .await
}

/// hyper's and h2's own bounds on resets, pings and continuation frames stay as they are.
fn settings() -> http2::Builder<AtOnce> {
    let mut settings = http2::Builder::new(AtOnce);
    settings
        .timer(TokioTimer::new())
        .auto_date_header(false)
        .max_concurrent_streams(MAX_STREAMS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_header_list_size(MAX_HEADER_LIST)
        .keep_alive_interval(KEEP_ALIVE_INTERVAL)
        .keep_alive_timeout(KEEP_ALIVE_TIMEOUT);
    settings
}
