//! When to look again: spread by chance, so that the replicas of a mesh don't all come at once.

use std::time::Duration;

/// Yields 32 random bits.
pub type Roll = fn() -> u32;

const FIRST: Duration = Duration::from_secs(1);
/// Keys that came back are found within a minute.
const LONGEST: Duration = Duration::from_mins(1);

/// After so many failures in a row: twice as long each time, and between half and all of it.
pub(super) fn after_failures(failures: u32, roll: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    let whole = (FIRST * 2_u32.pow(doublings)).min(LONGEST);
    whole / 2 + part(whole / 2, roll)
}

/// After a success: between nine tenths and all of the span.
pub(super) fn after_success(refresh: Duration, roll: u32) -> Duration {
    refresh / 10 * 9 + part(refresh / 10, roll)
}

fn part(whole: Duration, roll: u32) -> Duration {
    whole.mul_f64(f64::from(roll) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(1, 500, 1_000)]
    #[case(2, 1_000, 2_000)]
    #[case(5, 8_000, 16_000)]
    #[case(7, 30_000, 60_000)]
    #[case(u32::MAX, 30_000, 60_000)]
    fn failures_are_followed_by_ever_longer_rests(#[case] failures: u32, #[case] least: u64, #[case] most: u64) {
        assert_eq!(after_failures(failures, 0), Duration::from_millis(least));
        assert_eq!(after_failures(failures, u32::MAX), Duration::from_millis(most));
    }

    #[test]
    fn a_refresh_is_never_late_and_a_little_early() {
        let refresh = Duration::from_mins(5);
        assert_eq!(after_success(refresh, 0), Duration::from_secs(270));
        assert_eq!(after_success(refresh, u32::MAX), refresh);
    }
}
