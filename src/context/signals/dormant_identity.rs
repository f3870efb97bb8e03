//! `dormant_identity`: a caller that comes back after a long silence may be an old credential that somebody found.

use super::Circumstances;
use crate::time::Ttl;

/// Silent of an identity that was never seen.
pub(super) fn fires(after: Ttl, circumstances: &Circumstances<'_>) -> bool {
    let last_seen = circumstances.learned().and_then(|familiarity| familiarity.last_seen);
    last_seen.is_some_and(|last_seen| circumstances.now.since(last_seen) > after)
}
