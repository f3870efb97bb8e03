//! A load generator whose every call has a body of its own, which h2load's can't: hyper's HTTP/2 client, on one thread.
//!
//! Answers are kept as they come and read when the clock has stopped.

use crate::Result;
use crate::h2load::Load;
use crate::pool::Pool;
use bytes::Bytes;
use envoy_types::pb::envoy::service::auth::v3::CheckResponse;
use envoy_types::pb::envoy::service::auth::v3::check_response::HttpResponse;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::JoinSet;

/// What the calls of one pool came to.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) elapsed: Duration,
    /// Sorted.
    pub(crate) times: Vec<Duration>,
    pub(crate) allowed: usize,
    /// By a decision; what is neither is no answer of one.
    pub(crate) refused: usize,
}

type Sender = SendRequest<Full<Bytes>>;

/// How long a call took, and what came back.
type Answer = (Duration, Bytes);

/// The length of the prefix of a gRPC message.
const PREFIX: usize = 5;

/// Sends every call of the pool, over so many connections with so many calls in flight on each.
pub(crate) async fn run(address: &str, load: Load, pool: &Arc<Pool>) -> Result<Answered> {
    let uri = format!("http://{}/envoy.service.auth.v3.Authorization/Check", authority(address));
    let mut streams = JoinSet::new();
    let mut senders = Vec::new();
    for _ in 0..load.connections {
        senders.push(connect(address).await?);
    }
    let began = Instant::now();
    for sender in senders {
        for _ in 0..load.streams {
            streams.spawn(ask(sender.clone(), uri.clone(), Arc::clone(pool)));
        }
    }
    let mut answers = Vec::with_capacity(pool.proofs().len());
    while let Some(asked) = streams.join_next().await {
        answers.extend(asked??);
    }
    read(answers, began.elapsed())
}

/// One stream after the other, until the pool is empty.
async fn ask(mut sender: Sender, uri: String, pool: Arc<Pool>) -> Result<Vec<Answer>> {
    let mut answers = Vec::new();
    while let Some(body) = pool.take() {
        let request = Request::post(&uri)
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("grpc-timeout", "5S")
            .body(Full::new(body))?;
        let began = Instant::now();
        let answer = sender.send_request(request).await?.into_body().collect().await?.to_bytes();
        answers.push((began.elapsed(), answer));
    }
    Ok(answers)
}

fn read(answers: Vec<Answer>, elapsed: Duration) -> Result<Answered> {
    let (mut times, mut allowed, mut refused) = (Vec::with_capacity(answers.len()), 0, 0);
    for (time, answer) in answers {
        times.push(time);
        let response = CheckResponse::decode(answer.get(PREFIX..).ok_or("an answer without a message")?)?;
        let code = response.status.as_ref().map(|status| status.code);
        match response.http_response {
            Some(HttpResponse::OkResponse(_)) if code == Some(0) => allowed += 1,
            Some(HttpResponse::DeniedResponse(_)) if code.is_some_and(|code| code != 0) => refused += 1,
            _ => {}
        }
    }
    times.sort_unstable();
    Ok(Answered { elapsed, times, allowed, refused })
}

async fn connect(address: &str) -> Result<Sender> {
    if let Some(path) = address.strip_prefix("unix:") {
        return shake_hands(UnixStream::connect(path).await?).await;
    }
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    shake_hands(stream).await
}

async fn shake_hands<S>(stream: S) -> Result<Sender>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = Builder::new(TokioExecutor::new()).handshake(TokioIo::new(stream)).await?;
    // It ends with the last sender; what breaks it off before, its calls say.
    tokio::spawn(connection);
    Ok(sender)
}

fn authority(address: &str) -> &str {
    if address.starts_with("unix:") { "localhost" } else { address }
}
