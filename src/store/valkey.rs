//! The state that replicas share, over Valkey or Redis: what is revoked, what was spent, what is granted, what was learned.
//!
//! Calls wait for it a few tens of milliseconds and then do without ([`Away`]). One task follows it: connects, reads all
//! revocations, hears of new ones, puts back what the store lost, and comes back after a break. What the store says is
//! believed only under a seal by one of the challenge keys; what was spent has none.

mod address;
mod chain;
mod connect;
mod follow;
mod grants;
mod learned;
mod link;
mod meter;
mod sealed;
mod spent;
mod stream;

pub use address::{StateUrl, StateUrlError};
pub use connect::TlsError;
pub use learned::Baseline;
pub use link::Away;
pub use meter::{StateMeter, StateOp, StateOutcome};

use super::{NoRandomness, Revoked};
use crate::case::{Spending, Spent};
use crate::challenge::ChallengeKeys;
use crate::clock::Clock;
use crate::grant::{Grant, GrantKey};
use crate::revocation::Revocation;
use crate::time::{Ttl, UnixTime};
use arc_swap::ArcSwap;
use connect::Connector;
use follow::{Follower, Sharing};
use learned::Marks;
use link::Link;
use sealed::Unbelieved;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

/// The shared state, or the way to it. A copy costs nothing.
#[derive(Clone)]
pub struct Valkey(Arc<Shared>);

/// Where it is and what it is spoken to with.
pub struct Settings {
    pub url: StateUrl,
    pub keys: Arc<ArcSwap<ChallengeKeys>>,
    /// How long revocations are kept.
    pub keep: Ttl,
    pub clock: Arc<dyn Clock>,
}

