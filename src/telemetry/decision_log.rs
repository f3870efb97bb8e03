//! The decision log: one line of JSON a decision, also of those that could not be read.
//!
//! A line is written into memory where the decision is made and carried to its destination by one thread, many at a
//! time. The decision never waits for it: where the memory is full, the line is dropped and counted.
//!
//! Writing a line where the decision is made takes about a microsecond. Moving facts and decision to the thread instead
//! would take the decision a tenth of that, but the machine several times as much: what one thread allocated, another
//! frees.

mod destination;
mod headers;
mod inputs;
mod latest;
mod line;
mod queue;
mod record;
mod sink;
mod writer;

pub use destination::{AllowShare, Destination, DestinationError};
pub use headers::LoggedHeaders;
pub use latest::LatestDecisions;
pub use record::{Record, Seen};
pub use writer::LogWriter;

use crate::decision::{Decision, Outcome};
use line::Line;
use prometheus::IntCounter;
use queue::Queue;
use sink::Sink;
use std::cell::RefCell;
use std::io;
use std::sync::Arc;

/// The hot end of the log. Clones write to the same place.
#[derive(Clone, Debug)]
pub struct DecisionLog {
    /// Nothing where there is neither a log nor somebody who wants the latest decisions.
    queue: Option<Arc<Queue>>,
    allows: AllowShare,
    dropped: IntCounter,
}

thread_local! {
    /// Where a line is put together; it keeps its room for the next one.
    static LINE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl DecisionLog {
    /// Opens the destination and starts the thread that writes to it, and into `latest`. `dropped` counts the lines that
    /// were lost.
    pub fn open(
        destination: &Destination,
        allows: AllowShare,
        latest: Option<Arc<LatestDecisions>>,
        dropped: IntCounter,
    ) -> io::Result<(Self, LogWriter)> {
        let sink = Sink::open(destination)?;
        let queue = (sink.is_some() || latest.is_some()).then(Arc::<Queue>::default);
        let writer = match &queue {
            Some(queue) => LogWriter::start(sink, latest, Arc::clone(queue), dropped.clone())?,
            None => LogWriter::idle(),
        };
        Ok((Self { queue, allows, dropped }, writer))
    }

    /// Whether a decision is logged, so that nobody need prepare a record for nothing.
    pub fn takes(&self, decision: &Decision, decision_id: &str) -> bool {
        let sampled = !matches!(decision.outcome, Outcome::Allow(_)) || self.allows.takes(decision_id);
        self.queue.is_some() && sampled
    }

    /// Logs a decision, if it is one that is logged.
    pub fn write(&self, record: &Record<'_>) {
        let Some(queue) = self.queue.as_ref().filter(|_| self.takes(record.decision, record.decision_id)) else {
            return;
        };
        let queued = LINE.with_borrow_mut(|line| {
            line.clear();
            serde_json::to_writer(&mut *line, &Line::of(record)).is_ok_and(|()| {
                line.push(b'\n');
                queue.push(line)
            })
        });
        if !queued {
            self.dropped.inc();
        }
    }

    /// Has the file opened anew, so that it may be rotated.
    pub fn reopen(&self) {
        if let Some(queue) = &self.queue {
            queue.ask_to_reopen();
        }
    }
}

#[cfg(test)]
mod tests;
