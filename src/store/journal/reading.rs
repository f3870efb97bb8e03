//! The start: what the file holds is read, what is torn is cut off, and what is dead is left behind.

use super::compaction::Job;
use super::entry::Entry;
use super::file::Home;
use super::line::{ANY_VERSION, Damage, HEADER, Lines, decode};
use super::live::{Live, Mark};
use super::log::Log;
use super::text::Text;
use super::{JournalError, Kept};
use crate::case::Spending;
use crate::identity::Principal;
use crate::revocation::Revocation;
use crate::store::{LearnedRecord, ScopeKey};
use crate::time::{Ttl, UnixTime};
use foldhash::quality::RandomState;
use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::sync::Arc;

/// All that was read, whether it counts or not.
struct Content {
    revocations: Vec<Revocation>,
    spent: Vec<Spending>,
    learned: HashMap<Principal, LearnedRecord, RandomState>,
    scope_key: Option<ScopeKey>,
    live: Live,
    /// Of the lines that are whole.
    bytes: u64,
    torn_bytes: u64,
}

/// Opens the file and locks it.
pub(super) fn open(home: &Arc<Home>, now: UnixTime, keep: Ttl) -> Result<(Log, Live, Kept), JournalError> {
    let file = home.open()?;
    let mut content = Content::read(&file, home, keep)?;
    content.live.forget(now);
    let scope_key = match content.scope_key {
        Some(key) => key,
        None => ScopeKey::random()?,
    };
    let log = begin(home, file, content.bytes, content.scope_key.is_none().then_some(scope_key));
    let mut log = log.map_err(|source| JournalError::Write { path: home.path().to_owned(), source })?;
    if content.live.has_dead(log.length()) {
        let job = Job::new(home, &log, &content.live, scope_key);
        if let Err(why) = job.and_then(Job::run).and_then(|draft| draft.replace(home, &mut log)) {
            // Nothing is lost by it but room.
            tracing::warn!(path = %home.path().display(), "the state file stays as long as it is: {why}");
        }
    }
    let (live, kept) = content.sorted(scope_key);
    Ok((log, live, kept))
}

/// Makes sure that the end is whole, and that the key is there, which a new file begins with.
fn begin(home: &Home, file: File, bytes: u64, new_key: Option<ScopeKey>) -> io::Result<Log> {
    let mut log = Log::new(home, file, bytes)?;
    log.mend()?;
    if let Some(key) = new_key {
        let header = if bytes == 0 { HEADER } else { b"" };
        let key = Text::of([Entry::ScopeKey(key)]).map_err(io::Error::other)?;
        log.append_synced(&[header, &key.bytes].concat())?;
    }
    Ok(log)
}

impl Content {
    fn read(file: &File, home: &Home, keep: Ttl) -> Result<Self, JournalError> {
        let mut content = Self {
            revocations: Vec::new(),
            spent: Vec::new(),
            learned: HashMap::default(),
            scope_key: None,
            live: Live::none(keep),
            bytes: 0,
            torn_bytes: 0,
        };
        let mut lines = Lines::of(file);
        check_header(&mut lines, home)?;
        while let Some(line) = lines.next().map_err(|source| home.unreadable(source))? {
            let taken = line.and_then(|line| content.take(line));
            let path = || home.path().to_owned();
            taken.map_err(|damage| JournalError::Damaged { path: path(), line: lines.number, damage })?;
        }
        (content.bytes, content.torn_bytes) = (lines.bytes, lines.torn().len() as u64);
        Ok(content)
    }

    /// Takes a line with its end.
    fn take(&mut self, line: &[u8]) -> Result<(), Damage> {
        let (entry, crc) = decode(line.strip_suffix(b"\n").unwrap_or(line))?;
        self.live.note(Mark::of(&entry, crc, line.len() as u64));
        match entry {
            Entry::ScopeKey(key) => self.scope_key = Some(key),
            Entry::Forgotten(forgotten) => self.live.forgot(forgotten),
            Entry::Revoked(revocation) => self.revocations.push(revocation.into_owned()),
            Entry::Spent(spending) => self.spent.push(spending),
            Entry::Learned(_) if self.scope_key.is_none() => return Err(Damage::NoKey),
            Entry::Learned(record) => {
                self.learned.insert(record.principal.clone(), record.into_owned());
            }
        }
        Ok(())
    }

    /// What counts of it.
    fn sorted(self, scope_key: ScopeKey) -> (Live, Kept) {
        let Self { mut revocations, mut spent, learned, scope_key: _, live, bytes: _, torn_bytes } = self;
        revocations.retain(|revocation| live.holds_revoked(revocation.not_before));
        spent.retain(|spending| live.holds_spent(spending.until));
        let learned = learned.into_values().filter(|record| live.holds_learned(&record.principal)).collect();
        let forgotten = live.forgotten;
        (live, Kept { revocations, spent, learned, scope_key, forgotten, torn_bytes })
    }
}

/// What is cut off within its first line can be nothing else, and holds nothing.
fn check_header(lines: &mut Lines<&File>, home: &Home) -> Result<(), JournalError> {
    let path = || home.path().to_owned();
    let is_ours = match lines.next().map_err(|source| home.unreadable(source))? {
        Some(Ok(line)) if line != HEADER && line.starts_with(ANY_VERSION) => {
            return Err(JournalError::Version { path: path() });
        }
        Some(line) => line.is_ok_and(|line| line == HEADER),
        None => HEADER.starts_with(lines.torn()),
    };
    if is_ours { Ok(()) } else { Err(JournalError::NotAJournal { path: path() }) }
}
