//! Proofs that were used in this process: exact and bounded. A proof is remembered until it can't be valid any more, and
//! when there is no room for one more, it does not pass.

use crate::attestation::Thumbprint;
use crate::case::{Spending, Spent};
use crate::time::UnixTime;
use foldhash::quality::RandomState;
use std::collections::{BTreeMap, HashSet};
use std::hash::BuildHasher;
use std::sync::{Mutex, PoisonError};

/// All proofs that were spent and could still be shown again.
#[derive(Debug)]
pub struct SpentProofs<L = Mutex<Shard>> {
    shards: Vec<L>,
    hasher: RandomState,
    capacity_each: usize,
}

/// What lets one thread at a time at something. It can be exchanged, so that a model can try every order of the threads.
pub trait Lock<T>: Default {
    fn locked<R>(&self, work: impl FnOnce(&mut T) -> R) -> R;
}

/// Some of the proofs, under a lock of their own.
#[derive(Debug, Default)]
pub struct Shard {
    spent: HashSet<Thumbprint, RandomState>,
    /// What to forget, by the moment after which it can be forgotten.
    ends: BTreeMap<UnixTime, Vec<Thumbprint>>,
    /// Everything that could pass until before this is forgotten. Should the clock go back, it is not known any more.
    forgotten: Option<UnixTime>,
}

/// So that cores seldom meet; a power of two keeps them even.
const SHARDS: usize = 64;

impl SpentProofs {
    /// More than one process can verify while a proof lives (70 s of two cores), at some 100 bytes each.
    pub const DEFAULT_CAPACITY: usize = 4_000_000;

    pub fn new(capacity: usize) -> Self {
        Self::in_shards(SHARDS, capacity)
    }
}

impl<L: Lock<Shard>> SpentProofs<L> {
    /// Takes every proof that could pass until before this as used: what was remembered of them is gone.
    pub fn forget_before(&self, time: UnixTime) {
        self.shards.iter().for_each(|shard| shard.locked(|shard| shard.forget_before(time)));
    }

    fn in_shards(shards: usize, capacity: usize) -> Self {
        Self {
            shards: (0..shards).map(|_| L::default()).collect(),
            hasher: RandomState::default(),
            capacity_each: capacity.div_ceil(shards),
        }
    }

    /// Records a proof as used, and says whether nobody did before.
    pub fn spend(&self, spending: Spending, now: UnixTime) -> Spent {
        let index = usize::try_from(self.hasher.hash_one(spending.key)).unwrap_or(0) % self.shards.len();
        let Some(shard) = self.shards.get(index) else { return Spent::Full };
        shard.locked(|shard| shard.spend(spending, now, self.capacity_each))
    }
}

impl<T: Default> Lock<T> for Mutex<T> {
    fn locked<R>(&self, work: impl FnOnce(&mut T) -> R) -> R {
        // What is poisoned is still exact: nothing in a shard is left half done.
        work(&mut self.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Shard {
    fn spend(&mut self, spending: Spending, now: UnixTime, capacity: usize) -> Spent {
        self.forget_before(now);
        let maybe_forgotten = self.forgotten.is_some_and(|before| spending.until < before);
        if maybe_forgotten || self.spent.contains(&spending.key) {
            return Spent::Replayed;
        }
        if self.spent.len() >= capacity {
            return Spent::Full;
        }
        self.spent.insert(spending.key);
        self.ends.entry(spending.until).or_default().push(spending.key);
        Spent::First
    }

    fn forget_before(&mut self, now: UnixTime) {
        while let Some(end) = self.ends.first_entry().filter(|end| *end.key() < now) {
            for key in end.remove() {
                self.spent.remove(&key);
            }
        }
        self.forgotten = self.forgotten.max(Some(now));
    }
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
