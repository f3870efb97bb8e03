//! `new_network`: a call from where this identity does not call from.

use super::Circumstances;
use crate::context::Seen;

/// An address that can't be told fires for those who have a network.
pub(super) fn fires(circumstances: &Circumstances<'_>) -> bool {
    let declared = circumstances.identity.and_then(|identity| identity.networks.as_ref());
    match (declared, circumstances.learned()) {
        (Some(networks), _) => circumstances.client.is_none_or(|client| !networks.contains(client)),
        (None, Some(familiarity)) => match familiarity.network {
            Seen::Before => false,
            Seen::Never => true,
            Seen::Untold => familiarity.knows_networks,
        },
        (None, None) => false,
    }
}
