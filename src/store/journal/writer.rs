//! The thread that appends: all that was asked for meanwhile at once.

use super::NotWritten;
use super::batch::{Ask, Batch, tell};
use super::compaction::{Draft, Job};
use super::file::Home;
use super::live::Live;
use super::log::Log;
use super::text::Text;
use crate::clock::Clock;
use crate::store::ScopeKey;
use crate::time::UnixTime;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

pub(super) struct Writer {
    log: Log,
    live: Live,
    home: Arc<Home>,
    scope_key: ScopeKey,
    clock: Box<dyn Clock>,
    asks: Sender<Ask>,
    asked: Receiver<Ask>,
    /// Revocations that are in force and not on the disk yet.
    owed: Text,
    /// When to try again, while something is owed.
    retry: Option<Instant>,
    /// Whether the disk knows by now which file has the name.
    folder_is_synced: bool,
    copying: Option<Copying>,
    /// After a failure it takes a while until it is tried again.
    copy_after: Option<Instant>,
    tidied: Option<UnixTime>,
    is_failing: bool,
}

/// What is going on beside the thread.
struct Copying {
    thread: JoinHandle<()>,
    stop: Arc<AtomicBool>,
}

/// How long a revocation waits for its next chance.
const RETRY: Duration = Duration::from_secs(1);
/// A disk on which there is no room for a second file is seldom better at once.
const COPY_RETRY: Duration = Duration::from_mins(1);

impl Writer {
    pub(super) fn new(
        (log, live): (Log, Live),
        home: Arc<Home>,
        scope_key: ScopeKey,
        clock: Box<dyn Clock>,
        (asks, asked): (Sender<Ask>, Receiver<Ask>),
    ) -> Self {
        Self {
            log,
            live,
            home,
            scope_key,
            clock,
            asks,
            asked,
            owed: Text::default(),
            retry: None,
            folder_is_synced: false,
            copying: None,
            copy_after: None,
            tidied: None,
            is_failing: false,
        }
    }

    pub(super) fn run(mut self) {
        loop {
            let batch = Batch::next(&self.asked, self.retry);
            let is_last = batch.is_last;
            self.carry_out(batch);
            if is_last {
                break;
            }
            self.tidy();
        }
        if let Some(copying) = self.copying.take() {
            copying.stop.store(true, Ordering::Relaxed);
            // However it ended, its file is not taken.
            let _ = copying.thread.join();
            self.home.discard_draft();
        }
    }

    fn carry_out(&mut self, batch: Batch) {
        let Batch { written, synced, when_written, when_synced, draft, is_last } = batch;
        if let Some(draft) = draft {
            self.take_over(draft);
        }
        let outcome = self.write(written);
        tell(when_written, outcome);
        let is_due = !synced.is_empty() || is_last || self.retry.is_some_and(|at| at <= Instant::now());
        self.owed.extend(synced);
        if is_due {
            let outcome = self.pay();
            tell(when_synced, outcome);
        }
    }

    /// Nobody who waits for the disk is waited for here.
    fn write(&mut self, text: Text) -> Result<(), NotWritten> {
        if text.is_empty() {
            return Ok(());
        }
        let outcome = self.log.append(&text.bytes);
        self.note(outcome, text)
    }

    /// Puts on the disk what is owed.
    fn pay(&mut self) -> Result<(), NotWritten> {
        if self.owed.is_empty() {
            return Ok(());
        }
        let outcome = self.sync_folder().and_then(|()| self.log.append_synced(&self.owed.bytes));
        self.retry = outcome.is_err().then(|| Instant::now() + RETRY);
        let text = if outcome.is_ok() { std::mem::take(&mut self.owed) } else { Text::default() };
        self.note(outcome, text)
    }

    /// An exchange that a power cut could undo would take along what was synced since.
    fn sync_folder(&mut self) -> io::Result<()> {
        if !self.folder_is_synced {
            self.home.sync_folder()?;
            self.folder_is_synced = true;
        }
        Ok(())
    }

    /// Says when writing begins to fail, and when it is over; not every time in between.
    fn note(&mut self, outcome: io::Result<()>, text: Text) -> Result<(), NotWritten> {
        let path = self.home.path().display();
        match outcome {
            Ok(()) => {
                if std::mem::take(&mut self.is_failing) {
                    tracing::info!(%path, "the state file can be written again");
                }
                text.marks.into_iter().for_each(|mark| self.live.note(mark));
                Ok(())
            }
            Err(why) => {
                if !std::mem::replace(&mut self.is_failing, true) {
                    tracing::error!(%path, "the state file can't be written, what needs it is refused: {why}");
                }
                Err(NotWritten)
            }
        }
    }

    /// Begins to leave the dead behind, once it is worth it.
    fn tidy(&mut self) {
        let now = self.clock.now();
        if self.tidied == Some(now) || self.copying.is_some() || self.copy_after.is_some_and(|at| Instant::now() < at) {
            return;
        }
        self.tidied = Some(now);
        self.live.forget(now);
        if self.live.is_outweighed(self.log.length()) {
            match self.begin_copying() {
                Ok(copying) => self.copying = Some(copying),
                Err(why) => self.put_off(&why),
            }
        }
    }

    fn begin_copying(&self) -> io::Result<Copying> {
        let job = Job::new(&self.home, &self.log, &self.live, self.scope_key)?;
        let (stop, asks) = (Arc::clone(&job.stop), self.asks.clone());
        let work = move || {
            // Should nobody be there any more, it is discarded by who ended.
            let _ = asks.send(Ask::Exchange(job.run()));
        };
        let thread = thread::Builder::new().name("journal-copy".to_owned()).spawn(work)?;
        Ok(Copying { thread, stop })
    }

    fn take_over(&mut self, draft: io::Result<Draft>) {
        self.copying = None;
        let (before, begun) = (self.log.length(), Instant::now());
        match draft.and_then(|draft| draft.replace(&self.home, &mut self.log)) {
            Ok(()) => {
                self.folder_is_synced = false;
                let (after, waited) = (self.log.length(), begun.elapsed());
                tracing::debug!(before, after, ?waited, "the state file was written anew without what is dead");
            }
            Err(why) => self.put_off(&why),
        }
    }

    fn put_off(&mut self, why: &io::Error) {
        tracing::warn!(path = %self.home.path().display(), "the state file stays as long as it is: {why}");
        self.copy_after = Some(Instant::now() + COPY_RETRY);
    }
}
