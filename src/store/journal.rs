//! `--state file:PATH`: revocations, used proofs and what was learned, in one file, over a restart.
//!
//! The file is a log that is only appended to: a first line that says what it is, then a line a record (`line`), readable
//! by people. Why no embedded store, such as redb: a used proof is one small write that most often is dead two minutes
//! later, and nothing is ever looked up in the file but all of it at the start. A B-tree writes whole pages for it, and
//! syncs at every commit; here it is a hundred bytes at the end of a file, and many that come at once are one write.
//!
//! What survives what. A revocation is on the disk before it is answered: it survives the loss of power. A used proof and
//! what was learned is with the kernel: it survives the end of the process, however it comes, and a power cut once the
//! kernel has written it (Linux: half a minute). A last record that was torn is cut off; what is damaged before the end is
//! refused, as nobody knows what it said.
//! What can't be written is answered [`NotWritten`]: who wanted to use a proof must be refused, or it could pass twice;
//! a revocation is in force in the process all the same, and is tried again each second until it is on the disk.
//!
//! What is dead is left behind by writing what lives to `PATH.new` and renaming it (`compaction`). That is done beside the
//! thread that appends, which then takes over what came meanwhile.

mod batch;
mod compaction;
mod entry;
mod error;
mod file;
mod line;
mod live;
mod log;
mod reading;
mod text;
mod writer;

pub use error::{JournalError, NotWritten};
pub use line::Damage;
pub use live::Forgotten;

use super::{LearnedRecord, ScopeKey};
use crate::case::Spending;
use crate::clock::Clock;
use crate::revocation::Revocation;
use crate::time::Ttl;
use batch::{Ask, Promise};
use entry::Entry;
use file::{Home, Medium};
use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};
use text::Text;
use tokio::sync::oneshot;
use writer::Writer;

/// The near end of the journal: copies write to the same file. The last one to go waits until all is written.
#[derive(Clone, Debug)]
pub struct Journal(Arc<Running>);

/// What was in the file and still counts.
#[derive(Debug)]
pub struct Kept {
    /// In the order in which they came.
    pub revocations: Vec<Revocation>,
    pub spent: Vec<Spending>,
    /// One of each identity, the latest.
    pub learned: Vec<LearnedRecord>,
    /// What the digests in `learned` were made with.
    pub scope_key: ScopeKey,
    pub forgotten: Forgotten,
    /// How much of a torn last record was cut off.
    pub torn_bytes: u64,
}

struct Running {
    asks: Sender<Ask>,
    /// Nothing once it was waited for.
    writer: Option<JoinHandle<()>>,
}

impl Journal {
    /// Opens the file, or makes one that only its owner can read. It is this process' alone until the last copy is dropped.
    /// Revocations are kept for `keep`.
    pub fn open(path: &Path, clock: impl Clock, keep: Ttl) -> Result<(Self, Kept), JournalError> {
        Self::open_on(path, clock, keep, |file| Box::new(file))
    }

    /// On something that can be made to fail.
    fn open_on(
        path: &Path,
        clock: impl Clock,
        keep: Ttl,
        medium: impl Fn(File) -> Box<dyn Medium> + Send + Sync + 'static,
    ) -> Result<(Self, Kept), JournalError> {
        let home = Arc::new(Home::of(path, medium)?);
        let (log, live, kept) = reading::open(&home, clock.now(), keep)?;
        let (asks, asked) = channel();
        let writer = Writer::new((log, live), home, kept.scope_key, Box::new(clock), (asks.clone(), asked));
        let writer = thread::Builder::new().name("journal".to_owned()).spawn(|| writer.run());
        let running = Running { asks, writer: Some(writer.map_err(JournalError::Thread)?) };
        Ok((Self(Arc::new(running)), kept))
    }

    /// Puts revocations on the disk; many that come at once go there together.
    pub async fn revoke(&self, new: &[Revocation]) -> Result<(), NotWritten> {
        let entries = new.iter().map(|revocation| Entry::Revoked(Cow::Borrowed(revocation)));
        self.ask(Text::of(entries)?, Ask::Sync).await
    }

    /// Records a proof as used. It must not pass where this can't be recorded.
    pub async fn spend(&self, spending: Spending) -> Result<(), NotWritten> {
        self.ask(Text::of([Entry::Spent(spending)])?, Ask::Write).await
    }

    /// Records what changed of what was learned ([`super::Learned::changed`]); see also [`super::Learned::not_kept`].
    pub async fn learn(&self, changes: &[LearnedRecord]) -> Result<(), NotWritten> {
        let entries = changes.iter().map(|record| Entry::Learned(Cow::Borrowed(record)));
        self.ask(Text::of(entries)?, Ask::Write).await
    }

    /// It is done also if nobody waits for it.
    async fn ask(&self, text: Text, ask: impl FnOnce(Text, Promise) -> Ask) -> Result<(), NotWritten> {
        if text.is_empty() {
            return Ok(());
        }
        let (promise, done) = oneshot::channel();
        self.0.asks.send(ask(text, promise)).map_err(|_| NotWritten)?;
        done.await.map_err(|_| NotWritten)?
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Should it be gone already, there is nobody to wait for, and what it failed of was told to who asked.
        let _ = self.asks.send(Ask::End);
        let _ = self.writer.take().map(JoinHandle::join);
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
