//! A few things, and when each was last seen.

use crate::time::{Ttl, UnixTime};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// At most `MOST` things; a new one takes the place of the one that was not seen for longest.
#[derive(Debug)]
pub(super) struct Sights<T, const MOST: usize>(Vec<Sight<T>>);

#[derive(Clone, Copy, Debug)]
struct Sight<T> {
    what: T,
    at: UnixTime,
}

/// A moment, and how far it looks back: what is so long ago is forgotten.
#[derive(Clone, Copy, Debug)]
pub(super) struct View {
    pub now: UnixTime,
    pub back: Ttl,
}

impl View {
    pub(super) fn holds(self, at: UnixTime) -> bool {
        self.now.since(at) < self.back
    }

    /// How old a sight may be before it is worth the writing: a 64th of the view, and a minute at most. So much earlier
    /// than it should, and never later, a sight can be forgotten.
    pub(super) fn slack(self) -> Ttl {
        Ttl::from_secs((self.back.as_secs() / 64).min(60))
    }
}

impl<T: Copy + PartialEq, const MOST: usize> Sights<T, MOST> {
    pub(super) fn knows(&self, what: T, view: View) -> bool {
        self.0.iter().any(|sight| sight.what == what && view.holds(sight.at))
    }

    /// Also so long ago that it is forgotten what.
    pub(super) const fn ever_saw_any(&self) -> bool {
        !self.0.is_empty()
    }

    pub(super) fn count_others(&self, what: T, view: View) -> usize {
        self.0.iter().filter(|sight| sight.what != what && view.holds(sight.at)).count()
    }

    /// Remembers that it was seen now. Writes only what is new, or older than the slack, and says whether it did.
    pub(super) fn see(&mut self, what: T, view: View, slack: Ttl) -> bool {
        let sight = Sight { what, at: view.now };
        if let Some(known) = self.0.iter_mut().find(|known| known.what == what) {
            let is_worth_it = view.now.since(known.at) > slack;
            if is_worth_it {
                *known = sight;
            }
            return is_worth_it;
        }
        let full = self.0.len() >= MOST;
        match self.0.iter_mut().min_by_key(|known| known.at) {
            Some(oldest) if full || !view.holds(oldest.at) => *oldest = sight,
            _ => self.0.push(sight),
        }
        true
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.0.capacity() * size_of::<Sight<T>>()
    }
}

impl<T: Copy + Ord, const MOST: usize> Sights<T, MOST> {
    pub(super) fn export(&self) -> BTreeMap<T, UnixTime> {
        self.0.iter().map(|sight| (sight.what, sight.at)).collect()
    }

    /// Of what either has seen, the latest. In which order several are taken in, and how often, makes no difference.
    pub(super) fn merge(&mut self, others: impl Iterator<Item = (T, UnixTime)>) {
        let mut all = self.export();
        for (what, at) in others {
            all.entry(what).and_modify(|known| *known = at.max(*known)).or_insert(at);
        }
        let mut all: Vec<_> = all.into_iter().map(|(what, at)| Sight { what, at }).collect();
        all.sort_unstable_by_key(|sight| Reverse((sight.at, sight.what)));
        all.truncate(MOST);
        self.0 = all;
    }
}

impl<T, const MOST: usize> Default for Sights<T, MOST> {
    fn default() -> Self {
        Self(Vec::new())
    }
}
