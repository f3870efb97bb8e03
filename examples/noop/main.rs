//! Always says OK: the floor that stepgate's cost is measured against.
//!
//! ```text
//! cargo run --release --example noop -- --listen 127.0.0.1:9191             tonic's server, as everyone writes it
//! cargo run --release --example noop -- --listen 127.0.0.1:9191 --chassis   stepgate's own
//! ```

use clap::Parser;
use envoy_types::pb::envoy::service::auth::v3::authorization_server::{Authorization, AuthorizationServer};
use envoy_types::pb::envoy::service::auth::v3::check_response::HttpResponse;
use envoy_types::pb::envoy::service::auth::v3::{CheckRequest, CheckResponse, OkHttpResponse};
use envoy_types::pb::google::rpc;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use stepgate::chassis::{Authorize, Call, Chassis, Health, Limits, Listener, Unavailable};
use tokio::net::UnixListener;
use tonic::codegen::tokio_stream::wrappers::UnixListenerStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status};

/// The allocator that the stepgate binary has, so that the difference is the decision's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// An external-authorization server that allows everything.
#[derive(Debug, Parser)]
struct Arguments {
    /// An address, or `unix:` and a path.
    #[arg(long, default_value = "127.0.0.1:9191")]
    listen: String,
    /// Serve with stepgate's chassis instead of tonic's server.
    #[arg(long)]
    chassis: bool,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    if arguments.chassis {
        let control = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        control.block_on(serve_on_chassis(&arguments.listen))
    } else {
        tokio::runtime::Runtime::new()?.block_on(serve_on_tonic(&arguments.listen))
    }
}

struct Noop;

async fn serve_on_tonic(listen: &str) -> Result<(), Box<dyn Error>> {
    let router = Server::builder().add_service(AuthorizationServer::new(Noop));
    if let Some(path) = listen.strip_prefix("unix:") {
        router.serve_with_incoming(UnixListenerStream::new(UnixListener::bind(path)?)).await?;
    } else {
        router.serve(listen.parse()?).await?;
    }
    Ok(())
}

#[tonic::async_trait]
impl Authorization for Noop {
    async fn check(&self, _request: Request<CheckRequest>) -> Result<Response<CheckResponse>, Status> {
        Ok(Response::new(ok()))
    }
}

async fn serve_on_chassis(listen: &str) -> Result<(), Box<dyn Error>> {
    let listener = match listen.strip_prefix("unix:") {
        Some(path) => Listener::bind_unix(path)?,
        None => Listener::bind_tcp(listen.parse()?).await?,
    };
    let health = Health::not_serving().await;
    health.set_serving(true).await;
    let interrupted = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    let chassis = Chassis::new(Arc::new(Noop), health, Limits::default());
    chassis.serve(listener, interrupted, Duration::from_secs(10)).await?;
    Ok(())
}

impl Authorize for Noop {
    type Answer = CheckResponse;

    async fn check(&self, _request: CheckRequest, _call: &Call) -> Result<CheckResponse, Unavailable> {
        Ok(ok())
    }

    fn unavailable(&self, _why: Unavailable, _call: &Call) -> CheckResponse {
        ok()
    }
}

fn ok() -> CheckResponse {
    CheckResponse {
        status: Some(rpc::Status::default()),
        http_response: Some(HttpResponse::OkResponse(OkHttpResponse::default())),
        ..CheckResponse::default()
    }
}
