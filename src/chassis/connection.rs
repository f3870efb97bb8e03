//! One HTTP/2 connection, from its first byte to its end.

use super::authorize::Authorize;
use super::check;
use super::executor::AtOnce;
use super::grpc::Status;
use super::health::Health;
use super::in_flight::InFlight;
use super::reply::Reply;
use super::wire::Wire;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::TokioTimer;
use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
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

/// What the connections of all workers have in common.
#[derive(Debug)]
pub(super) struct Shared<S> {
    pub(super) service: Arc<S>,
    pub(super) health: Health,
    pub(super) in_flight: InFlight,
    pub(super) max_in_flight: usize,
    /// No new calls, and those in flight are finished.
    pub(super) draining: CancellationToken,
    /// Those in flight are dropped.
    pub(super) giving_up: CancellationToken,
}

impl<S: Authorize> Shared<S> {
    async fn route(&self, request: Request<Incoming>) -> Response<Reply> {
        match request.uri().path() {
            CHECK => check::answer(&*self.service, &self.in_flight, self.max_in_flight, request).await,
            path if path.starts_with(HEALTH) => self.health.answer(request, &self.draining).await,
            _ => Reply::refusal(Status::Unimplemented("no such method")),
        }
    }
}

pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Serves a connection until the peer closes it, or until its last call is answered once the drain has begun.
pub(super) async fn serve<S, I>(stream: I, shared: Arc<Shared<S>>) -> Result<(), BoxError>
where
    S: Authorize,
    I: AsyncRead + AsyncWrite + Unpin,
{
    let draining = shared.draining.clone();
    let service = service_fn(move |request| {
        let shared = Arc::clone(&shared);
        // Some kilobytes, which hyper and the executor would otherwise move from place to place.
        Box::pin(async move { Ok::<_, Infallible>(shared.route(request).await) })
    });
    let wire = Wire::new(stream);
    let mut connection = pin!(settings().serve_connection(wire.clone(), service));
    tokio::select! {
        biased;
        ended = drive(connection.as_mut(), &wire) => return ended,
        () = draining.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    drive(connection, &wire).await
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
