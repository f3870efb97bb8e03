//! `outside_hours`: a call at a time at which this identity does not work.

use super::Circumstances;

/// Speaks only of identities that declare hours.
pub(super) fn fires(circumstances: &Circumstances<'_>) -> bool {
    let hours = circumstances.identity.and_then(|identity| identity.hours.as_ref());
    hours.is_some_and(|hours| !hours.contains(circumstances.now))
}
