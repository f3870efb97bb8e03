//! What the thread that appends is asked for, taken together.

use super::NotWritten;
use super::compaction::Draft;
use super::text::Text;
use std::io;
use std::sync::mpsc::Receiver;
use std::time::Instant;
use tokio::sync::oneshot;

/// What the thread is asked for.
pub(super) enum Ask {
    /// To give it to the kernel.
    Write(Text, Promise),
    /// To put it on the disk, and to try again for as long as that fails.
    Sync(Text, Promise),
    /// To take what was copied.
    Exchange(io::Result<Draft>),
    End,
}

pub(super) type Promise = oneshot::Sender<Result<(), NotWritten>>;

/// What was asked for meanwhile.
#[derive(Default)]
pub(super) struct Batch {
    pub written: Text,
    pub synced: Text,
    pub when_written: Vec<Promise>,
    pub when_synced: Vec<Promise>,
    pub draft: Option<io::Result<Draft>>,
    pub is_last: bool,
}

/// What is written at once; the rest is written right after it.
const BATCH_BYTES: usize = 1 << 20;

impl Batch {
    /// Waits for somebody to ask, or until it is time, and takes what else there is.
    pub(super) fn next(asked: &Receiver<Ask>, until: Option<Instant>) -> Self {
        let mut batch = Self::default();
        let mut next = match until {
            None => asked.recv().ok(),
            Some(at) => asked.recv_timeout(at.saturating_duration_since(Instant::now())).ok(),
        };
        while let Some(ask) = next {
            batch.add(ask);
            next = if batch.is_full() { None } else { asked.try_recv().ok() };
        }
        batch
    }

    fn add(&mut self, ask: Ask) {
        match ask {
            Ask::Write(text, promise) => {
                self.written.extend(text);
                self.when_written.push(promise);
            }
            Ask::Sync(text, promise) => {
                self.synced.extend(text);
                self.when_synced.push(promise);
            }
            Ask::Exchange(draft) => self.draft = Some(draft),
            Ask::End => self.is_last = true,
        }
    }

    fn is_full(&self) -> bool {
        self.is_last || self.written.bytes.len() + self.synced.bytes.len() >= BATCH_BYTES
    }
}

pub(super) fn tell(promises: Vec<Promise>, outcome: Result<(), NotWritten>) {
    // Who waits no more need not know.
    for promise in promises {
        let _ = promise.send(outcome);
    }
}
