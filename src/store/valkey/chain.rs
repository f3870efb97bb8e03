//! The chain that shared revocations stand in. Each entry is sealed together with its place and with the seal of the entry
//! before it, so that whoever has no challenge key can neither add, change, drop nor reorder any without being noticed.
//!
//! At the front, entries leave as they grow old: each says from where on entries are still kept. Who lost the end of the
//! chain can be told only by who has seen it, which is why replicas remember what they read. No I/O here.

use crate::challenge::{ChallengeKeys, Seal, SealFault, Tag};
use crate::revocation::{Revocation, RevocationId};
use crate::time::{Ttl, UnixTime};
use foldhash::quality::RandomState;
use std::collections::{HashMap, VecDeque};

/// One revocation in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its place, the first is 1.
    pub seq: u64,
    /// The first place that was still kept when it was added.
    pub base: u64,
    /// When it was added, in milliseconds, by the clock of who added it. Nothing is decided by it.
    pub at_ms: u64,
    /// What seals the entry before it; the very first has none.
    pub previous: Option<Tag>,
    pub seal: Seal,
    /// The revocation as JSON.
    pub record: Box<str>,
}

/// Entries without a gap, each verified.
#[derive(Clone, Debug, Default)]
pub(super) struct Chain {
    links: VecDeque<Link>,
    ids: HashMap<RevocationId, usize, RandomState>,
}

#[derive(Clone, Debug)]
struct Link {
    entry: Entry,
    id: RevocationId,
    not_before: UnixTime,
}

/// What new entries are made with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms<'a> {
    pub keys: &'a ChallengeKeys,
    /// From when on revocations are still kept; nothing where the clock is not to be trusted with that.
    pub kept_from: Option<UnixTime>,
    pub now_ms: u64,
}

/// How what is remembered stands to what was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    /// All that is remembered was read, and perhaps more.
    Current,
    /// What was read ends before what is remembered does.
    Behind,
    /// They have parted: each may hold what the other does not.
    Parted,
}

/// Why entries are not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ChainFault {
    #[error("entry {0} is not written as this version writes them")]
    Form(String),
    #[error("entry {expected} is missing: {found} follows")]
    Gap { expected: u64, found: u64 },
    #[error("entry {0} does not follow the one before it")]
    Order(u64),
    #[error("entry {seq}: {why}")]
    Seal { seq: u64, why: SealFault },
    #[error("it begins with entry {first}, though all from {base} on are kept")]
    Beginning { first: u64, base: u64 },
    #[error("there were more entries once, or they have a gap")]
    End,
    #[error("it keeps more than {MAX_ENTRIES} entries")]
    TooMany,
}

/// A record of the longest task, principal and reason, all of it escaped, takes less.
pub(super) const MAX_RECORD_BYTES: usize = 32 * 1024;
/// More than any mesh revokes while records are kept, at some 500 bytes each.
pub(super) const MAX_ENTRIES: u64 = 1_000_000;
const LABEL: &[u8] = b"stepgate revocation v1";

impl Entry {
    /// One that says all this under a new seal.
    fn sealed(place: &Place, record: Box<str>, keys: &ChallengeKeys) -> Option<Self> {
        let seal = place.with_parts(&record, |parts| keys.seal(parts))?;
        let Place { seq, base, at_ms, previous } = *place;
        Some(Self { seq, base, at_ms, previous, seal, record })
    }

    const fn place(&self) -> Place {
        Place { seq: self.seq, base: self.base, at_ms: self.at_ms, previous: self.previous }
    }

    fn check_seal(&self, keys: &ChallengeKeys) -> Result<(), ChainFault> {
        let checked = self.place().with_parts(&self.record, |parts| keys.check_seal(parts, &self.seal));
        checked.map_err(|why| ChainFault::Seal { seq: self.seq, why })
    }
}

/// All of an entry that is sealed with the record.
struct Place {
    seq: u64,
    base: u64,
    at_ms: u64,
    previous: Option<Tag>,
}

impl Place {
    fn with_parts<R>(&self, record: &str, work: impl FnOnce(&[&[u8]]) -> R) -> R {
        let numbers = [self.seq, self.base, self.at_ms].map(u64::to_be_bytes).concat();
        let previous = self.previous.as_ref().map_or(&[][..], Tag::as_bytes);
        work(&[LABEL, &numbers, previous, record.as_bytes()])
    }
}

impl Chain {
    pub(super) fn tip(&self) -> Option<&Entry> {
        self.links.back().map(|link| &link.entry)
    }

    pub(super) fn holds(&self, id: &RevocationId) -> bool {
        self.ids.contains_key(id)
    }

    /// The place after the last.
    pub(super) fn next_seq(&self) -> u64 {
        self.tip().map_or(1, |tip| tip.seq.saturating_add(1))
    }

    /// Takes the entry that follows, if it does. Gives back what it revokes.
    pub(super) fn push(&mut self, entry: Entry, keys: &ChallengeKeys) -> Result<Revocation, ChainFault> {
        self.check_place(&entry)?;
        entry.check_seal(keys)?;
        if entry.seq - entry.base >= MAX_ENTRIES {
            return Err(ChainFault::TooMany);
        }
        let form = |_| ChainFault::Form(entry.seq.to_string());
        let revocation: Revocation = serde_json::from_str(&entry.record).map_err(form)?;
        *self.ids.entry(revocation.id.clone()).or_default() += 1;
        self.links.push_back(Link { entry, id: revocation.id.clone(), not_before: revocation.not_before });
        Ok(revocation)
    }

