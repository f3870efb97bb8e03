//! Signals by their places in a policy, and sets of them.

use super::{Anomaly, Signals, Test};
use crate::policy::Name;

/// One thing that can be unusual about a call.
#[derive(Clone, Debug)]
pub struct Signal {
    pub name: Name,
    pub points: Anomaly,
    pub test: Test,
}

/// The place of a signal in its policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignalId(u8);

/// Some of a policy's signals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SignalSet(u64);

impl SignalId {
    /// `None` where a policy has no room for so many.
    pub fn at(index: usize) -> Option<Self> {
        u8::try_from(index).ok().filter(|_| index < Signals::MAX).map(Self)
    }

    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl SignalSet {
    #[must_use]
    pub const fn with(self, signal: SignalId) -> Self {
        Self(self.0 | 1 << signal.0)
    }

    pub const fn contains(self, signal: SignalId) -> bool {
        self.0 >> signal.0 & 1 == 1
    }

    /// Whether the two have a signal in common.
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// In the order of their places.
    pub fn iter(self) -> impl Iterator<Item = SignalId> {
        (0..u8::try_from(Signals::MAX).unwrap_or(u8::MAX)).map(SignalId).filter(move |id| self.contains(*id))
    }
}

impl FromIterator<SignalId> for SignalSet {
    fn from_iter<I: IntoIterator<Item = SignalId>>(ids: I) -> Self {
        ids.into_iter().fold(Self::default(), Self::with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_put_into_it() {
        let id = |index| SignalId::at(index).unwrap();
        let set: SignalSet = [id(0), id(63)].into_iter().collect();
        assert_eq!(set.iter().map(SignalId::index).collect::<Vec<_>>(), [0, 63]);
        assert!(set.contains(id(63)) && !set.contains(id(1)));
        assert!(set.meets(SignalSet::default().with(id(0))) && !set.meets(SignalSet::default().with(id(5))));
        assert_eq!(SignalId::at(64), None);
    }
}
