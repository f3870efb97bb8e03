//! Lines on their way from the decisions to the writer: bounded, and never waited for.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// The lines that wait, one after the other. A lock is held only while bytes are copied.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    something: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    lines: Vec<u8>,
    reopen: bool,
    closed: bool,
}

/// What the writer is to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Task {
    /// Open the file anew, after the lines that came with this.
    pub reopen: bool,
    /// No more lines will come.
    pub last: bool,
}

/// Some five thousand lines: a tenth of a second at full load, and a bound on the memory for a destination that is stuck.
const MAX_BYTES: usize = 4 * 1024 * 1024;

impl Queue {
    /// Adds a line; says no where there is no room for it.
    pub(super) fn push(&self, line: &[u8]) -> bool {
        let mut waiting = self.lock();
        let first = waiting.lines.is_empty();
        if waiting.closed || waiting.lines.len() + line.len() > MAX_BYTES {
            return false;
        }
        waiting.lines.extend_from_slice(line);
        drop(waiting);
        if first {
            self.something.notify_one(); // for the lines after it the writer is already on its way
        }
        true
    }

    pub(super) fn ask_to_reopen(&self) {
        self.lock().reopen = true;
        self.something.notify_one();
    }

    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.something.notify_one();
    }

    /// Waits until there is something to do, and puts the waiting lines in the place of `taken`.
    pub(super) fn take(&self, taken: &mut Vec<u8>) -> Task {
        taken.clear();
        let idle = |waiting: &mut Waiting| waiting.lines.is_empty() && !waiting.reopen && !waiting.closed;
        let mut waiting = self.something.wait_while(self.lock(), idle).unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut waiting.lines, taken);
        Task { reopen: std::mem::take(&mut waiting.reopen), last: waiting.closed }
    }

    /// A panic while bytes are copied leaves at worst a torn line, and no reason to stop logging.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_out_in_the_order_in_which_they_went_in() {
        let queue = Queue::default();
        assert!(queue.push(b"a\n") && queue.push(b"b\n"));
        let mut taken = b"old".to_vec();
        assert_eq!(queue.take(&mut taken), Task { reopen: false, last: false });
        assert_eq!(taken, b"a\nb\n");
    }

    #[test]
    fn a_line_that_does_not_fit_is_refused_and_a_shorter_one_still_taken() {
        let queue = Queue::default();
        assert!(queue.push(&vec![b'x'; MAX_BYTES - 2]));
        assert!(!queue.push(b"too long\n"));
        assert!(queue.push(b"b\n"));
        queue.take(&mut Vec::new());
        assert!(queue.push(b"room again\n"));
    }

    #[test]
    fn after_the_end_nothing_more_is_taken() {
        let queue = Queue::default();
        assert!(queue.push(b"a\n"));
        queue.close();
        assert!(!queue.push(b"b\n"));
        let mut taken = Vec::new();
        assert_eq!(queue.take(&mut taken), Task { reopen: false, last: true });
        assert_eq!(taken, b"a\n");
    }
}
