//! HTTP/1.1 for operators, within bounds: nobody out there can keep the control runtime busy or its memory full.

use super::Admin;
use super::pages::pages;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// More than scrapers, probes and people together open.
const MAX_CONNECTIONS: usize = 64;
/// Operators' requests have few and short headers.
const MAX_HEADER_BYTES: usize = 16 * 1024;
const MAX_HEADERS: usize = 64;
/// Also for a connection that says nothing between two requests.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// How long answers under way may take to end, once serving ends.
const DRAIN: Duration = Duration::from_secs(1);
/// How long to rest after a failure that is likely to last, such as too many open files.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// More than anybody asks over one connection, and an end for those who never read their answers.
const MAX_LIFE: Duration = Duration::from_mins(10);

type Service = TowerToHyperService<axum::Router>;

/// Who asks; stands in the extensions of every request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub SocketAddr);

/// Answers until `shutdown`.
pub async fn serve(listener: TcpListener, admin: Admin, shutdown: impl Future<Output = ()>) {
    serve_pages(listener, pages(admin), shutdown).await;
}

/// The same for any pages.
pub(super) async fn serve_pages(listener: TcpListener, pages: axum::Router, shutdown: impl Future<Output = ()>) {
    let service = TowerToHyperService::new(pages);
    let (connections, ending) = (TaskTracker::new(), CancellationToken::new());
    tokio::select! {
        () = shutdown => {}
        () = accept(&listener, &service, &connections, &ending) => {}
    }
    drop(listener);
    ending.cancel();
    connections.close();
    let _ = timeout(DRAIN, connections.wait()).await; // who reads slower than that is cut off
}

/// Takes connections, as many as may be open. Never returns.
async fn accept(listener: &TcpListener, service: &Service, connections: &TaskTracker, ending: &CancellationToken) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let place = Arc::clone(&places).acquire_owned().await;
        match listener.accept().await {
            Ok((stream, peer)) => {
                let connection = converse(stream, Peer(peer), service.clone(), ending.clone());
                connections.spawn(async move {
                    connection.await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "an admin connection could not be accepted");
                sleep(ACCEPT_REST).await;
            }
        }
    }
}

/// Answers what one connection asks, and no new question once serving ends.
async fn converse(stream: TcpStream, peer: Peer, service: Service, ending: CancellationToken) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
    http.max_headers(MAX_HEADERS).max_header_size(MAX_HEADER_BYTES);
    let answer = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        service.call(request)
    });
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), answer));
    let ended = tokio::select! {
        ended = connection.as_mut() => Ok(ended),
        () = sleep(MAX_LIFE) => {
            connection.as_mut().graceful_shutdown();
            timeout(DRAIN, connection).await
        }
        () = ending.cancelled() => {
            connection.as_mut().graceful_shutdown();
            Ok(connection.await)
        }
    };
    match ended {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "an admin connection broke off"),
        Err(_) => tracing::debug!("an admin connection was cut off"),
    }
}
