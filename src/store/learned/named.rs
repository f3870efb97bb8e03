//! Identities that the policy names: each has a place of its own, and there are no more than names in the policy.

use super::export::LearnedRecord;
use super::locked;
use super::places::Places;
use super::record::{Call, Record};
use crate::context::Familiarity;
use crate::identity::Principal;
use crate::store::CacheSize;
use crate::time::UnixTime;
use foldhash::quality::RandomState;
use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::Mutex;

#[derive(Debug)]
pub(super) struct Named {
    shards: [Mutex<Shard>; SHARDS],
    hasher: RandomState,
}

type Shard = HashMap<Principal, Record, RandomState>;

/// So that cores seldom meet; a power of two keeps them even.
const SHARDS: usize = 64;

impl Named {
    fn shard(&self, principal: &Principal) -> &Mutex<Shard> {
        let [first, ..] = &self.shards;
        let index = usize::try_from(self.hasher.hash_one(principal)).unwrap_or(0) % SHARDS;
        self.shards.get(index).unwrap_or(first)
    }
}

impl Default for Named {
    fn default() -> Self {
        Self { shards: std::array::from_fn(|_| Mutex::default()), hasher: RandomState::default() }
    }
}

impl Places for Named {
    fn compare(&self, call: &Call<'_>) -> Familiarity {
        let principal = &call.sighting.principal;
        match locked(self.shard(principal)).get(principal) {
            Some(record) => record.compare(call),
            None => Record::default().compare(call),
        }
    }

    fn learn(&self, call: &Call<'_>) {
        let principal = &call.sighting.principal;
        let mut shard = locked(self.shard(principal));
        if let Some(record) = shard.get_mut(principal) {
            record.learn(call);
        } else {
            shard.entry(principal.clone()).or_default().learn(call);
        }
    }

    fn principals(&self) -> Vec<Principal> {
        self.shards.iter().flat_map(|shard| locked(shard).keys().cloned().collect::<Vec<_>>()).collect()
    }

    fn take(&self, principal: &Principal) -> Option<Record> {
        locked(self.shard(principal)).remove(principal)
    }

    fn put(&self, principal: &Principal, record: Record) {
        locked(self.shard(principal)).entry(principal.clone()).or_default().give_way_to(record);
    }

    fn take_changes(&self, most: usize) -> Vec<LearnedRecord> {
        let mut changes = Vec::new();
        for shard in &self.shards {
            let mut shard = locked(shard);
            let news = shard.iter_mut().filter_map(|(principal, record)| record.take_changes(principal));
            changes.extend(news.take(most - changes.len()));
        }
        changes
    }

    fn mark_changed(&self, principal: &Principal) {
        if let Some(record) = locked(self.shard(principal)).get_mut(principal) {
            record.mark_changed();
        }
    }

    fn merge(&self, record: &LearnedRecord, now: UnixTime) {
        let principal = &record.principal;
        locked(self.shard(principal)).entry(principal.clone()).or_default().merge(record, now);
    }

    fn size(&self, cache: &'static str) -> CacheSize {
        let own = size_of::<(Principal, Record)>();
        let (mut entries, mut bytes) = (0, 0);
        for shard in &self.shards {
            let shard = locked(shard);
            entries += shard.len();
            bytes += shard.capacity() * own;
            bytes += shard.iter().map(|(name, record)| name.as_str().len() + record.heap_bytes()).sum::<usize>();
        }
        CacheSize { cache, entries: entries as u64, bytes: bytes as u64 }
    }
}
