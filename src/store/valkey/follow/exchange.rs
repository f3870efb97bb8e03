//! Takes what others added, and adds what is new here.

use super::{CLOCK_SKEW, Ending, Follower, MOST_AT_ONCE, MOST_CONFLICTS, Sharing};
use crate::revocation::{Revocation, RevocationId};
use crate::store::valkey::chain::{Chain, Entry, Terms, kept_from};
use crate::store::valkey::stream::{self, Appended, PAGE, StreamError};
use crate::time::{Ttl, UnixTime};
use redis::aio::MultiplexedConnection;
use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

impl Follower {
    /// Entries that were heard. Our own are known.
    pub(super) fn take(&mut self, entries: Vec<Entry>) -> Result<(), Ending> {
        let new = entries.into_iter().skip_while(|entry| self.chain.has(entry)).collect::<Vec<_>>();
        let now = self.shared.clock.since_epoch();
        let lags: Vec<_> = new.iter().map(|entry| now.saturating_sub(Duration::from_millis(entry.at_ms))).collect();
        let mut chain = std::mem::take(&mut self.chain);
        let taken = self.enforce(&mut chain, new);
        self.chain = chain;
        taken?;
        for lag in lags {
            self.shared.link.meter().came_after(lag);
        }
        Ok(())
    }

    /// Takes entries into a chain, and puts in force what they revoke.
    pub(super) fn enforce(&self, chain: &mut Chain, entries: Vec<Entry>) -> Result<(), StreamError> {
        let (keys, now) = (self.shared.keys.load(), self.shared.clock.now());
        let oldest = now.minus(self.shared.keep);
        let mut revocations = Vec::with_capacity(entries.len());
        let mut taken = Ok(());
        for entry in entries {
            match chain.push(entry, &keys) {
                Ok(revocation) => revocations.push(not_later(revocation, now)),
                Err(fault) => {
                    taken = Err(fault.into());
                    break;
                }
            }
        }
        // Those before a fault are genuine.
        let (kept, old): (Vec<_>, Vec<_>) = revocations.into_iter().partition(|one| one.not_before >= oldest);
        if let Some(latest) = old.iter().map(|one| one.not_before).max() {
            self.shared.revoked.forget_before(latest.plus(Ttl::from_secs(1)));
        }
        self.shared.revoked.add(kept);
        taken
    }

    /// Adds these, and whatever else waits to be added.
    pub(super) async fn share(&mut self, first: Sharing, pen: &mut MultiplexedConnection) -> Result<(), Ending> {
        let (mut revocations, mut waiting) = (first.revocations, vec![first.done]);
        while revocations.len() < MOST_AT_ONCE
            && let Ok(Sharing { revocations: more, done }) = self.queue.try_recv()
        {
            revocations.extend(more);
            waiting.push(done);
        }
        self.add(revocations, pen).await?;
        for done in waiting {
            let _ = done.send(()); // who does not wait any more does not mind
        }
        Ok(())
    }

    /// Adds what is in force here and not in the store.
    pub(super) async fn pay(&mut self, pen: &mut MultiplexedConnection) -> Result<(), Ending> {
        let oldest = kept_from(self.shared.clock.now(), self.shared.keep);
        self.chain.forget(oldest);
        if self.shared.owed.swap(false, Ordering::SeqCst) {
            self.add(self.shared.revoked.records(), pen).await?;
        }
        Ok(())
    }

    async fn add(&mut self, revocations: Vec<Revocation>, pen: &mut MultiplexedConnection) -> Result<(), Ending> {
        let new = self.lacking(revocations);
        for some in new.chunks(PAGE) {
            self.add_some(some, pen).await?;
        }
        Ok(())
    }

    /// Those that the chain has not, and that are not too old for it, each once.
    fn lacking(&self, mut revocations: Vec<Revocation>) -> Vec<Revocation> {
        let oldest = self.shared.clock.now().minus(self.shared.keep);
        let mut seen: HashSet<RevocationId> = HashSet::new();
        revocations.retain(|one| one.not_before >= oldest && !self.chain.holds(&one.id) && seen.insert(one.id.clone()));
        revocations
    }

    async fn add_some(&mut self, revocations: &[Revocation], pen: &mut MultiplexedConnection) -> Result<(), Ending> {
        for _ in 0..MOST_CONFLICTS {
            let new = self.lacking(revocations.to_vec());
            if new.is_empty() {
                return Ok(());
            }
            let drafted = self.draft(&new);
            if drafted.is_empty() {
                return Err(Ending::Full);
            }
            match stream::append(pen, self.chain.tip(), &drafted).await? {
                Appended::Done => self.take_own(drafted)?,
                Appended::Conflict => self.give_way(pen).await?,
                Appended::Blocked => return Err(Ending::Lost),
            }
        }
        Err(Ending::Crowded)
    }

    fn draft(&self, revocations: &[Revocation]) -> Vec<Entry> {
        let now = self.shared.clock.now();
        let now_ms = u64::try_from(self.shared.clock.since_epoch().as_millis()).unwrap_or(u64::MAX);
        let kept_from = (self.clock_agrees == Some(true)).then(|| kept_from(now, self.shared.keep));
        self.chain.draft(revocations, Terms { keys: &self.shared.keys.load(), kept_from, now_ms })
    }

    fn take_own(&mut self, entries: Vec<Entry>) -> Result<(), Ending> {
        let mut chain = std::mem::take(&mut self.chain);
        let taken = self.enforce(&mut chain, entries);
        self.chain = chain;
        Ok(taken?)
    }

    /// Somebody else added something first: that comes before ours.
    async fn give_way(&mut self, pen: &mut MultiplexedConnection) -> Result<(), Ending> {
        let page = stream::page(pen, self.last_seq()).await?;
        if page.is_empty() {
            return Err(Ending::Lost);
        }
        self.take(page)
    }
}

/// Nothing is revoked from a time that is yet to come, whatever the clock of another replica says: it would void what is
/// not issued yet.
fn not_later(mut revocation: Revocation, now: UnixTime) -> Revocation {
    let latest = now.plus(CLOCK_SKEW);
    if revocation.not_before > latest {
        tracing::warn!(id = %revocation.id, "a revocation is from the future, by the clock of another replica; it holds from now on");
        revocation.not_before = latest;
    }
    revocation
}
