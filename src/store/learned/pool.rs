//! Identities that the policy does not name one by one.

use super::export::LearnedRecord;
use super::places::Places;
use super::ranks::{Key, Memory, Ranks, SETTLED_AFTER};
use super::record::{Call, Record};
use crate::context::Familiarity;
use crate::identity::Principal;
use crate::store::CacheSize;
use crate::time::UnixTime;

#[derive(Debug)]
pub(super) struct Pool(Ranks<Principal, Record>);

impl Pool {
    /// Nobody is given up for being away: who comes back after long is dormant, and no stranger.
    pub(super) fn new(bytes: u64) -> Self {
        Self(Ranks::new(bytes, None))
    }
}

impl Places for Pool {
    fn compare(&self, call: &Call<'_>) -> Familiarity {
        let known = self.0.read(&call.sighting.principal, |record| record.compare(call));
        known.unwrap_or_else(|| Record::default().compare(call))
    }

    fn learn(&self, call: &Call<'_>) {
        self.0.change(&call.sighting.principal, |record| record.learn(call));
    }

    fn principals(&self) -> Vec<Principal> {
        self.0.keys()
    }

    fn take(&self, principal: &Principal) -> Option<Record> {
        self.0.take(principal)
    }

    fn put(&self, principal: &Principal, record: Record) {
        self.0.change(principal, |own| own.give_way_to(record));
    }

    /// The settled first: a flood of newcomers keeps none of them from being kept.
    fn take_changes(&self, most: usize) -> Vec<LearnedRecord> {
        self.0.gather(most, |principal, record| record.take_changes(principal))
    }

    fn mark_changed(&self, principal: &Principal) {
        self.0.change_known(principal, Record::mark_changed);
    }

    fn merge(&self, record: &LearnedRecord, now: UnixTime) {
        self.0.change(&record.principal, |own| own.merge(record, now));
    }

    fn size(&self, cache: &'static str) -> CacheSize {
        let (entries, bytes) = self.0.size();
        CacheSize { cache, entries, bytes }
    }
}

impl Key for Principal {
    fn heap_bytes(&self) -> usize {
        self.as_str().len()
    }
}

impl Memory for Record {
    fn is_settled(&self) -> bool {
        self.calls() >= SETTLED_AFTER
    }

    fn heap_bytes(&self) -> usize {
        self.heap_bytes()
    }
}
