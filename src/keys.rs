//! The keys of issuers as they are now. What a policy gives itself stays; what it only names is followed, at a URL or over
//! the SPIFFE Workload API, by a task for each issuer that keeps the last good set. Whatever changes becomes a new keyring
//! and is published at once, so that what a removed key signed is void from the next request on.
//!
//! Not here: which keys are good and whom they may speak for, which is the core's.

mod assigned;
mod backoff;
mod error;
mod fetch;
mod follow;
mod keeper;
mod meter;
mod source;
mod workload;

pub use backoff::Roll;
pub use meter::{KeyMeter, KeyOutcome};
pub use source::Unreached;

use crate::attestation::Keyring;
use crate::case::Renewal;
use crate::clock::Clock;
use crate::policy::{KeyOrigin, Name};
use assigned::{Assigned, Keys};
use source::{Source, World};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Follows the keys of all issuers of the policy in force. Clones follow the same.
#[derive(Clone)]
pub struct KeySources(Arc<Inner>);

struct Inner {
    assigned: Mutex<Assigned>,
    /// That of the keyring that was published last.
    generation: AtomicU64,
    publish: Publish,
    meter: MeterOf,
    clock: Arc<dyn Clock>,
    roll: Roll,
    waiting: Semaphore,
}

/// Has everybody judge by this keyring from now on.
pub type Publish = Box<dyn Fn(Keyring) + Send + Sync>;
/// The meter of an issuer.
pub type MeterOf = Box<dyn Fn(&Name) -> prometheus::Result<KeyMeter> + Send + Sync>;

/// The keys of a policy that is not in force yet: those that are new are being followed already.
#[derive(Debug)]
pub struct Prepared(Vec<Keys>);

/// How long a call waits for keys that it needs: most providers answer in a tenth of it, and Envoy waits too.
const RENEWAL_PATIENCE: Duration = Duration::from_secs(1);
/// Calls that wait at a time. Who sends tokens by unknown keys must not fill the memory with waiting calls.
const MAX_WAITING: usize = 256;

impl KeySources {
    pub fn new(publish: Publish, meter: MeterOf, clock: Arc<dyn Clock>, roll: Roll) -> Self {
        Self(Arc::new(Inner {
            assigned: Mutex::default(),
            generation: AtomicU64::new(0),
            publish,
            meter,
            clock,
            roll,
            waiting: Semaphore::new(MAX_WAITING),
        }))
    }

    /// Follows what is new in these issuers, named in the policy's order, and gives it some time to arrive. What is followed
    /// already stays as it is.
    pub async fn prepare(
        &self,
        issuers: impl IntoIterator<Item = (Name, KeyOrigin)>,
        patience: Duration,
    ) -> prometheus::Result<Prepared> {
        let issuers = issuers.into_iter().map(|(issuer, origin)| self.keys_of(issuer, origin));
        let prepared = Prepared(issuers.collect::<Result<_, _>>()?);
        let arrivals = async {
            for keys in &prepared.0 {
                if let Keys::Followed(source) = keys {
                    source.unreached().reached().await;
                }
            }
        };
        // What did not arrive in time is away, and is told when it comes.
        let _ = timeout(patience, arrivals).await;
        Ok(prepared)
    }

    /// Brings a policy's keys into force together with it: `swap` puts both in force, and no change of keys comes between.
    /// Where it fails, everything stays as it was.
    pub fn adopt<E>(&self, prepared: Prepared, swap: impl FnOnce(Keyring) -> Result<(), E>) -> Result<(), E> {
        let mut assigned = self.0.assigned();
        let next = assigned.next(prepared.0);
        swap(next.keyring())?;
        next.tell_given(self.0.clock.now());
        self.0.generation.store(next.generation, Ordering::Release);
        *assigned = next;
        Ok(())
    }

    /// Looks whether these issuers have newer keys than those of this generation. However many ask, an issuer is asked once
    /// in ten seconds.
    pub async fn renew<'n>(&self, judged_by: u64, issuers: impl Iterator<Item = &'n Name>) -> Renewal {
        if self.generation() == judged_by
            && let Ok(_place) = self.0.waiting.try_acquire()
        {
            let looks: Vec<_> = self.0.assigned().followed(issuers).filter_map(|source| source.ask()).collect();
            let all = async {
                for look in looks {
                    look.done().await;
                }
            };
            // Whoever is late serves the next call.
            let _ = timeout(RENEWAL_PATIENCE, all).await;
        }
        if self.generation() == judged_by { Renewal::Unchanged } else { Renewal::Renewed }
    }

    /// The issuers of the policy in force whose keys were never there.
    pub fn unreached(&self) -> Vec<Unreached> {
        self.0.assigned().sources().filter(|source| !source.is_reached()).map(|source| source.unreached()).collect()
    }

    fn generation(&self) -> u64 {
        self.0.generation.load(Ordering::Acquire)
    }

    fn keys_of(&self, issuer: Name, origin: KeyOrigin) -> prometheus::Result<Keys> {
        let meter = (self.0.meter)(&issuer)?;
        let remote = match origin {
            KeyOrigin::Given(set) => return Ok(Keys::Given(set, meter)),
            KeyOrigin::Remote(remote) => remote,
        };
        let followed = self.0.assigned().source(&issuer, &remote);
        let world = || self.0.world(meter);
        Ok(Keys::Followed(followed.unwrap_or_else(|| Arc::new(Source::follow(issuer, remote, world())))))
    }
}

impl Inner {
    fn assigned(&self) -> MutexGuard<'_, Assigned> {
        self.assigned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Publishes what the sources hold now.
    fn publish(&self) {
        let mut assigned = self.assigned();
        if let Some(keyring) = assigned.renewed() {
            let generation = keyring.generation();
            (self.publish)(keyring);
            self.generation.store(generation, Ordering::Release);
        }
    }

    fn world(self: &Arc<Self>, meter: KeyMeter) -> World {
        let weak: Weak<Self> = Arc::downgrade(self);
        let changed = Box::new(move || {
            if let Some(inner) = weak.upgrade() {
                inner.publish();
            }
        });
        World { changed, meter, clock: Arc::clone(&self.clock), roll: self.roll }
    }
}

impl fmt::Debug for KeySources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySources").field("generation", &self.generation()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
