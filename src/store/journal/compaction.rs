//! How the dead are left behind: what lives is copied to a new file, which then takes the place of the old one.
//!
//! Copying is done beside the thread that appends. How long nobody can append does therefore not depend on how much lives,
//! but on how much was appended meanwhile. With 4 million used proofs, the most that there can be (some 370 MB), copying
//! takes seconds, and to take over what came in these seconds some tens of milliseconds: unoptimised, with 400,000 living
//! and 16,000 more each second, copying took 10 s, and nobody waited for more than 84 ms.

use super::entry::Entry;
use super::file::Home;
use super::line::{HEADER, Lines, decode};
use super::live::Live;
use super::log::{Log, Reader};
use super::text::Text;
use crate::store::ScopeKey;
use std::io::{self, ErrorKind, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The copying of all that lived when it was made.
pub(super) struct Job {
    home: Arc<Home>,
    old: io::Take<Reader>,
    live: Live,
    scope_key: ScopeKey,
    /// Whether nobody wants it any more.
    pub stop: Arc<AtomicBool>,
}

/// The file that is to come, without what was appended to the old one meanwhile.
pub(super) struct Draft {
    log: Log,
    /// Up to where the old file is in it.
    copied: u64,
}

/// Written at once.
const CHUNK_BYTES: usize = 1 << 18;

impl Job {
    pub(super) fn new(home: &Arc<Home>, log: &Log, live: &Live, scope_key: ScopeKey) -> io::Result<Self> {
        let (home, old, live) = (Arc::clone(home), log.reader()?, live.clone());
        Ok(Self { home, old, live, scope_key, stop: Arc::default() })
    }

    pub(super) fn run(mut self) -> io::Result<Draft> {
        self.copy().inspect_err(|_| self.home.discard_draft())
    }

    fn copy(&mut self) -> io::Result<Draft> {
        let mut log = Log::new(&self.home, self.home.draft()?, 0)?;
        let mut chunk = self.beginning()?;
        let mut lines = Lines::of(&mut self.old);
        while let Some(line) = lines.next()? {
            let line = line?;
            if line == HEADER {
                continue;
            }
            let (entry, crc) = decode(line.strip_suffix(b"\n").unwrap_or(line))?;
            if self.live.holds(&entry, crc) {
                chunk.extend_from_slice(line);
            }
            if chunk.len() >= CHUNK_BYTES {
                go_on(&self.stop)?;
                log.append(&chunk)?;
                chunk.clear();
            }
        }
        log.append(&chunk)?;
        // Most of it is on the disk by the time that somebody waits for the rest.
        log.sync()?;
        Ok(Draft { log, copied: lines.bytes })
    }

    fn beginning(&self) -> io::Result<Vec<u8>> {
        let own = [Entry::ScopeKey(self.scope_key), Entry::Forgotten(self.live.forgotten)];
        let text = Text::of(own).map_err(io::Error::other)?;
        Ok([HEADER, &text.bytes].concat())
    }
}

impl Draft {
    /// Takes over what was appended meanwhile, and then the place. The old log stays as it was where that fails. Once the
    /// folder is synced, it holds for good.
    pub(super) fn replace(self, home: &Home, old: &mut Log) -> io::Result<()> {
        self.complete(home, old).inspect_err(|_| home.discard_draft())
    }

    fn complete(mut self, home: &Home, old: &mut Log) -> io::Result<()> {
        let mut rest = old.reader_from(self.copied)?;
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let read = rest.read(&mut chunk)?;
            let Some(part) = chunk.get(..read).filter(|part| !part.is_empty()) else { break };
            self.log.append(part)?;
        }
        if rest.limit() > 0 {
            // Somebody else cut it.
            return Err(ErrorKind::UnexpectedEof.into());
        }
        self.log.sync()?;
        home.exchange()?;
        *old = self.log;
        Ok(())
    }
}

fn go_on(stop: &AtomicBool) -> io::Result<()> {
    if stop.load(Ordering::Relaxed) { Err(io::Error::other("nobody waits for it any more")) } else { Ok(()) }
}
