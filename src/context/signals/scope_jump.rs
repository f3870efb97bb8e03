//! `scope_jump`: a call that uses privileges which this identity has, and has never used.

use super::Circumstances;
use crate::context::Seen;

/// Scopes that can't be told fire, as an address that can't be told does.
pub(super) fn fires(circumstances: &Circumstances<'_>) -> bool {
    let learned = circumstances.learned();
    learned.is_some_and(|familiarity| familiarity.scopes == Seen::Never || circumstances.scopes_untold)
}

#[cfg(test)]
mod tests {
    use crate::context::signals::Test;
    use crate::context::signals::situation::{Situation, familiar, still_learning};
    use crate::context::{Familiarity, Seen};
    use rstest::rstest;

    #[rstest]
    #[case::used_before(Seen::Before, false, false)]
    #[case::never_used(Seen::Never, false, true)]
    #[case::none_exercised(Seen::Untold, false, false)]
    #[case::more_that_cannot_be_told(Seen::Before, true, true)]
    #[case::only_what_cannot_be_told(Seen::Untold, true, true)]
    fn it_fires_on_what_was_never_used(#[case] scopes: Seen, #[case] scopes_untold: bool, #[case] fires: bool) {
        let familiarity = Familiarity { scopes, ..familiar() };
        let situation = Situation { scopes_untold, familiarity: Some(familiarity), ..Situation::usual() };
        assert_eq!(situation.fires(&Test::ScopeJump), fires);
        let learning = Situation { familiarity: Some(still_learning(familiarity)), ..situation.clone() };
        assert!(!learning.fires(&Test::ScopeJump), "it is silent until enough was seen");
        assert!(!Situation { familiarity: None, ..situation }.fires(&Test::ScopeJump));
    }
}
