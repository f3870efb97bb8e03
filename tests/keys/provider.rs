//! A provider of keys over HTTPS, which answers as the test says and counts who asks.

use crate::support::Result;
use crate::support::certificates::Authority;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{ETAG, IF_NONE_MATCH, LOCATION};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use stepgate::mint::{SigningKey, jwks};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tonic::codegen::tokio_stream;

pub(crate) struct Provider {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

/// What it answers.
#[derive(Clone)]
pub(crate) enum Says {
    Text(String),
    Status(StatusCode),
    Redirect(String),
    /// Without end, and without length.
    Endless,
    /// Nothing at all.
    Silence,
}

struct Shared {
    says: Mutex<Says>,
    asked: AtomicUsize,
    unchanged: AtomicUsize,
}

impl Provider {
    pub(crate) async fn start(authority: &Authority, keys: &[&SigningKey]) -> Result<Self> {
        Self::start_at(authority, SocketAddr::from(([127, 0, 0, 1], 0)), keys).await
    }

    pub(crate) async fn start_at(authority: &Authority, address: SocketAddr, keys: &[&SigningKey]) -> Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let says = Mutex::new(Says::Text(jwks(keys.iter().copied()).to_string()));
        let shared = Arc::new(Shared { says, asked: AtomicUsize::new(0), unchanged: AtomicUsize::new(0) });
        let routes = Router::new().route("/jwks", get(answer)).with_state(Arc::clone(&shared));
        let server = tokio::spawn(serve(listener, acceptor(authority)?, routes));
        Ok(Self { address, shared, server })
    }

    pub(crate) fn url(&self) -> String {
        format!("https://localhost:{}/jwks", self.address.port())
    }

    pub(crate) fn publish(&self, keys: &[&SigningKey]) {
        self.say(Says::Text(jwks(keys.iter().copied()).to_string()));
    }

    pub(crate) fn say(&self, says: Says) {
        *self.shared.says.lock().unwrap() = says;
    }

    pub(crate) fn asked(&self) -> usize {
        self.shared.asked.load(Ordering::SeqCst)
    }

    /// How often it could say that nothing has changed.
    pub(crate) fn unchanged(&self) -> usize {
        self.shared.unchanged.load(Ordering::SeqCst)
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    shared.asked.fetch_add(1, Ordering::SeqCst);
    let says = shared.says.lock().unwrap().clone();
    match says {
        Says::Text(text) => {
            let tag = format!("\"{:x}\"", text.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31) + u64::from(byte)));
            if headers.get(IF_NONE_MATCH).is_some_and(|seen| *seen == *tag) {
                shared.unchanged.fetch_add(1, Ordering::SeqCst);
                return StatusCode::NOT_MODIFIED.into_response();
            }
            ([(ETAG, tag)], text).into_response()
        }
        Says::Status(status) => status.into_response(),
        Says::Redirect(to) => (StatusCode::FOUND, [(LOCATION, to)]).into_response(),
        Says::Endless => {
            let chunks = std::iter::repeat_with(|| Ok::<_, std::io::Error>(" ".repeat(65_536)));
            Body::from_stream(tokio_stream::iter(chunks)).into_response()
        }
        Says::Silence => {
            tokio::time::sleep(Duration::from_mins(10)).await;
            StatusCode::OK.into_response()
        }
    }
}

fn acceptor(authority: &Authority) -> Result<TlsAcceptor> {
    let server = authority.server("localhost")?;
    let chain = vec![CertificateDer::from_pem_slice(server.certificate.as_bytes())?];
    let key = PrivateKeyDer::from_pem_slice(server.key.as_bytes())?;
    Ok(TlsAcceptor::from(Arc::new(ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key)?)))
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, routes: Router) {
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, routes) = (acceptor.clone(), routes.clone());
        tokio::spawn(async move {
            // Who can't shake hands shows it at the other end.
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let service = TowerToHyperService::new(routes);
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
