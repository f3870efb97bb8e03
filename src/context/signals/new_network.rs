//! `new_network`: a call from where this identity does not call from.

use super::Circumstances;
use crate::context::Seen;

/// An address that can't be told fires for those who have a network. Of whom none was ever learned nothing is unusual:
/// addresses begin to be told when a proxy is trusted, and that is no news of the caller.
pub(super) fn fires(circumstances: &Circumstances<'_>) -> bool {
    let declared = circumstances.identity.and_then(|identity| identity.networks.as_ref());
    match (declared, circumstances.learned()) {
        (Some(networks), _) => circumstances.client.is_none_or(|client| !networks.contains(client)),
        (None, Some(familiarity)) => familiarity.network != Seen::Before && familiarity.knows_networks,
        (None, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::context::signals::Test;
    use crate::context::signals::situation::{Situation, entry, familiar, still_learning};
    use crate::context::{Familiarity, NetworkSet, Seen};
    use crate::policy::Identity;
    use rstest::rstest;

    #[rstest]
    #[case::inside(Some("10.20.1.4"), false)]
    #[case::outside(Some("203.0.113.5"), true)]
    #[case::an_address_that_cannot_be_told(None, true)]
    fn declared_networks_are_held_against_the_address(#[case] client: Option<&'static str>, #[case] fires: bool) {
        let networks: NetworkSet = [NetworkSet::network("10.20.0.0/16").unwrap()].into_iter().collect();
        let identity = Some(Identity { networks: Some(networks), ..entry() });
        // What was learned says nothing then, however much it is.
        for familiarity in [None, Some(familiar()), Some(Familiarity { network: Seen::Never, ..familiar() })] {
            let situation = Situation { client, identity: identity.clone(), familiarity, ..Situation::usual() };
            assert_eq!(situation.fires(&Test::NewNetwork), fires, "{familiarity:?}");
        }
    }

    #[rstest]
    #[case(Seen::Before, true, false)]
    #[case(Seen::Never, true, true)]
    #[case(Seen::Untold, true, true)]
    // Of whom no network was ever learned, none is new.
    #[case(Seen::Never, false, false)]
    #[case(Seen::Untold, false, false)]
    fn without_declared_networks_those_that_were_seen_count(
        #[case] network: Seen,
        #[case] knows_networks: bool,
        #[case] fires: bool,
        #[values(None, Some(entry()))] identity: Option<Identity>,
    ) {
        let familiarity = Familiarity { network, knows_networks, ..familiar() };
        let situation = Situation { identity, familiarity: Some(familiarity), ..Situation::usual() };
        assert_eq!(situation.fires(&Test::NewNetwork), fires);
        let learning = Situation { familiarity: Some(still_learning(familiarity)), ..situation.clone() };
        assert!(!learning.fires(&Test::NewNetwork), "it is silent until enough was seen");
        let nobody = Situation { familiarity: None, ..situation };
        assert!(!nobody.fires(&Test::NewNetwork));
    }
}
