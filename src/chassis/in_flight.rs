//! How many checks are being worked on, and the bound on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts the checks in flight over all workers. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct InFlight(Arc<AtomicUsize>);

impl InFlight {
    /// How many checks are in flight now.
    pub fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// A place for one more check, unless `max` are taken.
    pub(super) fn admit(&self, max: usize) -> Option<Place<'_>> {
        // The place is taken before it is looked at, so that two calls can't share the last one.
        let place = Place(&self.0);
        (self.0.fetch_add(1, Ordering::Relaxed) < max).then_some(place)
    }
}

/// One check in flight, until dropped.
#[derive(Debug)]
pub(super) struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_its_check_ends() {
        let checks = InFlight::default();
        let first = checks.admit(1);
        assert!(first.is_some());
        assert!(checks.admit(1).is_none());
        assert_eq!(checks.count(), 1);
        drop(first);
        assert_eq!(checks.count(), 0);
        assert!(checks.admit(1).is_some());
    }
}
