//! A worker: one thread, one single-threaded runtime, its share of the connections.
//!
//! A connection stays where it was dealt. Nothing of it moves between cores, so that no lock is ever waited for.

use super::authorize::Authorize;
use super::connection::{self, BoxError, Shared};
use super::listener::Socket;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::runtime;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio_util::task::TaskTracker;

/// The acceptor's end of a worker.
#[derive(Debug)]
pub(super) struct Worker {
    dealt: mpsc::UnboundedSender<Connection>,
    open: Arc<AtomicUsize>,
    ended: oneshot::Receiver<()>,
}

/// A connection on its way to the worker that was chosen for it.
#[derive(Debug)]
struct Connection {
    socket: Socket,
    counted: Counted,
    place: OwnedSemaphorePermit,
}

/// Counts a connection of a worker until it is dropped.
#[derive(Debug)]
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Worker {
    /// Starts the thread. It ends when nothing more can be dealt to it and its connections are done.
    pub(super) fn start<S: Authorize>(number: usize, shared: Arc<Shared<S>>) -> io::Result<Self> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let (dealt, connections) = mpsc::unbounded_channel();
        let (ending, ended) = oneshot::channel();
        thread::Builder::new().name(format!("worker-{number}")).spawn(move || {
            runtime.block_on(serve_all(connections, shared));
            drop(runtime); // and with it what was given up
            let _ = ending.send(()); // nobody waits where serving itself was dropped
        })?;
        Ok(Self { dealt, open: Arc::default(), ended })
    }

    /// How many connections it has open.
    pub(super) fn load(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Hands it a connection, with the place that it keeps until it ends.
    pub(super) fn deal(&self, socket: Socket, place: OwnedSemaphorePermit) {
        self.open.fetch_add(1, Ordering::Relaxed);
        let counted = Counted(Arc::clone(&self.open));
        if self.dealt.send(Connection { socket, counted, place }).is_err() {
            tracing::error!("a worker is gone; a connection dealt to it was closed");
        }
    }

    /// Deals it nothing more and waits until it has ended.
    pub(super) async fn end(self) {
        drop(self.dealt);
        let _ = self.ended.await; // either way the thread is gone
    }
}

async fn serve_all<S: Authorize>(mut connections: mpsc::UnboundedReceiver<Connection>, shared: Arc<Shared<S>>) {
    let open = TaskTracker::new();
    while let Some(connection) = connections.recv().await {
        open.spawn(serve_one(connection, Arc::clone(&shared)));
    }
    open.close();
    tokio::select! {
        () = open.wait() => {}
        () = shared.giving_up.cancelled() => {}
    }
}

async fn serve_one<S: Authorize>(connection: Connection, shared: Arc<Shared<S>>) {
    let Connection { socket, counted: _counted, place: _place } = connection;
    let ended = match socket {
        Socket::Tcp(socket) => serve_stream(TcpStream::from_std(socket), shared).await,
        Socket::Unix(socket) => serve_stream(UnixStream::from_std(socket), shared).await,
    };
    if let Err(error) = ended {
        tracing::debug!(error, "a connection broke off");
    }
}

async fn serve_stream<S, I>(stream: io::Result<I>, shared: Arc<Shared<S>>) -> Result<(), BoxError>
where
    S: Authorize,
    I: AsyncRead + AsyncWrite + Unpin,
{
    connection::serve(stream?, shared).await
}
