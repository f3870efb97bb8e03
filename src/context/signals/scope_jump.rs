//! `scope_jump`: a call that uses privileges which this identity has, and has never used.

use super::Circumstances;
use crate::context::Seen;

/// Scopes that can't be told fire, as an address that can't be told does.
pub(super) fn fires(circumstances: &Circumstances<'_>) -> bool {
    let learned = circumstances.learned();
    learned.is_some_and(|familiarity| familiarity.scopes == Seen::Never || circumstances.scopes_untold)
}
