//! Connections to the store: plain or over TLS, within bounds of time and size.

use super::address::{StateUrl, TlsFiles};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, RedisError};
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

/// From the name of the server to its first answer. Nobody but the follower waits for it.
const CONNECT_PATIENCE: Duration = Duration::from_millis(500);
/// What may come without anything being asked in between: a page of the longest records takes less.
const MAX_ANSWER_BYTES: usize = 32 * 1024 * 1024;
/// Calls that may wait for their turn to be written; more wait in line.
const WAITING_CALLS: usize = 1_024;

/// Makes connections. What they have in common is made once.
#[derive(Clone)]
pub(super) struct Connector {
    url: StateUrl,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

/// A connection that ends when this is dropped, whoever else holds a copy of it.
pub(super) struct Connection {
    calls: MultiplexedConnection,
    driver: AbortHandle,
}

/// Why TLS can't be spoken.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("`{path}`: {why}")]
    File { path: String, why: pem::Error },
    #[error("`{0}` holds no certificate")]
    Empty(String),
    #[error("the system has no certificates of authorities: name a file with ?ca=FILE")]
    NoAuthorities,
    #[error("`{0}` is no name that a certificate could be for")]
    Name(Box<str>),
    #[error(transparent)]
    Tls(#[from] rustls::Error),
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    #[error("it can't be reached: {0}")]
    Io(#[from] io::Error),
    #[error("it did not answer within {} ms", CONNECT_PATIENCE.as_millis())]
    Timeout,
    #[error("it does not take the connection: {0}")]
    Refused(#[from] RedisError),
}

impl Connector {
    /// Reads the files that the address names.
    pub(super) fn new(url: StateUrl) -> Result<Self, TlsError> {
        let tls = url.tls.as_ref().map(|files| {
            let name = ServerName::try_from(url.host.to_string()).map_err(|_| TlsError::Name(url.host.clone()))?;
            Ok::<_, TlsError>((TlsConnector::from(Arc::new(config(files)?)), name))
        });
        let tls = tls.transpose()?;
        Ok(Self { url, tls })
    }

    pub(super) const fn url(&self) -> &StateUrl {
        &self.url
    }

    /// A connection on which every call is given up after `patience`.
    pub(super) async fn connect(&self, patience: Duration) -> Result<Connection, ConnectError> {
        timeout(CONNECT_PATIENCE, self.dial(patience)).await.map_err(|_| ConnectError::Timeout)?
    }

    async fn dial(&self, patience: Duration) -> Result<Connection, ConnectError> {
        let stream = TcpStream::connect((&*self.url.host, self.url.port)).await?;
        stream.set_nodelay(true)?;
        match &self.tls {
            None => self.introduce(stream, patience).await,
            Some((connector, name)) => {
                let stream = connector.connect(name.clone(), stream).await?;
                self.introduce(stream, patience).await
            }
        }
    }

    async fn introduce<S>(&self, stream: S, patience: Duration) -> Result<Connection, ConnectError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let settings =
            AsyncConnectionConfig::new().set_response_timeout(Some(patience)).set_pipeline_buffer_size(WAITING_CALLS);
        let introduction = self.url.introduction();
        let stream = Bounded { stream, unasked: 0 };
        let (calls, driver) = MultiplexedConnection::new_with_config(&introduction, stream, settings).await?;
        Ok(Connection { calls, driver: tokio::spawn(driver).abort_handle() })
    }
}

impl Connection {
    /// What calls are made on. It can be copied, and used on any runtime.
    pub(super) fn calls(&self) -> MultiplexedConnection {
        self.calls.clone()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

fn config(files: &TlsFiles) -> Result<ClientConfig, TlsError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let config = config.with_root_certificates(authorities(files.ca.as_deref())?);
    Ok(match &files.own {
        None => config.with_no_client_auth(),
        Some((certificate, key)) => {
            let chain = certificates(certificate)?;
            let key = PrivateKeyDer::from_pem_file(key).map_err(|why| in_file(key, why))?;
            config.with_client_auth_cert(chain, key)?
        }
    })
}

fn authorities(file: Option<&Path>) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    match file {
        Some(path) => certificates(path)?.into_iter().try_for_each(|certificate| roots.add(certificate))?,
        // One that can't be read is no reason to trust none of the others.
        None => _ = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs),
    }
    if roots.is_empty() { Err(TlsError::NoAuthorities) } else { Ok(roots) }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let certificates = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let certificates = certificates.map_err(|why| in_file(path, why))?;
    if certificates.is_empty() { Err(TlsError::Empty(path.display().to_string())) } else { Ok(certificates) }
}

fn in_file(path: &Path, why: pem::Error) -> TlsError {
    TlsError::File { path: path.display().to_string(), why }
}

/// A stream that breaks when more comes than any answer of ours needs, so that a store that was given huge values does
/// not fill our memory.
struct Bounded<S> {
    stream: S,
    unasked: usize,
}

impl<S: AsyncRead + Unpin> AsyncRead for Bounded<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        self.unasked += buffer.filled().len().saturating_sub(before);
        let fits = self.unasked <= MAX_ANSWER_BYTES;
        Poll::Ready(if fits {
            Ok(())
        } else {
            Err(io::Error::other("its answer is longer than any of ours: somebody else writes there"))
        })
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Bounded<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.unasked = 0;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Where it goes, and nothing else.
impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Connector").field(&self.url).finish()
    }
}
