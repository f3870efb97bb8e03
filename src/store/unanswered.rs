//! Challenges that nobody answered: how many each caller was given lately, in bounded memory.
//!
//! It need not be exact: whose count is forgotten is given another challenge. But nobody can have counts forgotten at will.
//! All counts of one principal share one place, where its own compete first; so who has one credential, and calls from ever
//! new networks, forgets his own. Which place that is hangs on a key that nobody outside knows. The lowest count gives way
//! to a new one: to push out counts of `n` in all places takes `n` times as many challenges as there is room for, within a
//! minute, and an issuer that vouches for thousands of callers.

use super::learned::locked;
use crate::case::{Allowance, CHALLENGE_WINDOW, ChallengeKey};
use crate::policy::ChallengeLimit;
use crate::time::UnixTime;
use std::hash::{BuildHasher, RandomState};
use std::sync::Mutex;

#[derive(Debug)]
pub struct Unanswered {
    places: Box<[Mutex<Place>]>,
    /// `SipHash` under a key of its own. Two keys in one place are taken for one another once in 10^17 times.
    hasher: RandomState,
}

/// What is counted of the principals that share a place.
#[derive(Debug, Default)]
struct Place(Vec<Count>);

#[derive(Clone, Copy, Debug)]
struct Count {
    whose: u64,
    /// When the first of them was given.
    first: UnixTime,
    given: u32,
}

/// So that principals, and cores, seldom meet in one.
const PLACES: usize = 2_048;
/// More than the networks, credentials and routes with which one principal loops at a time. All places full take 6 MiB.
const COUNTS_EACH: usize = 128;

impl Unanswered {
    /// Whether one more challenge may be given; then it is counted.
    pub fn ask(&self, key: &ChallengeKey, limit: ChallengeLimit, now: UnixTime) -> Allowance {
        let whose = self.hasher.hash_one(key);
        self.place(key).map_or(Allowance::Allowed, |place| locked(place).ask(whose, limit, now))
    }

    /// The caller can answer, so that nothing counts against it.
    pub fn answered(&self, key: &ChallengeKey) {
        let whose = self.hasher.hash_one(key);
        self.place(key).into_iter().for_each(|place| locked(place).forget(whose));
    }

    fn place(&self, key: &ChallengeKey) -> Option<&Mutex<Place>> {
        let index = usize::try_from(self.hasher.hash_one(&key.principal)).unwrap_or(0) % PLACES;
        self.places.get(index)
    }
}

impl Default for Unanswered {
    fn default() -> Self {
        Self { places: (0..PLACES).map(|_| Mutex::default()).collect(), hasher: RandomState::new() }
    }
}

impl Place {
    fn ask(&mut self, whose: u64, limit: ChallengeLimit, now: UnixTime) -> Allowance {
        self.0.retain(|count| count.holds(now));
        if let Some(count) = self.0.iter_mut().find(|count| count.whose == whose) {
            return count.one_more(limit, now);
        }
        if self.0.len() >= COUNTS_EACH {
            self.give_way();
        }
        self.0.push(Count { whose, first: now, given: 1 });
        Allowance::Allowed
    }

    /// Of those who were given fewest, the oldest has least to lose.
    fn give_way(&mut self) {
        let least = self.0.iter().enumerate().min_by_key(|(_, count)| (count.given, count.first));
        if let Some((index, _)) = least {
            self.0.swap_remove(index);
        }
    }

    fn forget(&mut self, whose: u64) {
        self.0.retain(|count| count.whose != whose);
    }
}

impl Count {
    /// A clock that goes back must not make a minute longer than two.
    fn holds(&self, now: UnixTime) -> bool {
        now.since(self.first) < CHALLENGE_WINDOW && self.first.since(now) < CHALLENGE_WINDOW
    }

    fn one_more(&mut self, limit: ChallengeLimit, now: UnixTime) -> Allowance {
        if self.given >= limit.per_minute() {
            return Allowance::Loop { retry_after: self.first.plus(CHALLENGE_WINDOW).since(now) };
        }
        self.given += 1;
        Allowance::Allowed
    }
}

#[cfg(test)]
mod tests;
