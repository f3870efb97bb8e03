//! Which of the file's records still count, and how many bytes they take: so it is known when the rest is worth leaving
//! behind, without reading the file.

use super::entry::Entry;
use crate::identity::Principal;
use crate::time::{Ttl, UnixTime};
use foldhash::quality::RandomState;
use rpds::HashTrieMapSync;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// What was left behind because it had ended. It counts again should the clock go back, or revocations be kept for longer
/// than before; so whatever could need it must not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forgotten {
    /// Proofs that could pass until before this may have been used.
    pub spent_before: UnixTime,
    /// What was issued before this may have been revoked.
    pub revoked_before: UnixTime,
}

/// A copy costs little, so that who leaves the dead behind can work on one.
#[derive(Clone, Debug)]
pub(super) struct Live {
    /// How long revocations are kept.
    keep: Ttl,
    /// Bytes of used proofs, by the last moment at which they could pass.
    spent: BTreeMap<UnixTime, u64>,
    /// Bytes of revocations, by what they make void.
    revoked: BTreeMap<UnixTime, u64>,
    /// The latest record of each identity.
    learned: HashTrieMapSync<Principal, Latest, RandomState>,
    bytes: u64,
    pub forgotten: Forgotten,
}

/// What has to be known of a line.
#[derive(Debug)]
pub(super) struct Mark {
    pub what: What,
    pub line: LineMark,
}

/// What it is about.
#[derive(Debug)]
pub(super) enum What {
    Spent(UnixTime),
    Revoked(UnixTime),
    Learned(Principal, Weight),
    /// Of the file itself.
    Own,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LineMark {
    pub crc: u32,
    pub bytes: u64,
}

/// Which of two identities stays, should there be too many.
type Weight = (bool, UnixTime);

#[derive(Clone, Copy, Debug)]
struct Latest {
    line: LineMark,
    weight: Weight,
}

/// More than [`crate::store::Learned`] has room for beside those that the policy names, and than most policies name.
pub(super) const MOST_LEARNED: usize = 150_000;
/// Who was seen as often is not an invention; as in memory.
const SETTLED_AFTER: u32 = 16;
/// Longer than clocks differ: nobody who knows better takes a proof that ended so long ago.
const MARGIN: Ttl = Ttl::from_secs(60);

impl Forgotten {
    pub const NOTHING: Self = Self { spent_before: UnixTime::from_secs(0), revoked_before: UnixTime::from_secs(0) };
}

impl Live {
    pub(super) fn none(keep: Ttl) -> Self {
        let learned = HashTrieMapSync::new_with_hasher_and_ptr_kind(RandomState::default());
        let (spent, revoked) = (BTreeMap::new(), BTreeMap::new());
        Self { keep, spent, revoked, learned, bytes: 0, forgotten: Forgotten::NOTHING }
    }

    /// Takes note of a line that is in the file.
    pub(super) fn note(&mut self, mark: Mark) {
        let bytes = mark.line.bytes;
        match mark.what {
            What::Spent(until) => *self.spent.entry(until).or_default() += bytes,
            What::Revoked(not_before) => *self.revoked.entry(not_before).or_default() += bytes,
            What::Learned(principal, weight) => {
                self.bytes -= self.learned.get(&principal).map_or(0, |known| known.line.bytes);
                self.learned.insert_mut(principal, Latest { line: mark.line, weight });
                if self.learned.size() > MOST_LEARNED / 4 * 5 {
                    self.crop(MOST_LEARNED);
                }
            }
            What::Own => return,
        }
        self.bytes += bytes;
    }

    /// Leaves out what has ended by now, and the identities that are too many.
    pub(super) fn forget(&mut self, now: UnixTime) {
        let spent_before = take_before(&mut self.spent, now.minus(MARGIN), &mut self.bytes);
        let revoked_before = take_before(&mut self.revoked, now.minus(self.keep), &mut self.bytes);
        self.forgot(Forgotten { spent_before, revoked_before });
        self.crop(MOST_LEARNED);
    }

    pub(super) fn forgot(&mut self, forgotten: Forgotten) {
        let Forgotten { spent_before, revoked_before } = forgotten;
        self.forgotten.spent_before = self.forgotten.spent_before.max(spent_before);
        self.forgotten.revoked_before = self.forgotten.revoked_before.max(revoked_before);
    }

    /// Whether an entry still counts, as it stands in a line with this checksum.
    pub(super) fn holds(&self, entry: &Entry<'_>, crc: u32) -> bool {
        match entry {
            Entry::Spent(spending) => self.holds_spent(spending.until),
            Entry::Revoked(revocation) => self.holds_revoked(revocation.not_before),
            Entry::Learned(record) => self.learned.get(&record.principal).is_some_and(|latest| latest.line.crc == crc),
            Entry::ScopeKey(_) | Entry::Forgotten(_) => false,
        }
    }

    pub(super) fn holds_spent(&self, until: UnixTime) -> bool {
        self.spent.contains_key(&until)
    }

