//! The acceptor: from the first connection to the end of the drain.

use super::authorize::Authorize;
use super::budget::Budget;
use super::connection::Shared;
use super::health::Health;
use super::in_flight::InFlight;
use super::limits::Limits;
use super::listener::Listener;
use super::worker::Worker;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// How long the acceptor rests after a failure that is likely to last, such as too many open files.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// How serving ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drained {
    /// Every check was answered.
    Complete,
    /// This many checks were not, when the drain limit had passed.
    Cut(usize),
}

/// Serves one service and its health on a listener.
#[derive(Debug)]
pub struct Chassis<S> {
    service: Arc<S>,
    health: Health,
    limits: Limits,
    in_flight: InFlight,
}

impl<S: Authorize> Chassis<S> {
    pub fn new(service: Arc<S>, health: Health, limits: Limits) -> Self {
        Self { service, health, limits, in_flight: InFlight::default() }
    }

    /// A reader of how many checks are in flight.
    pub fn in_flight(&self) -> InFlight {
        self.in_flight.clone()
    }

    /// Serves until `shutdown`, then finishes what is in flight for `drain` at most.
    ///
    /// An error means that nothing was served: a thread or its runtime could not be started.
    pub async fn serve(
        self,
        listener: Listener,
        shutdown: impl Future<Output = ()>,
        drain: Duration,
    ) -> io::Result<Drained> {
        let shared = Arc::new(Shared {
            service: self.service,
            health: self.health,
            in_flight: self.in_flight,
            messages: Budget::new(self.limits.max_message_bytes),
            limits: self.limits,
            draining: CancellationToken::new(),
            giving_up: CancellationToken::new(),
        });
        let workers: Vec<Worker> = (0..self.limits.workers.get())
            .map(|number| Worker::start(number, Arc::clone(&shared)))
            .collect::<io::Result<_>>()?;
        tokio::select! {
            () = shutdown => {}
            () = accept(&listener, &workers, self.limits.max_connections) => {}
        }
        drop(listener);
        shared.health.set_serving(false).await;
        Ok(finish(workers, &shared, drain).await)
    }
}

/// Lets every worker finish what it has, and cuts off what is not done in time.
async fn finish<S: Authorize>(workers: Vec<Worker>, shared: &Shared<S>, drain: Duration) -> Drained {
    shared.draining.cancel();
    let mut ended = pin!(async {
        for worker in workers {
            worker.end().await;
        }
    });
    if timeout(drain, ended.as_mut()).await.is_ok() {
        return Drained::Complete;
    }
    let unanswered = shared.in_flight.count();
    shared.giving_up.cancel();
    ended.await;
    if unanswered == 0 { Drained::Complete } else { Drained::Cut(unanswered) }
}

/// Deals each connection to the worker that has the fewest. Never returns, as nobody closes the places.
async fn accept(listener: &Listener, workers: &[Worker], max_connections: usize) {
    let places = Arc::new(Semaphore::new(max_connections.min(Semaphore::MAX_PERMITS)));
    let mut was_full = false;
    loop {
        let full = places.available_permits() == 0;
        if full && !was_full {
            tracing::warn!(max_connections, "no more connections may be open; further ones wait until others end");
        }
        was_full = full;
        // Taken before the connection is: without a place it stays in the listen queue and costs no file here.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok(socket) => {
                if let Some(idlest) = workers.iter().min_by_key(|worker| worker.load()) {
                    idlest.deal(socket, place);
                }
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(ACCEPT_REST).await;
            }
        }
    }
}
