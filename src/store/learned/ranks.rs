//! Bounded memory in which newcomers never compete with the settled.
//!
//! What was learned from [`SETTLED_AFTER`] times is settled. The settled have three quarters of the room and lose it only to
//! one another: to get in, one must have been seen more often of late than the one that would go (moka's `TinyLFU`). The
//! newcomers have the rest, and each keeps its place until a whole quarter of the room was filled by others since it was last
//! seen. So who floods the memory with names seen once or twice pushes out only what is about as new; each name would have
//! to be allowed sixteen times before it could cost a settled one its place.

use super::locked;
use foldhash::quality::RandomState;
use moka::policy::EvictionPolicy;
use moka::sync::{Cache, CacheBuilder};
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// As often as `TinyLFU` can count (4 bits), so that who settles is at the top of its scale; and long before learned
/// signals may usually fire, so that who has most to lose is settled.
pub(super) const SETTLED_AFTER: u32 = 16;

#[derive(Debug)]
pub(super) struct Ranks<K: Key, T: Memory> {
    settled: Rank<K, T>,
    newcomers: Rank<K, T>,
}

/// What finds a memory.
pub(super) trait Key: Clone + Eq + Hash + Send + Sync + fmt::Debug + 'static {
    fn heap_bytes(&self) -> usize;
}

/// What is remembered under a key.
pub(super) trait Memory: Default + Send + fmt::Debug + 'static {
    fn is_settled(&self) -> bool;

    fn heap_bytes(&self) -> usize;
}

type Rank<K, T> = Cache<K, Arc<Mutex<T>>, RandomState>;

/// What moka and the allocator keep for an entry besides key and memory, measured at 100,000 entries.
const ENTRY_BYTES: usize = 450;

impl<K: Key, T: Memory> Ranks<K, T> {
    /// What is not seen for so long as `idle` is given up.
    pub(super) fn new(bytes: u64, idle: Option<Duration>) -> Self {
        Self {
            settled: rank(bytes / 4 * 3, EvictionPolicy::tiny_lfu(), idle),
            newcomers: rank(bytes / 4, EvictionPolicy::lru(), idle),
        }
    }

    pub(super) fn read<R>(&self, key: &K, ask: impl FnOnce(&T) -> R) -> Option<R> {
        self.change_known(key, |memory| ask(memory))
    }

    /// Nothing where it is not known. A change that makes it larger or settled is none for here.
    pub(super) fn change_known<R>(&self, key: &K, change: impl FnOnce(&mut T) -> R) -> Option<R> {
        let memory = self.settled.get(key).or_else(|| self.newcomers.get(key))?;
        Some(change(&mut locked(&memory)))
    }

    /// Who is not known yet becomes a newcomer. Should two first sights of one meet, one of them may be lost.
    pub(super) fn change(&self, key: &K, change: impl FnOnce(&mut T)) {
        let settled = self.settled.get(key);
        let is_settled = settled.is_some();
        let Some(shared) = settled.or_else(|| self.newcomers.get(key)) else {
            let mut memory = T::default();
            change(&mut memory);
            let rank = if memory.is_settled() { &self.settled } else { &self.newcomers };
            rank.insert(key.clone(), Arc::new(Mutex::new(memory)));
            return;
        };
        let (grown, settles) = {
            let mut memory = locked(&shared);
            let bytes = memory.heap_bytes();
            change(&mut memory);
            (memory.heap_bytes() != bytes, memory.is_settled() && !is_settled)
        };
        if settles {
            self.settled.insert(key.clone(), shared);
            self.newcomers.invalidate(key);
        } else if grown {
            // Put in once more, it is weighed again.
            let rank = if is_settled { &self.settled } else { &self.newcomers };
            rank.insert(key.clone(), shared);
        }
    }

    pub(super) fn take(&self, key: &K) -> Option<T> {
        let newcomer = self.newcomers.remove(key);
        let shared = self.settled.remove(key).or(newcomer)?;
        Some(std::mem::take(&mut *locked(&shared)))
    }

    /// What `pick` takes of as many as `most`, the settled first. To be looked at so counts as no use.
    pub(super) fn gather<R>(&self, most: usize, mut pick: impl FnMut(&K, &mut T) -> Option<R>) -> Vec<R> {
        let both = [&self.settled, &self.newcomers].into_iter().flatten();
        both.filter_map(|(key, memory)| pick(&key, &mut locked(&memory))).take(most).collect()
    }

    pub(super) fn keys(&self) -> Vec<K> {
        let both = [&self.settled, &self.newcomers].into_iter();
        both.flat_map(|rank| rank.iter().map(|(key, _)| (*key).clone())).collect()
    }

    /// How many there are, and how many bytes they take.
    pub(super) fn size(&self) -> (u64, u64) {
        let each = [&self.settled, &self.newcomers].map(|rank| {
            // moka counts what it has tidied up.
            rank.run_pending_tasks();
            (rank.entry_count(), rank.weighted_size())
        });
        each.into_iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    }
}

fn rank<K: Key, T: Memory>(bytes: u64, policy: EvictionPolicy, idle: Option<Duration>) -> Rank<K, T> {
    let weigh = |key: &K, memory: &Arc<Mutex<T>>| {
        let own = size_of::<K>() + key.heap_bytes() + size_of::<T>() + locked(memory).heap_bytes();
        u32::try_from(own + ENTRY_BYTES).unwrap_or(u32::MAX)
    };
    let builder = CacheBuilder::new(bytes).weigher(weigh).eviction_policy(policy);
    let builder = if let Some(idle) = idle { builder.time_to_idle(idle) } else { builder };
    builder.build_with_hasher(RandomState::default())
}