/// Why there is no way to it.
#[derive(Debug, thiserror::Error)]
pub enum ValkeyError {
    #[error("TLS: {0}")]
    Tls(#[from] TlsError),
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

/// What callers and the follower have in common.
struct Shared {
    connector: Connector,
    keys: Arc<ArcSwap<ChallengeKeys>>,
    keep: Ttl,
    clock: Arc<dyn Clock>,
    revoked: Arc<Revoked>,
    link: Link,
    /// Whether all revocations were read once.
    read: watch::Sender<bool>,
    sharing: mpsc::UnboundedSender<Sharing>,
    /// Whether something is in force here that the store was not given.
    owed: AtomicBool,
    /// What the follower begins with; nothing once it began.
    queue: Mutex<Option<mpsc::UnboundedReceiver<Sharing>>>,
    /// This process among all that write.
    replica: String,
    marks: Marks,
    complaints: Complaints,
}

/// How long a revocation may take to be shared. What takes longer is shared nevertheless.
const SHARE_PATIENCE: Duration = Duration::from_millis(200);

impl Valkey {
    /// The way there. It is not gone before somebody follows.
    pub fn new(settings: Settings, revoked: Arc<Revoked>, meter: StateMeter) -> Result<Self, ValkeyError> {
        let Settings { url, keys, keep, clock } = settings;
        let (sharing, queue) = mpsc::unbounded_channel();
        Ok(Self(Arc::new(Shared {
            connector: Connector::new(url)?,
            keys,
            keep,
            clock,
            revoked,
            link: Link::new(meter),
            read: watch::Sender::new(false),
            sharing,
            owed: AtomicBool::new(false),
            queue: Mutex::new(Some(queue)),
            replica: replica_name()?,
            marks: Marks::default(),
            complaints: Complaints::default(),
        })))
    }

    /// Follows the store until it is dropped. Only the first who asks does.
    pub async fn follow(self) {
        let queue = self.0.queue.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(queue) = queue {
            Follower::new(self.0, queue).follow().await;
        }
    }

    /// Whether calls are made.
    pub fn is_up(&self) -> bool {
        self.0.link.is_up()
    }

    /// Tells when all revocations were read for the first time.
    pub fn read(&self) -> watch::Receiver<bool> {
        self.0.read.subscribe()
    }

    /// Shares revocations that are in force here. Where that can't be done now, it is done when the store is back.
    pub async fn share(&self, new: &[Revocation]) -> Result<(), Away> {
        if new.is_empty() {
            return Ok(());
        }
        if !self.is_up() {
            self.0.owe();
            return Err(self.0.link.refuse(StateOp::Revoke));
        }
        let (done, shared) = oneshot::channel();
        let queued = self.0.sharing.send(Sharing { revocations: new.to_vec(), done });
        let is_shared = queued.is_ok() && matches!(timeout(SHARE_PATIENCE, shared).await, Ok(Ok(())));
        if is_shared {
            self.0.link.meter().count(StateOp::Revoke, StateOutcome::Ok);
            Ok(())
        } else {
            self.0.owe();
            self.0.link.meter().count(StateOp::Revoke, StateOutcome::Failed);
            Err(Away)
        }
    }

    /// Records a proof as used, and says whether no replica did before.
    pub async fn spend(&self, spending: Spending, now: UnixTime) -> Result<Spent, Away> {
        spent::spend(&self.0.link, spending, now).await
    }

    /// Has a grant known to all replicas.
    pub async fn keep_grant(&self, grant: &Grant, now: UnixTime) -> Result<(), Away> {
        grants::keep(&self.0.link, &self.0.keys.load_full(), grant, now).await
    }

    /// The grants that any replica gave to a caller. Whether they still count is asked by who uses them.
    pub async fn grants_of(&self, key: &GrantKey, now: UnixTime) -> Result<Vec<Grant>, Away> {
        let found = grants::of(&self.0.link, &self.0.keys.load_full(), key, now).await?;
        self.0.complain("grants", found.unbelieved.as_ref());
        Ok(found.grants)
    }

    /// All that any replica gave and that have not expired, up to a bound.
    pub async fn all_grants(&self, now: UnixTime) -> Result<Vec<Grant>, Away> {
        let found = grants::all(&self.0.link, &self.0.keys.load_full(), now).await?;
        self.0.complain("grants", found.unbelieved.as_ref());
        Ok(found.grants)
    }

    /// Tells other replicas what was learned here of these callers.
    pub async fn put_learned(&self, baselines: &[Baseline]) -> Result<(), Away> {
        let own = (self.0.replica.as_str(), &self.0.marks);
        learned::put(&self.0.link, &self.0.keys.load_full(), own, baselines).await
    }

    /// What other replicas learned since they were listened to last: of one caller perhaps more than once.
    pub async fn learned(&self) -> Result<Vec<Baseline>, Away> {
        let own = (self.0.replica.as_str(), &self.0.marks);
        let heard = learned::read(&self.0.link, &self.0.keys.load_full(), own).await?;
        self.0.complain("what was learned", heard.unbelieved.as_ref());
        Ok(heard.baselines)
    }
}

impl Shared {
    /// Has the follower look for what the store was not given.
    fn owe(&self) {
        self.owed.store(true, Ordering::SeqCst);
    }

    /// Says that the store holds what is not believed, once in a while.
    fn complain(&self, of: &'static str, unbelieved: Option<&Unbelieved>) {
        if let Some(why) = unbelieved.filter(|_| self.complaints.is_due(self.clock.now())) {
            tracing::warn!(of, %why, "the shared state holds a value that is not believed; it is passed over");
        }
    }
}

/// When somebody complained last, so that a store full of forgeries does not fill the log.
#[derive(Default)]
struct Complaints(AtomicU64);

impl Complaints {
    const PAUSE: Ttl = Ttl::from_secs(60);

    fn is_due(&self, now: UnixTime) -> bool {
        let last = self.0.load(Ordering::Relaxed);
        let is_due = now >= UnixTime::from_secs(last).plus(Self::PAUSE);
        is_due && self.0.compare_exchange(last, now.as_secs(), Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

/// One that no other process has.
fn replica_name() -> Result<String, NoRandomness> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

impl fmt::Debug for Valkey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Valkey").field(self.0.connector.url()).finish()
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("url", &self.url).field("keep", &self.keep).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
