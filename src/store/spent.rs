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
pub struct SpentProofs {
    shards: Vec<Mutex<Shard>>,
    hasher: RandomState,
    capacity_each: usize,
}

#[derive(Debug, Default)]
struct Shard {
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
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { shards, hasher: RandomState::default(), capacity_each: capacity.div_ceil(SHARDS) }
    }

    /// Records a proof as used, and says whether nobody did before.
    pub fn spend(&self, spending: Spending, now: UnixTime) -> Spent {
        let index = usize::try_from(self.hasher.hash_one(spending.key)).unwrap_or(0) % SHARDS;
        let Some(shard) = self.shards.get(index) else { return Spent::Full };
        // A poisoned shard is still exact: nothing in it is left half done.
        shard.lock().unwrap_or_else(PoisonError::into_inner).spend(spending, now, self.capacity_each)
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
mod tests {
    use super::*;
    use crate::time::Ttl;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

    fn proof(number: u64) -> Spending {
        Spending { key: Thumbprint::of(&number.to_be_bytes()), until: NOW.plus(Ttl::from_secs(60)) }
    }

    #[test]
    fn a_proof_passes_once_until_it_can_not_pass_any_more() {
        let spent = SpentProofs::new(1_000);
        assert_eq!(spent.spend(proof(1), NOW), Spent::First);
        assert_eq!(spent.spend(proof(1), NOW), Spent::Replayed);
        assert_eq!(spent.spend(proof(2), NOW), Spent::First);
        assert_eq!(spent.spend(proof(1), NOW.plus(Ttl::from_secs(60))), Spent::Replayed);
    }

    #[test]
    fn a_clock_that_goes_back_does_not_bring_a_proof_back() {
        let spent = SpentProofs::new(1);
        assert_eq!(spent.spend(proof(1), NOW), Spent::First);
        for number in 2..200 {
            let later = Spending { until: NOW.plus(Ttl::from_secs(180)), ..proof(number) };
            spent.spend(later, NOW.plus(Ttl::from_secs(120)));
        }
        assert_eq!(spent.spend(proof(1), NOW), Spent::Replayed);
    }

    #[test]
    fn what_can_not_pass_any_more_makes_room() {
        let spent = SpentProofs::new(SHARDS);
        for number in 0..10_000 {
            spent.spend(proof(number), NOW);
        }
        assert_eq!(spent.spend(proof(10_001), NOW), Spent::Full);
        let later = Spending { until: NOW.plus(Ttl::from_secs(121)), ..proof(10_001) };
        assert_eq!(spent.spend(later, NOW.plus(Ttl::from_secs(61))), Spent::First);
    }

    #[test]
    fn of_many_at_once_exactly_one_is_first() {
        let (spent, firsts) = (Arc::new(SpentProofs::new(100_000)), Arc::new(AtomicUsize::new(0)));
        let threads: Vec<_> = (0..8)
            .map(|_| {
                let (spent, firsts) = (Arc::clone(&spent), Arc::clone(&firsts));
                std::thread::spawn(move || {
                    let mine = (0..2_000).filter(|number| spent.spend(proof(*number), NOW) == Spent::First).count();
                    firsts.fetch_add(mine, Ordering::Relaxed);
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(firsts.load(Ordering::Relaxed), 2_000);
    }
}
