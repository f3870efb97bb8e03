//! The thread that carries lines to their destination, many at a time.

use super::LatestDecisions;
use super::queue::Queue;
use super::sink::{Lost, Sink};
use prometheus::IntCounter;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// The cold end of the log: who holds it ends the log.
#[derive(Debug)]
pub struct LogWriter {
    /// Nothing where nothing is written.
    running: Option<(Arc<Queue>, Receiver<()>)>,
}

struct Writer {
    /// Nothing where the log is off.
    sink: Option<Sink>,
    latest: Option<Arc<LatestDecisions>>,
    queue: Arc<Queue>,
    dropped: IntCounter,
    complained: Option<Instant>,
    /// Dropped when the thread ends, however it ends.
    _running: Sender<()>,
}

/// Lines gather for so long, so that the decisions wake the writer a hundred times a second and not for every line.
const GATHERING: Duration = Duration::from_millis(10);
/// A full disk is full for every line; it need not be said for every line.
const BETWEEN_COMPLAINTS: Duration = Duration::from_mins(1);

impl LogWriter {
    pub(super) fn start(
        sink: Option<Sink>,
        latest: Option<Arc<LatestDecisions>>,
        queue: Arc<Queue>,
        dropped: IntCounter,
    ) -> io::Result<Self> {
        let (running, ended) = channel();
        let writer = Writer { sink, latest, queue: Arc::clone(&queue), dropped, complained: None, _running: running };
        thread::Builder::new().name("decision-log".to_owned()).spawn(|| writer.run())?;
        Ok(Self { running: Some((queue, ended)) })
    }

    pub(super) const fn idle() -> Self {
        Self { running: None }
    }

    /// Ends the log and waits until its last line is written, for `patience` at most. Says whether it was.
    pub fn finish(self, patience: Duration) -> bool {
        let Some((queue, ended)) = self.running else { return true };
        queue.close();
        // Nothing is ever sent: what comes is the end of the thread, or the end of patience.
        ended.recv_timeout(patience) == Err(std::sync::mpsc::RecvTimeoutError::Disconnected)
    }
}

impl Writer {
    fn run(mut self) {
        let mut lines = Vec::new();
        loop {
            let task = self.queue.take(&mut lines);
            if let Some(latest) = &self.latest {
                latest.add(&lines);
            }
            self.log(&lines, task.reopen);
            if task.last {
                return;
            }
            thread::sleep(GATHERING);
        }
    }

    fn log(&mut self, lines: &[u8], reopen: bool) {
        let Some(sink) = &mut self.sink else { return };
        let written = sink.write(lines);
        let reopened = if reopen { sink.reopen() } else { Ok(()) };
        if let Err(Lost { lines, why }) = written {
            self.dropped.inc_by(lines);
            self.complain("decisions could not be logged", &why);
        }
        if let Err(why) = reopened {
            self.complain("the decision log could not be opened anew; the old file stays", &why);
        }
    }

    fn complain(&mut self, what: &str, why: &io::Error) {
        if self.complained.is_none_or(|at| at.elapsed() >= BETWEEN_COMPLAINTS) {
            self.complained = Some(Instant::now());
            tracing::error!(error = %why, "{what}");
        }
    }
}
