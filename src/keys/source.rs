//! One issuer's keys from somewhere else: what is held of them, who asks for them, and the task that follows them.

use super::backoff::Roll;
use super::fetch::UrlFetch;
use super::keeper::Keeper;
use super::meter::KeyMeter;
use super::{follow, workload};
use crate::attestation::KeySet;
use crate::clock::Clock;
use crate::policy::{Name, RemoteKeys};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;
use tokio::time::Instant;

/// Followed until it is dropped.
pub(super) struct Source {
    pub issuer: Name,
    pub origin: RemoteKeys,
    held: Arc<Held>,
    /// When it was asked for last, and the look that answers.
    asked: Mutex<Option<(Instant, u64)>>,
    task: AbortHandle,
}

/// What the task works with.
pub(super) struct World {
    /// To be told of new keys, and of keys that are gone.
    pub changed: Box<dyn Fn() + Send + Sync>,
    pub meter: KeyMeter,
    pub clock: Arc<dyn Clock>,
    pub roll: Roll,
}

/// What the task shares with the others.
#[derive(Debug, Default)]
pub(super) struct Held {
    pub standing: watch::Sender<Standing>,
    pub asked: Notify,
}

/// The keys of this moment, and how often they were looked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Standing {
    pub keys: Option<Arc<KeySet>>,
    pub begun: u64,
    pub done: u64,
}

/// An issuer whose keys are still to come.
#[derive(Debug)]
pub struct Unreached {
    pub issuer: Name,
    standing: watch::Receiver<Standing>,
}

/// A look that somebody waits for.
pub(super) struct Look {
    number: u64,
    standing: watch::Receiver<Standing>,
}

/// However many callers show tokens by unknown keys, the issuer is asked once in so long.
const BETWEEN_ASKED: Duration = Duration::from_secs(10);

impl Source {
    pub(super) fn follow(issuer: Name, origin: RemoteKeys, world: World) -> Self {
        let held = Arc::new(Held::default());
        let keeper = Keeper::new(issuer.clone(), Arc::clone(&held), world);
        let task = match &origin {
            RemoteKeys::Url { url, refresh, ca } => {
                let refresh = Duration::from_secs(refresh.as_secs());
                tokio::spawn(follow::follow(UrlFetch::new(url.clone(), ca.clone()), refresh, keeper))
            }
            RemoteKeys::Spiffe { socket } => tokio::spawn(workload::follow(socket.clone(), keeper)),
        };
        Self { issuer, origin, held, asked: Mutex::default(), task: task.abort_handle() }
    }

    pub(super) fn keys(&self) -> Option<Arc<KeySet>> {
        self.held.standing.borrow().keys.clone()
    }

    pub(super) fn is_reached(&self) -> bool {
        self.held.standing.borrow().keys.is_some()
    }

    pub(super) fn unreached(&self) -> Unreached {
        Unreached { issuer: self.issuer.clone(), standing: self.held.standing.subscribe() }
    }

    /// Asks for a look, unless there was one just now; nothing where there is nothing to wait for. An agent tells of new
    /// keys by itself.
    pub(super) fn ask(&self) -> Option<Look> {
        if matches!(self.origin, RemoteKeys::Spiffe { .. }) {
            return None;
        }
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let Standing { begun, done, .. } = *self.held.standing.borrow();
        let number = match *asked {
            Some((at, number)) if at.elapsed() < BETWEEN_ASKED => number,
            _ => {
                // One that is under way may have been answered before the new key was there.
                *asked = Some((Instant::now(), begun + 1));
                self.held.asked.notify_one();
                begun + 1
            }
        };
        (done < number).then(|| Look { number, standing: self.held.standing.subscribe() })
    }
}

impl Unreached {
    /// Over as soon as the keys are there, or nobody needs them any more.
    pub async fn reached(mut self) {
        // An error says that the source is gone.
        let _ = self.standing.wait_for(|standing| standing.keys.is_some()).await;
    }
}

impl Look {
    pub(super) async fn done(mut self) {
        let _ = self.standing.wait_for(|standing| standing.done >= self.number).await;
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("issuer", &self.issuer).field("origin", &self.origin).finish_non_exhaustive()
    }
}
