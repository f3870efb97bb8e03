//! A SPIFFE agent: `FetchJWTBundles` of the Workload API over a Unix socket, as workload.proto and the Workload Endpoint
//! define it.

use crate::support::Result;
use std::collections::HashMap;
use std::convert::Infallible;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use stepgate::mint::{SigningKey, jwks};
use tokio::net::UnixListener;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tonic::body::Body;
use tonic::codegen::tokio_stream::wrappers::{UnboundedReceiverStream, UnixListenerStream};
use tonic::codegen::{BoxFuture, Service};
use tonic::server::{Grpc, NamedService, ServerStreamingService};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct JwtBundlesRequest {}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct JwtBundlesResponse {
    #[prost(map = "string, bytes", tag = "1")]
    bundles: HashMap<String, Vec<u8>>,
}

type Told = Result<JwtBundlesResponse, Status>;

pub(crate) struct Agent {
    pub socket: PathBuf,
    state: Arc<Mutex<State>>,
    server: JoinHandle<()>,
}

#[derive(Default)]
struct State {
    bundles: HashMap<String, Vec<u8>>,
    listeners: Vec<UnboundedSender<Told>>,
    refused: usize,
}

/// The keys of one trust domain.
pub(crate) type Bundle<'k> = (&'k str, &'k [&'k SigningKey]);

impl Agent {
    pub(crate) fn start(dir: &Path, bundles: &[Bundle<'_>]) -> Result<Self> {
        let socket = dir.join("agent.sock");
        let _ = fs::remove_file(&socket);
        let state = Arc::new(Mutex::new(State { bundles: encoded(bundles), ..State::default() }));
        let incoming = UnixListenerStream::new(UnixListener::bind(&socket)?);
        let service = WorkloadApi(Arc::clone(&state));
        let server = tokio::spawn(async move {
            // It ends when it is aborted; a failure shows at the client.
            let _ = tonic::transport::Server::builder().add_service(service).serve_with_incoming(incoming).await;
        });
        Ok(Self { socket, state, server })
    }

    /// Tells everybody who listens.
    pub(crate) fn tell(&self, bundles: &[Bundle<'_>]) {
        let mut state = self.state.lock().unwrap();
        state.bundles = encoded(bundles);
        let response = JwtBundlesResponse { bundles: state.bundles.clone() };
        state.listeners.retain(|listener| listener.send(Ok(response.clone())).is_ok());
    }

    /// As an agent that is restarted: all streams end.
    pub(crate) async fn stop(&mut self) {
        self.state.lock().unwrap().listeners.clear();
        self.server.abort();
        let _ = (&mut self.server).await;
    }

    /// Calls without the header that every request must carry.
    pub(crate) fn refused(&self) -> usize {
        self.state.lock().unwrap().refused
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn encoded(bundles: &[Bundle<'_>]) -> HashMap<String, Vec<u8>> {
    let one = |(domain, keys): &Bundle<'_>| {
        let jwks = jwks(keys.iter().copied()).to_string();
        (format!("spiffe://{domain}"), jwks.into_bytes())
    };
    bundles.iter().map(one).collect()
}

#[derive(Clone)]
struct WorkloadApi(Arc<Mutex<State>>);

impl NamedService for WorkloadApi {
    const NAME: &'static str = "SpiffeWorkloadAPI";
}

impl Service<http::Request<Body>> for WorkloadApi {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let api = self.clone();
        Box::pin(async move {
            if request.uri().path() != "/SpiffeWorkloadAPI/FetchJWTBundles" {
                return Ok(Status::unimplemented("no such method").into_http());
            }
            let mut grpc = Grpc::new(ProstCodec::<JwtBundlesResponse, JwtBundlesRequest>::default());
            Ok(grpc.server_streaming(api, request).await)
        })
    }
}

impl ServerStreamingService<JwtBundlesRequest> for WorkloadApi {
    type Response = JwtBundlesResponse;
    type ResponseStream = UnboundedReceiverStream<Told>;
    type Future = BoxFuture<Response<Self::ResponseStream>, Status>;

    fn call(&mut self, request: Request<JwtBundlesRequest>) -> Self::Future {
        let api = self.clone();
        Box::pin(async move {
            let mut state = api.0.lock().unwrap();
            if request.metadata().get("workload.spiffe.io").is_none_or(|value| value != "true") {
                state.refused += 1;
                return Err(Status::invalid_argument("security header missing from request"));
            }
            let (sender, receiver) = unbounded_channel();
            sender.send(Ok(JwtBundlesResponse { bundles: state.bundles.clone() })).unwrap();
            state.listeners.push(sender);
            Ok(Response::new(UnboundedReceiverStream::new(receiver)))
        })
    }
}
