//! What is counted of an issuer's keys.

use crate::time::UnixTime;
use prometheus::{IntCounter, IntGauge};

/// The series of one issuer.
#[derive(Clone, Debug)]
pub struct KeyMeter {
    pub refreshes: [IntCounter; KeyOutcome::ALL.len()],
    pub keys: IntGauge,
    pub last_success: IntGauge,
}

/// What came of looking for keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyOutcome {
    Updated,
    Unchanged,
    /// Something came that can't be taken.
    Refused,
    Failed,
}

impl KeyOutcome {
    pub const ALL: [Self; 4] = [Self::Updated, Self::Unchanged, Self::Refused, Self::Failed];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

impl KeyMeter {
    pub(super) fn count(&self, outcome: KeyOutcome) {
        let counted = KeyOutcome::ALL.iter().zip(&self.refreshes).find(|(own, _)| **own == outcome);
        if let Some((_, counter)) = counted {
            counter.inc();
        }
    }

    pub(super) fn holds(&self, keys: usize) {
        self.keys.set(i64::try_from(keys).unwrap_or(i64::MAX));
    }

    pub(super) fn good_at(&self, now: UnixTime) {
        self.last_success.set(i64::try_from(now.as_secs()).unwrap_or(i64::MAX));
    }
}
