//! Why there is no journal, or something is not in it.

use super::line::Damage;
use std::io;
use std::path::PathBuf;

/// Why a file can't serve as journal.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error("`{}` can't be opened: {source}", .path.display())]
    Open { path: PathBuf, source: io::Error },
    #[error("`{}` is no regular file: name one, or one that is yet to be made", .path.display())]
    NotAFile { path: PathBuf },
    #[error("`{}` is used by another process: give each its own, or share a store with `redis://`", .path.display())]
    InUse { path: PathBuf },
    #[error("`{}` is no journal of stepgate: name another file, as this one would be overwritten", .path.display())]
    NotAJournal { path: PathBuf },
    #[error("`{}` was written by another version of stepgate: use that one, or begin a new file and revoke again what must stay revoked", .path.display())]
    Version { path: PathBuf },
    #[error(
        "`{}`, line {line}: {damage}, so that what it said is not known: put a good copy in its place, or move it away and revoke again what must stay revoked",
        .path.display()
    )]
    Damaged { path: PathBuf, line: usize, damage: Damage },
    #[error("`{}` can't be read: {source}", .path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("`{}` can't be written: {source}", .path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Randomness(#[from] crate::store::NoRandomness),
    #[error("the journal's thread can't be started: {0}")]
    Thread(io::Error),
}

/// It is not in the file: the disk is full, or fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it can't be written to the state file")]
pub struct NotWritten;
