//! A chassis with a service that does what the request's path says, and clients for it.

use bytes::{BufMut, Bytes};
use envoy_types::pb::envoy::service::auth::v3::attribute_context::{HttpRequest, Request as RequestAttributes};
use envoy_types::pb::envoy::service::auth::v3::authorization_client::AuthorizationClient;
use envoy_types::pb::envoy::service::auth::v3::{AttributeContext, CheckRequest, CheckResponse};
use envoy_types::pb::google::rpc;
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use http_body::Body;
use http_body_util::BodyExt;
use http_body_util::combinators::BoxBody;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::pending;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use stepgate::chassis::{Authorize, Call, Chassis, Drained, Health, InFlight, Limits, Listener, Unavailable};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;
use tonic::transport::{Channel, Endpoint};

pub(crate) const CHECK: &str = "/envoy.service.auth.v3.Authorization/Check";

/// Does what the path of the request says.
#[derive(Debug)]
pub(crate) struct Obedient {
    /// `/wait` takes a permit and keeps it.
    pub(crate) releases: Semaphore,
    /// How many calls have come to wait so.
    pub(crate) waiting: AtomicUsize,
    /// Which worker answered how many calls.
    pub(crate) answered_by: Mutex<BTreeMap<String, usize>>,
}

impl Default for Obedient {
    fn default() -> Self {
        Self { releases: Semaphore::new(0), waiting: AtomicUsize::new(0), answered_by: Mutex::default() }
    }
}

impl Authorize for Obedient {
    type Answer = CheckResponse;

    async fn check(&self, request: CheckRequest, call: &Call) -> Result<CheckResponse, Unavailable> {
        match path_of(&request) {
            "/wait" => {
                self.waiting.fetch_add(1, Ordering::Relaxed);
                self.releases.acquire().await.unwrap().forget();
            }
            "/never" => pending().await,
            "/panic" => panic!("told to"),
            "/yield" => tokio::task::yield_now().await,
            "/others-first" => return Ok(said(if others_ran_first().await { "others first" } else { "alone" })),
            "/sleep" => tokio::time::sleep(Duration::from_millis(1)).await,
            "/yield-then-panic" => {
                tokio::task::yield_now().await;
                panic!("told to")
            }
            "/block" => std::thread::sleep(Duration::from_millis(100)),
            "/metadata" => return Ok(said(call.headers()["x-said"].to_str().unwrap())),
            _ => {}
        }
        call.in_time()?;
        let worker = std::thread::current().name().unwrap_or_default().to_owned();
        *self.answered_by.lock().unwrap().entry(worker).or_default() += 1;
        if path_of(&request) == "/conclude-slowly" {
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(said("decided"))
    }

    fn unavailable(&self, why: Unavailable, call: &Call) -> CheckResponse {
        assert!(!call.headers().contains_key("x-panic"), "told to");
        said(match why {
            Unavailable::Deadline => "deadline",
            Unavailable::Overload => "overload",
            Unavailable::Panic => "panic",
        })
    }
}

/// Whether a task that is ready gets its turn while a call yields.
async fn others_ran_first() -> bool {
    let other = tokio::spawn(async {});
    tokio::task::yield_now().await;
    other.is_finished()
}

/// A response that is told from others by its status message.
fn said(message: &str) -> CheckResponse {
    let status = rpc::Status { message: message.to_owned(), ..rpc::Status::default() };
    CheckResponse { status: Some(status), ..CheckResponse::default() }
}

fn path_of(request: &CheckRequest) -> &str {
    let http = request.attributes.as_ref().and_then(|a| a.request.as_ref()?.http.as_ref());
    http.map_or("", |http| &http.path)
}

/// A request for `path`.
pub(crate) fn check_request(path: &str) -> CheckRequest {
    let http = HttpRequest { path: path.to_owned(), ..HttpRequest::default() };
    let request = RequestAttributes { http: Some(http), ..RequestAttributes::default() };
    let attributes = AttributeContext { request: Some(request), ..AttributeContext::default() };
    CheckRequest { attributes: Some(attributes) }
}

/// A message behind its gRPC prefix.
pub(crate) fn framed(flag: u8, message: &[u8]) -> Bytes {
    let mut framed = vec![flag];
    framed.put_u32(u32::try_from(message.len()).unwrap());
    framed.put_slice(message);
    framed.into()
}

pub(crate) fn framed_request(path: &str) -> Bytes {
    framed(0, &check_request(path).encode_to_vec())
}

/// A chassis on a port of its own.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) service: Arc<Obedient>,
    pub(crate) health: Health,
    pub(crate) in_flight: InFlight,
    url: String,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Drained>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::with_limits(|_| {}).await
    }

    /// With what `adjust` makes of the limits: 2 workers and 100 checks in flight.
    pub(crate) async fn with_limits(adjust: impl FnOnce(&mut Limits)) -> Self {
        let mut limits = Limits { workers: NonZeroUsize::new(2).unwrap(), max_in_flight: 100, ..Limits::default() };
        adjust(&mut limits);
        Self::with_drain(limits, Duration::from_secs(10)).await
    }

    pub(crate) async fn with_drain(limits: Limits, drain: Duration) -> Self {
        let listener = Listener::bind_tcp(([127, 0, 0, 1], 0).into()).await.unwrap();
        let url = format!("http://{listener}");
        let service = Arc::new(Obedient::default());
        let health = Health::not_serving().await;
        let chassis = Chassis::new(Arc::clone(&service), health.clone(), limits);
        let in_flight = chassis.in_flight();
        let (stop, stopped) = oneshot::channel();
        let shutdown = async { stopped.await.unwrap_or_default() };
        let ended = tokio::spawn(async move { chassis.serve(listener, shutdown, drain).await.unwrap() });
        Self { service, health, in_flight, url, stop, ended }
    }

    /// A connection on which nothing was said yet.
    pub(crate) async fn stream(&self) -> TcpStream {
        TcpStream::connect(&self.url["http://".len()..]).await.unwrap()
    }

    /// A connection of its own.
    pub(crate) async fn channel(&self) -> Channel {
        Endpoint::new(self.url.clone()).unwrap().connect().await.unwrap()
    }

    pub(crate) async fn client(&self) -> AuthorizationClient<Channel> {
        AuthorizationClient::new(self.channel().await)
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Begins the drain and hands out its end.
    pub(crate) fn stop(self) -> JoinHandle<Drained> {
        self.stop.send(()).unwrap();
        self.ended
    }

    /// Waits until this many checks are in flight.
    pub(crate) async fn reaches_in_flight(&self, count: usize) {
        eventually(|| self.in_flight.count() == count).await;
    }
}

