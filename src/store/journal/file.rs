//! The file and its place: opened by one process at a time, exchanged whole.

use super::JournalError;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// What can be appended to. It can be exchanged, so that tests can have it fail.
pub(super) trait Medium: Send {
    /// As much as fits, at the end.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;

    fn sync(&mut self) -> io::Result<()>;

    fn truncate(&mut self, length: u64) -> io::Result<()>;
}

/// Where the journal lives.
pub(super) struct Home {
    path: PathBuf,
    /// Where the next one is written.
    draft: PathBuf,
    medium: Box<dyn Fn(File) -> Box<dyn Medium> + Send + Sync>,
}

/// For its owner alone: it says who calls from where.
const MODE: u32 = 0o600;
/// Whoever ends lets go within moments; so does a process that was just started from one that had the file, when it begins
/// its own program.
const LOCK_PATIENCE: Duration = Duration::from_secs(1);
const LOCK_REST: Duration = Duration::from_millis(20);

impl Home {
    pub(super) fn of(
        path: &Path,
        medium: impl Fn(File) -> Box<dyn Medium> + Send + Sync + 'static,
    ) -> Result<Self, JournalError> {
        // Were it a link, the link would be exchanged; and where a link leads is known once something is there.
        let real = open_or_make(path).and_then(|_| path.canonicalize());
        let path = real.map_err(|source| JournalError::Open { path: path.to_owned(), source })?;
        let mut draft = path.clone().into_os_string();
        draft.push(".new");
        Ok(Self { path, draft: draft.into(), medium: Box::new(medium) })
    }

    pub(super) fn unreadable(&self, source: io::Error) -> JournalError {
        JournalError::Read { path: self.path.clone(), source }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the file, or makes an empty one, and locks it.
    pub(super) fn open(&self) -> Result<File, JournalError> {
        let path = || self.path.clone();
        let failed = |source| JournalError::Open { path: path(), source };
        let begun = Instant::now();
        loop {
            let file = open_or_make(&self.path).map_err(failed)?;
            if !file.metadata().map_err(failed)?.is_file() {
                return Err(JournalError::NotAFile { path: path() });
            }
            match file.try_lock() {
                Ok(()) if self.is_still(&file) => return Ok(file),
                // It was exchanged before it was locked: who did that has the new one.
                Ok(()) | Err(TryLockError::WouldBlock) if begun.elapsed() < LOCK_PATIENCE => sleep(LOCK_REST),
                Ok(()) | Err(TryLockError::WouldBlock) => return Err(JournalError::InUse { path: path() }),
                Err(TryLockError::Error(source)) => return Err(failed(source)),
            }
        }
    }

    /// Begins the file that is to come, and locks it before anybody can find it. Whatever was left there is lost.
    pub(super) fn draft(&self) -> io::Result<File> {
        self.discard_draft();
        let file = OpenOptions::new().read(true).append(true).create_new(true).mode(MODE).open(&self.draft)?;
        file.try_lock().map_err(io::Error::from)?;
        Ok(file)
    }

    pub(super) fn discard_draft(&self) {
        // There may be none; if it can't be removed, the next one can't be made, and that is told.
        let _ = fs::remove_file(&self.draft);
    }

    /// The draft takes the file's place.
    pub(super) fn exchange(&self) -> io::Result<()> {
        fs::rename(&self.draft, &self.path)
    }

    /// Has the disk know which file has the name.
    pub(super) fn sync_folder(&self) -> io::Result<()> {
        File::open(self.path.parent().unwrap_or(Path::new("/")))?.sync_all()
    }

    pub(super) fn medium(&self, file: File) -> Box<dyn Medium> {
        (self.medium)(file)
    }

    fn is_still(&self, file: &File) -> bool {
        let of = |metadata: io::Result<fs::Metadata>| metadata.map(|file| (file.dev(), file.ino())).ok();
        of(file.metadata()).is_some_and(|own| of(fs::metadata(&self.path)) == Some(own))
    }
}

fn open_or_make(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).append(true).create(true).mode(MODE).open(path)
}

impl Medium for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Write::write(self, bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }
}
