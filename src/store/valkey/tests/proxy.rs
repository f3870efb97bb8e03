//! What stands between a replica and the store, and breaks when it is told to.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

pub(super) struct Proxy {
    pub address: SocketAddr,
    cut: Arc<Cut>,
    accepting: AbortHandle,
}

/// How many bytes of answers may still pass before everything breaks, once.
struct Cut(AtomicI64);

impl Proxy {
    pub(super) async fn to(server: SocketAddr) -> Self {
        Self::start(server, None).await
    }

    /// Speaks TLS to who connects, and none to the server.
    pub(super) async fn with_tls(server: SocketAddr, acceptor: TlsAcceptor) -> Self {
        Self::start(server, Some(acceptor)).await
    }

    async fn start(server: SocketAddr, acceptor: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, cut) = (listener.local_addr().unwrap(), Arc::new(Cut(AtomicI64::new(i64::MAX))));
        let accepting = tokio::spawn(accept(listener, server, acceptor, Arc::clone(&cut))).abort_handle();
        Self { address, cut, accepting }
    }

    pub(super) fn cut_after(&self, bytes: i64) {
        self.cut.0.store(bytes, Ordering::SeqCst);
    }

    pub(super) fn url(&self) -> String {
        format!("redis://{}", self.address)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Cut {
    /// How much of this passes. What does not is the end of all.
    fn pass(&self, bytes: usize) -> usize {
        let bytes = i64::try_from(bytes).unwrap();
        let left = self.0.fetch_sub(bytes, Ordering::SeqCst);
        usize::try_from(bytes.min(left.max(0))).unwrap()
    }
}

async fn accept(listener: TcpListener, server: SocketAddr, acceptor: Option<TlsAcceptor>, cut: Arc<Cut>) {
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            Ok((client, _)) = listener.accept() => {
                let (acceptor, cut) = (acceptor.clone(), Arc::clone(&cut));
                open.spawn(async move {
                    let Ok(server) = TcpStream::connect(server).await else { return false };
                    match acceptor {
                        None => pass(client, server, &cut).await,
                        Some(acceptor) => match acceptor.accept(client).await {
                            Ok(client) => pass(client, server, &cut).await,
                            Err(_) => false,
                        },
                    }
                });
            }
            Some(Ok(true)) = open.join_next() => {
                open.shutdown().await;
                cut.0.store(i64::MAX, Ordering::SeqCst);
            }
        }
    }
}

/// Whether it was cut.
async fn pass<C: AsyncRead + AsyncWrite + Unpin>(client: C, server: TcpStream, cut: &Cut) -> bool {
    let (mut from_client, mut to_client) = tokio::io::split(client);
    let (mut from_server, mut to_server) = server.into_split();
    let answers = async {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let Ok(read @ 1..) = from_server.read(&mut buffer).await else { return false };
            let passes = cut.pass(read);
            if to_client.write_all(&buffer[..passes]).await.is_err() || to_client.flush().await.is_err() {
                return false;
            }
            if passes < read {
                return true;
            }
        }
    };
    tokio::select! {
        cut = answers => cut,
        _ = tokio::io::copy(&mut from_client, &mut to_server) => false,
    }
}