/// Waits until something holds, which it does soon or never.
pub(crate) async fn eventually(holds: impl Fn() -> bool) {
    let wait = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), wait).await.expect("it never came to hold");
}

/// Waits until nobody accepts connections there.
pub(crate) async fn refuses_connections(url: &str) {
    let endpoint = Endpoint::new(url.to_owned()).unwrap();
    while endpoint.connect().await.is_ok() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Whether the server closes a connection, after whatever it may have to say on it.
pub(crate) async fn was_closed(stream: &mut TcpStream) -> bool {
    let mut rest = Vec::new();
    tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut rest)).await.is_ok()
}

/// What a call came to, read without tonic's help.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) http: StatusCode,
    pub(crate) grpc: Option<HeaderValue>,
    pub(crate) body: Bytes,
}

impl Answer {
    /// What the `CheckResponse` says, of an answer with status 0.
    pub(crate) fn said(&self) -> String {
        assert_eq!(self.grpc.as_ref().unwrap(), "0", "{self:?}");
        let response = CheckResponse::decode(&self.body[5..]).unwrap();
        response.status.unwrap().message
    }
}

pub(crate) type RawRequest = Request<BoxBody<Bytes, Infallible>>;

/// A gRPC request with any body.
pub(crate) fn raw_request<B>(path: &str, body: B) -> RawRequest
where
    B: Body<Data = Bytes, Error = Infallible> + Send + Sync + 'static,
{
    Request::post(path).header("content-type", "application/grpc").body(BoxBody::new(body)).unwrap()
}

/// A connection whose client, unlike tonic's, keeps no deadlines and does not connect again.
#[derive(Debug)]
pub(crate) struct Connection {
    url: String,
    sender: SendRequest<BoxBody<Bytes, Infallible>>,
    driver: JoinHandle<hyper::Result<()>>,
}

pub(crate) async fn connect(server: &Server) -> Connection {
    let stream = TokioIo::new(server.stream().await);
    let (sender, driver) = handshake(TokioExecutor::new(), stream).await.unwrap();
    Connection { url: server.url.clone(), sender, driver: tokio::spawn(driver) }
}

impl Connection {
    pub(crate) async fn send(&self, mut request: RawRequest) -> Answer {
        *request.uri_mut() = format!("{}{}", self.url, request.uri().path()).parse().unwrap();
        let (head, body) = self.sender.clone().send_request(request).await.unwrap().into_parts();
        let whole = body.collect().await.unwrap();
        let trailers = whole.trailers().cloned().unwrap_or_default();
        Answer { http: head.status, grpc: grpc_status(&head.headers, &trailers), body: whole.to_bytes() }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// Sends on a connection of its own.
pub(crate) async fn send(server: &Server, request: RawRequest) -> Answer {
    connect(server).await.send(request).await
}

fn grpc_status(headers: &HeaderMap, trailers: &HeaderMap) -> Option<HeaderValue> {
    trailers.get("grpc-status").or(headers.get("grpc-status")).cloned()
}
