//! A service of our own on an ephemeral port, until it is dropped.

use super::Result;
use axum::Router;
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

#[derive(Debug)]
pub struct Serving {
    pub address: SocketAddr,
    server: JoinHandle<()>,
}

impl Serving {
    pub async fn start(service: Router) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let server = tokio::spawn(async move {
            // It ends when it is aborted; a failure shows at the client.
            let _ = axum::serve(listener, service).await;
        });
        Ok(Self { address, server })
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.server.abort();
    }
}
