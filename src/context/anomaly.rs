//! The score that signals add up to.

use super::{SignalId, SignalSet};

/// 0 to 100.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Anomaly(u8);

/// What is unusual about a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unusual {
    pub signals: SignalSet,
    pub anomaly: Anomaly,
}

impl Anomaly {
    pub const MAX: Self = Self(100);

    /// `None` beyond 100.
    pub const fn new(points: u8) -> Option<Self> {
        if points <= Self::MAX.0 { Some(Self(points)) } else { None }
    }

    pub const fn points(self) -> u8 {
        self.0
    }

    /// At most 100 in all.
    #[must_use]
    pub fn plus(self, points: Self) -> Self {
        Self(self.0.saturating_add(points.0)).min(Self::MAX)
    }
}

impl Unusual {
    #[must_use]
    pub fn with(self, signal: SignalId, points: Anomaly) -> Self {
        Self { signals: self.signals.with(signal), anomaly: self.anomaly.plus(points) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_add_up_to_a_hundred_at_most() {
        let forty = Anomaly::new(40).unwrap();
        assert_eq!(forty.plus(forty).points(), 80);
        assert_eq!(forty.plus(forty).plus(forty), Anomaly::MAX);
        assert_eq!(Anomaly::MAX.plus(Anomaly::MAX), Anomaly::MAX);
        assert_eq!(Anomaly::new(101), None);
    }
}