    pub(super) fn holds_revoked(&self, not_before: UnixTime) -> bool {
        self.revoked.contains_key(&not_before)
    }

    pub(super) fn holds_learned(&self, principal: &Principal) -> bool {
        self.learned.contains_key(principal)
    }

    /// Whether there is anything to leave behind.
    pub(super) const fn has_dead(&self, file_bytes: u64) -> bool {
        file_bytes.saturating_sub(self.bytes) > OWN_BYTES
    }

    /// Whether it is worth it to leave the dead behind: they are more than the living, and not a trifle.
    pub(super) const fn is_outweighed(&self, file_bytes: u64) -> bool {
        let dead = file_bytes.saturating_sub(self.bytes);
        dead > self.bytes && dead > TRIFLE
    }

    /// Leaves out the identities that are too many: first those that were seen a few times only, and then those that were
    /// not seen for longest.
    fn crop(&mut self, most: usize) {
        if self.learned.size() <= most {
            return;
        }
        let mut all: Vec<_> =
            self.learned.iter().map(|(name, latest)| (Reverse(latest.weight), name.clone())).collect();
        all.sort_unstable();
        for (_, name) in all.iter().skip(most) {
            self.bytes -= self.learned.get(name).map_or(0, |known| known.line.bytes);
            self.learned.remove_mut(name);
        }
    }
}

/// More than the file's own lines take.
const OWN_BYTES: u64 = 256;
/// What is worth no new file.
const TRIFLE: u64 = 1 << 20;

/// Takes out what is before a moment, and says before what all of that was.
fn take_before(ends: &mut BTreeMap<UnixTime, u64>, moment: UnixTime, bytes: &mut u64) -> UnixTime {
    let later = ends.split_off(&moment);
    let gone = std::mem::replace(ends, later);
    *bytes -= gone.values().sum::<u64>();
    gone.last_key_value().map_or(UnixTime::from_secs(0), |(last, _)| last.plus(Ttl::from_secs(1)))
}

impl Mark {
    pub(super) fn of(entry: &Entry<'_>, crc: u32, bytes: u64) -> Self {
        let what = match entry {
            Entry::Spent(spending) => What::Spent(spending.until),
            Entry::Revoked(revocation) => What::Revoked(revocation.not_before),
            Entry::Learned(record) => {
                What::Learned(record.principal.clone(), (record.calls >= SETTLED_AFTER, record.last_seen))
            }
            Entry::ScopeKey(_) | Entry::Forgotten(_) => What::Own,
        };
        Self { what, line: LineMark { crc, bytes } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
    const KEEP: Ttl = Ttl::from_secs(1_000);

    fn mark(what: What) -> Mark {
        Mark { what, line: LineMark { crc: 7, bytes: 100 } }
    }

    fn learned(name: &str, is_settled: bool, ago: u64) -> Mark {
        let weight = (is_settled, NOW.minus(Ttl::from_secs(ago)));
        mark(What::Learned(Principal::parse(name).unwrap(), weight))
    }

    #[test]
    fn what_takes_anothers_place_is_counted_once() {
        let mut live = Live::none(KEEP);
        for _ in 0..3 {
            live.note(learned("web", false, 0));
        }
        live.note(mark(What::Own));
        assert_eq!(live.bytes, 100);
        assert!(live.has_dead(600) && !live.has_dead(300));
    }

    #[test]
    fn what_has_ended_counts_no_more() {
        let mut live = Live::none(KEEP);
        for _ in 0..2 {
            live.note(mark(What::Spent(NOW)));
            live.note(mark(What::Revoked(NOW)));
        }
        let later = |secs| NOW.plus(Ttl::from_secs(secs));
        for (secs, bytes) in [(60, 400), (61, 200), (1_000, 200), (1_001, 0), (0, 0)] {
            live.forget(later(secs));
            assert_eq!(live.bytes, bytes, "after {secs}");
        }
        assert_eq!(live.forgotten, Forgotten { spent_before: later(1), revoked_before: later(1) });
    }

    #[test]
    fn of_too_many_identities_those_go_that_are_known_least() {
        let mut live = Live::none(KEEP);
        for number in 0..10 {
            live.note(learned(&format!("settled-{number}"), true, 1_000 + number));
            live.note(learned(&format!("new-{number}"), false, number));
        }
        live.crop(12);
        let holds = |name: &str| live.holds_learned(&Principal::parse(name).unwrap());
        assert!((0..10).all(|number| holds(&format!("settled-{number}"))));
        assert!(holds("new-0") && holds("new-1") && !holds("new-2"));
        assert_eq!(live.bytes, 1_200);
    }

    #[test]
    fn the_dead_weigh_once_they_are_many_and_the_most() {
        let mut live = Live::none(KEEP);
        assert!(!live.is_outweighed(1 << 20) && live.is_outweighed((1 << 20) + 1));
        live.note(Mark { what: What::Spent(NOW), line: LineMark { crc: 7, bytes: 2 << 20 } });
        assert!(!live.is_outweighed(4 << 20) && live.is_outweighed((4 << 20) + 1));
    }
}
