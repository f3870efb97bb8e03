//! `shared_credential`: one credential in many places is in the hands of many.

use super::Circumstances;

/// Needs no learning: what is counted is what happened just now.
pub(super) fn fires(sources: u32, circumstances: &Circumstances<'_>) -> bool {
    circumstances.familiarity.is_some_and(|familiarity| familiarity.credential_networks >= sources)
}

#[cfg(test)]
mod tests {
    use crate::context::Familiarity;
    use crate::context::signals::Test;
    use crate::context::signals::situation::{Situation, familiar};
    use rstest::rstest;

    #[rstest]
    #[case::no_credential(0, false)]
    #[case(2, false)]
    #[case(3, true)]
    #[case(16, true)]
    fn it_fires_from_so_many_networks(
        #[case] credential_networks: u32,
        #[case] fires: bool,
        #[values(0, 49, 50)] calls: u32,
    ) {
        let familiarity = Familiarity { calls, credential_networks, ..familiar() };
        let situation = Situation { familiarity: Some(familiarity), ..Situation::usual() };
        assert_eq!(situation.fires(&Test::SharedCredential { sources: 3 }), fires, "whatever else was learned");
    }

    #[test]
    fn nobody_shares_nothing() {
        let situation = Situation { familiarity: None, ..Situation::usual() };
        assert!(!situation.fires(&Test::SharedCredential { sources: 1 }));
    }
}
