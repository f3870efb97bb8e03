//! A call whose message is held back, so that it is in flight for as long as a test wants.

use super::Result;
use super::authz::Ask;
use super::stepgate::Listen;
use super::verdict::Verdict;
use bytes::{BufMut, Bytes, BytesMut};
use envoy_types::pb::envoy::service::auth::v3::CheckResponse;
use http::Request;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use hyper::Response;
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use std::convert::Infallible;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tonic::codegen::tokio_stream::wrappers::UnboundedReceiverStream;

const CHECK: &str = "/envoy.service.auth.v3.Authorization/Check";
/// A flag byte and four bytes of length stand before each message.
const PREFIX: usize = 5;
/// Longer than any test takes.
const PATIENCE: Duration = Duration::from_mins(1);

#[derive(Debug)]
pub struct Held {
    message: mpsc::UnboundedSender<Part>,
    answer: JoinHandle<Result<Response<Incoming>>>,
}

type Part = Result<Frame<Bytes>, Infallible>;

impl Held {
    pub async fn open(listen: &Listen) -> Result<Self> {
        Self::open_for(listen, PATIENCE).await
    }

    /// With that `grpc-timeout`. This client doesn't look at the time itself.
    pub async fn open_for(listen: &Listen, timeout: Duration) -> Result<Self> {
        let Listen::Tcp(address) = listen else { return Err(format!("{listen} is no TCP address").into()) };
        let io = TokioIo::new(TcpStream::connect(address).await?);
        let (mut sender, connection) = http2::handshake(TokioExecutor::new(), io).await?;
        tokio::spawn(connection);
        let (message, parts) = mpsc::unbounded_channel::<Part>();
        let request = Request::post(format!("http://{address}{CHECK}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("grpc-timeout", format!("{}m", timeout.as_millis()))
            .body(StreamBody::new(UnboundedReceiverStream::new(parts)))?;
        let answer = tokio::spawn(async move { Ok(sender.send_request(request).await?) });
        Ok(Self { message, answer })
    }

    /// Sends the message, and reads the answer.
    pub async fn finish(self, ask: &Ask) -> Result<Verdict> {
        let check = ask.to_check_request().encode_to_vec();
        let mut framed = BytesMut::with_capacity(PREFIX + check.len());
        framed.put_u8(0);
        framed.put_u32(u32::try_from(check.len())?);
        framed.put_slice(&check);
        self.message.send(Ok(Frame::data(framed.freeze())))?;
        drop(self.message);
        read(self.answer).await
    }

    /// Reads the answer to a call whose message never comes.
    pub async fn wait(self) -> Result<Verdict> {
        let verdict = read(self.answer).await;
        drop(self.message);
        verdict
    }
}

async fn read(answer: JoinHandle<Result<Response<Incoming>>>) -> Result<Verdict> {
    let body = answer.await??.into_body().collect().await?.to_bytes();
    let message = body.get(PREFIX..).ok_or_else(|| format!("no message in {body:?}"))?;
    Ok(Verdict(CheckResponse::decode(message)?))
}
