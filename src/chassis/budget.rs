//! The bound on the bytes of large messages, over all connections.

use super::authorize::Unavailable;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What may be held of messages that came in more than one piece.
///
/// Those that came whole are not counted: a piece holds 16 KiB at most, and the calls in flight are bounded.
#[derive(Debug)]
pub(super) struct Budget {
    held: AtomicUsize,
    max: usize,
}

impl Budget {
    pub(super) fn new(max: usize) -> Self {
        Self { held: AtomicUsize::new(0), max }
    }

    /// What one call holds of it: nothing yet.
    pub(super) fn share(&self) -> Share<'_> {
        Share { budget: self, bytes: 0 }
    }
}

/// The bytes that one call holds, until dropped.
#[derive(Debug)]
pub(super) struct Share<'a> {
    budget: &'a Budget,
    bytes: usize,
}

impl Share<'_> {
    /// Counts bytes that have arrived, and refuses those that are too many.
    pub(super) fn grow(&mut self, bytes: usize) -> Result<(), Unavailable> {
        // Counted before they are looked at, so that two calls can't share the last ones.
        self.bytes += bytes;
        let before = self.budget.held.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) > self.budget.max { Err(Unavailable::Overload) } else { Ok(()) }
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        // The usual call holds nothing, and then the counter that all cores share is left alone.
        if self.bytes > 0 {
            self.budget.held.fetch_sub(self.bytes, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_share_what_there_is_and_give_it_back() {
        let budget = Budget::new(100);
        let (mut first, mut second) = (budget.share(), budget.share());
        assert_eq!(first.grow(60), Ok(()));
        assert_eq!(first.grow(20), Ok(()));
        assert_eq!(second.grow(20), Ok(()));
        assert_eq!(second.grow(1), Err(Unavailable::Overload));
        drop(second);
        assert_eq!(first.grow(20), Ok(()));
        drop(first);
        assert_eq!(budget.share().grow(100), Ok(()));
        assert_eq!(budget.held.load(Ordering::Relaxed), 0);
    }
}
