//! `grpc.health.v1.Health`: what load balancers and Envoy's health checks ask.

use super::grpc::Status;
use super::reply::{Reply, SHUTTING_DOWN};
use http::{Request, Response};
use hyper::body::Incoming;
use tokio_util::sync::CancellationToken;
use tonic::codegen::Service;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::{HealthReporter, HealthService};

/// The names that are asked for: the server as a whole, and the service that Envoy calls.
const SERVICES: [&str; 2] = ["", "envoy.service.auth.v3.Authorization"];

/// A request holds the name of a service and nothing else. tonic would gather 4 MiB of it, for any number of calls.
const MAX_REQUEST: usize = 4 * 1024;

/// Says whether the server is ready; not until told so. Clones speak for the same server.
#[derive(Clone, Debug)]
pub struct Health {
    reporter: HealthReporter,
    server: HealthServer<HealthService>,
}

impl Health {
    /// Not serving, which tonic's reporter would be from its start.
    pub async fn not_serving() -> Self {
        let reporter = HealthReporter::new();
        let service = HealthService::from_health_reporter(reporter.clone());
        let server = HealthServer::new(service).max_decoding_message_size(MAX_REQUEST);
        let health = Self { reporter, server };
        health.set_serving(false).await;
        health
    }

    /// Turns readiness on or off, and tells those who watch it.
    pub async fn set_serving(&self, serving: bool) {
        let status = if serving { ServingStatus::Serving } else { ServingStatus::NotServing };
        for service in SERVICES {
            self.reporter.set_service_status(service, status).await;
        }
    }

    pub(super) async fn answer(&self, request: Request<Incoming>, draining: &CancellationToken) -> Response<Reply> {
        let mut server = self.server.clone();
        let Ok(response) = tokio::select! {
            biased;
            response = server.call(request) => response,
            // A request that has not come whole by now would hold up the end.
            () = draining.cancelled() => return Reply::refusal(Status::Unavailable(SHUTTING_DOWN)),
        };
        response.map(|body| Reply::Health(body, Box::pin(draining.clone().cancelled_owned())))
    }
}
