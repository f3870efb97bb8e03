//! What was learned of identities and of their credentials: in this process, in bounded memory.
//!
//! Whom the policy names has a place that nothing can take. The others compete for room with their like, and a flood of
//! invented identities only with newcomers (`ranks`). What was seen is forgotten; that and how often somebody called is not.

//!
//! What changes can be taken out as records and taken in again, here after a restart or in another process (`export`).

mod credentials;
mod export;
mod named;
mod places;
mod pool;
mod ranks;
mod record;
mod scopes;
mod sights;

pub use export::LearnedRecord;
pub use scopes::{ScopeDigest, ScopeKey};

use super::remembered::CacheSize;
use crate::context::{Familiarity, LearningTerms, Lesson, Sighting, Standing};
use crate::identity::Principal;
use crate::time::UnixTime;
use credentials::Credentials;
use named::Named;
use places::Places;
use pool::Pool;
use record::Call;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How much may be remembered, beside the identities that the policy names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Of identities that a pattern matches.
    pub patterned_bytes: u64,
    /// Of identities that no entry speaks of.
    pub undeclared_bytes: u64,
    /// Of the networks of credentials.
    pub credentials_bytes: u64,
}

#[derive(Debug)]
pub struct Learned {
    named: Named,
    patterned: Pool,
    undeclared: Pool,
    credentials: Credentials,
    scope_key: ScopeKey,
    latest: Latest,
}

/// The latest moment that was ever shown here. Time stands still until a clock that went back has caught up, so that
/// nothing is familiar again that was forgotten.
#[derive(Debug, Default)]
struct Latest(AtomicU64);

impl Default for Bounds {
    /// Some 80,000 identities of patterns, 20,000 others and 60,000 credentials, as many as bearer tokens are remembered.
    fn default() -> Self {
        Self { patterned_bytes: 64 << 20, undeclared_bytes: 16 << 20, credentials_bytes: 32 << 20 }
    }
}

impl Learned {
    /// What is taken out at once: some megabytes at most. Once a second, it is more in a minute than there is room for.
    pub const MOST_CHANGED: usize = 4_096;

    /// Under one key, so that what is kept or shared says the same to whoever has that key.
    pub fn new(bounds: Bounds, scope_key: ScopeKey) -> Self {
        Self {
            named: Named::default(),
            patterned: Pool::new(bounds.patterned_bytes),
            undeclared: Pool::new(bounds.undeclared_bytes),
            credentials: Credentials::new(bounds.credentials_bytes),
            scope_key,
            latest: Latest::default(),
        }
    }

    /// How a call compares with what is remembered. To ask teaches nothing.
    pub fn familiarity(&self, sighting: &Sighting, terms: &LearningTerms, now: UnixTime) -> Familiarity {
        let call = Call { sighting, terms, now: self.latest.at_least(now), key: &self.scope_key };
        let familiarity = self.places(sighting.standing).compare(&call);
        Familiarity { credential_networks: self.credentials.networks(&call), ..familiarity }
    }

    pub fn learn(&self, sighting: &Sighting, lesson: Lesson, terms: &LearningTerms, now: UnixTime) {
        let call = Call { sighting, terms, now: self.latest.at_least(now), key: &self.scope_key };
        self.credentials.learn(&call);
        if lesson == Lesson::All {
            self.places(sighting.standing).learn(&call);
        }
    }

    /// Takes what is known of identities to where they belong under a new policy, so that an entry that comes or goes makes
    /// nobody a stranger. Who is named no more gives up the place and competes like others.
    pub fn restand(&self, standing_of: impl Fn(&Principal) -> Standing) {
        for old in STANDINGS {
            for principal in self.places(old).principals() {
                let new = standing_of(&principal);
                if new == old {
                    continue;
                }
                if let Some(record) = self.places(old).take(&principal) {
                    self.places(new).put(&principal, record);
                }
            }
        }
    }

    /// Everybody of whom something is remembered.
    pub fn principals(&self) -> Vec<Principal> {
        STANDINGS.iter().flat_map(|standing| self.places(*standing).principals()).collect()
    }

    /// What was learned of identities since this was last asked, of those first that the policy names, and then of those
    /// that are settled. Of more than [`Self::MOST_CHANGED`] the rest comes the next time.
    pub fn changed(&self) -> Vec<LearnedRecord> {
        let mut changes = Vec::new();
        for standing in STANDINGS {
            changes.extend(self.places(standing).take_changes(Self::MOST_CHANGED - changes.len()));
        }
        changes
    }

    /// These changes could not be kept, and are changes again.
    pub fn not_kept(&self, changes: &[LearnedRecord]) {
        for principal in changes.iter().map(|record| &record.principal) {
            for standing in STANDINGS {
                self.places(standing).mark_changed(principal);
            }
        }
    }

    /// Takes in what was learned before, or in another process: the later time of each sight, and the larger numbers. In
    /// which order records come, and how often, makes no difference. What claims to be from the future is from now.
    pub fn merge(&self, record: &LearnedRecord, standing: Standing, now: UnixTime) {
        self.places(standing).merge(record, self.latest.at_least(now));
    }

    /// How much is remembered, for the metrics.
    pub fn sizes(&self) -> [CacheSize; 4] {
        [
            self.named.size("learned_named"),
            self.patterned.size("learned_patterned"),
            self.undeclared.size("learned_undeclared"),
            self.credentials.size("learned_credentials"),
        ]
    }

    fn places(&self, standing: Standing) -> &dyn Places {
        match standing {
            Standing::Named => &self.named,
            Standing::Patterned => &self.patterned,
            Standing::Undeclared => &self.undeclared,
        }
    }
}

impl Latest {
    fn at_least(&self, now: UnixTime) -> UnixTime {
        let latest = self.0.load(Ordering::Relaxed);
        if now.as_secs() <= latest {
            return UnixTime::from_secs(latest);
        }
        UnixTime::from_secs(self.0.fetch_max(now.as_secs(), Ordering::Relaxed).max(now.as_secs()))
    }
}

const STANDINGS: [Standing; 3] = [Standing::Named, Standing::Patterned, Standing::Undeclared];

/// Also if somebody panicked meanwhile: what is half learned is still true.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