    fn check_place(&self, entry: &Entry) -> Result<(), ChainFault> {
        let seq = entry.seq;
        let Some(tip) = self.tip() else {
            // What was before the first that is read can't be told; that nothing is missing, `check_beginning` asks.
            let begins = seq >= 1 && (seq == 1) == entry.previous.is_none() && (1..=seq).contains(&entry.base);
            return if begins { Ok(()) } else { Err(ChainFault::Order(seq)) };
        };
        if seq != tip.seq.saturating_add(1) {
            return Err(ChainFault::Gap { expected: tip.seq.saturating_add(1), found: seq });
        }
        let follows = entry.previous == Some(tip.seal.tag) && (tip.base..=seq).contains(&entry.base);
        if follows { Ok(()) } else { Err(ChainFault::Order(seq)) }
    }

    /// Whether nothing is missing at the front that is still kept.
    pub(super) fn check_beginning(&self) -> Result<(), ChainFault> {
        match (self.links.front(), self.links.back()) {
            (Some(first), Some(tip)) if first.entry.seq > tip.entry.base => {
                Err(ChainFault::Beginning { first: first.entry.seq, base: tip.entry.base })
            }
            _ => Ok(()),
        }
    }

    /// The entry at a place, where it is still remembered.
    pub(super) fn at(&self, seq: u64) -> Option<&Entry> {
        let first = self.links.front()?.entry.seq;
        let index = usize::try_from(seq.checked_sub(first)?).ok()?;
        self.links.get(index).map(|link| &link.entry)
    }

    /// Those that come after a place.
    pub(super) fn after(&self, seq: u64) -> impl Iterator<Item = &Entry> {
        self.links.iter().map(|link| &link.entry).skip_while(move |entry| entry.seq <= seq)
    }

    /// Whether it holds this very entry.
    pub(super) fn has(&self, entry: &Entry) -> bool {
        self.at(entry.seq).is_some_and(|own| own.seal.tag == entry.seal.tag)
    }

    /// How this, which is remembered, stands to what was read just now.
    pub(super) fn compare(&self, read: &Self, keys: &ChallengeKeys) -> Comparison {
        let Some(tip) = self.tip() else { return Comparison::Current };
        if read.has(tip) {
            return Comparison::Current;
        }
        let begins_alike = read.tip().is_none_or(|last| self.has(last));
        // Nobody would believe what is sealed with a key that was given up since.
        let believed = || self.links.iter().all(|link| link.entry.check_seal(keys).is_ok());
        if begins_alike && believed() { Comparison::Behind } else { Comparison::Parted }
    }

    /// The entries that would add these revocations. Those that have no room are left out.
    pub(super) fn draft(&self, revocations: &[Revocation], terms: Terms<'_>) -> Vec<Entry> {
        let (mut seq, mut previous) = (self.next_seq(), self.tip().map(|tip| tip.seal.tag));
        let base = self.base(terms.kept_from);
        let mut drafted = Vec::new();
        for revocation in revocations {
            if seq.saturating_sub(base) >= MAX_ENTRIES {
                break;
            }
            let record = serde_json::to_string(revocation).ok().filter(|record| record.len() <= MAX_RECORD_BYTES);
            let place = Place { seq, base, at_ms: terms.now_ms, previous };
            let Some(entry) = record.and_then(|record| Entry::sealed(&place, record.into(), terms.keys)) else {
                continue;
            };
            (seq, previous) = (seq.saturating_add(1), Some(entry.seal.tag));
            drafted.push(entry);
        }
        drafted
    }

    /// The first place that is still kept; never one before what was said already.
    fn base(&self, kept_from: Option<UnixTime>) -> u64 {
        let said = self.tip().map_or(1, |tip| tip.base);
        let Some(kept_from) = kept_from else { return said };
        let kept = self.links.iter().find(|link| link.entry.seq >= said && link.not_before >= kept_from);
        kept.map_or_else(|| self.next_seq(), |link| link.entry.seq)
    }

    /// Forgets what all others may have forgotten, and is too old by our clock too.
    pub(super) fn forget(&mut self, kept_from: UnixTime) {
        let Some(base) = self.tip().map(|tip| tip.base) else { return };
        while self.links.front().is_some_and(|link| link.entry.seq < base && link.not_before < kept_from) {
            let Some(link) = self.links.pop_front() else { return };
            if let Some(count) = self.ids.get_mut(&link.id) {
                *count -= 1;
                if *count == 0 {
                    self.ids.remove(&link.id);
                }
            }
        }
    }
}

/// From when on revocations are kept in the chain: a little longer than in any process, so that none comes back through
/// a replica whose clock is late.
pub(super) fn kept_from(now: UnixTime, keep: Ttl) -> UnixTime {
    const LEEWAY: Ttl = Ttl::from_secs(120);
    now.minus(keep.plus(LEEWAY))
}

#[cfg(test)]
mod tests;
