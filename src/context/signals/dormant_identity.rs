//! `dormant_identity`: a caller that comes back after a long silence may be an old credential that somebody found.

use super::Circumstances;
use crate::time::Ttl;

/// Silent of an identity that was never seen.
pub(super) fn fires(after: Ttl, circumstances: &Circumstances<'_>) -> bool {
    let last_seen = circumstances.learned().and_then(|familiarity| familiarity.last_seen);
    last_seen.is_some_and(|last_seen| circumstances.now.since(last_seen) > after)
}

#[cfg(test)]
mod tests {
    use crate::context::Familiarity;
    use crate::context::signals::Test;
    use crate::context::signals::situation::{NOW, Situation, familiar, still_learning};
    use crate::time::{Ttl, UnixTime};
    use rstest::rstest;

    const MONTH: u64 = 30 * 86_400;

    #[rstest]
    #[case::just_now(Some(NOW), false)]
    #[case::a_month_ago(Some(NOW - MONTH), false)]
    #[case::longer_ago(Some(NOW - MONTH - 1), true)]
    #[case::by_a_clock_that_went_back(Some(NOW + 1), false)]
    #[case::never(None, false)]
    fn it_fires_after_a_long_silence(#[case] last_seen: Option<u64>, #[case] fires: bool) {
        let test = Test::DormantIdentity { after: Ttl::from_secs(MONTH) };
        let familiarity = Familiarity { last_seen: last_seen.map(UnixTime::from_secs), ..familiar() };
        let situation = Situation { familiarity: Some(familiarity), ..Situation::usual() };
        assert_eq!(situation.fires(&test), fires);
        let learning = Situation { familiarity: Some(still_learning(familiarity)), ..situation.clone() };
        assert!(!learning.fires(&test), "it is silent until enough was seen");
        assert!(!Situation { familiarity: None, ..situation }.fires(&test));
    }
}
