//! The file, to which is appended. What could not be appended whole is cut off again before anything follows.

use super::file::{Home, Medium};
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::FileExt;

pub(super) struct Log {
    medium: Box<dyn Medium>,
    /// The same, to be read: by whatever name it goes by now.
    file: File,
    /// Of what is whole.
    length: u64,
    /// Whether something that is not whole may follow.
    is_torn: bool,
}

impl Log {
    /// What follows `length` will be cut off.
    pub(super) fn new(home: &Home, file: File, length: u64) -> io::Result<Self> {
        let medium = home.medium(file.try_clone()?);
        Ok(Self { medium, file, length, is_torn: true })
    }

    /// What is in it now.
    pub(super) fn reader(&self) -> io::Result<io::Take<Reader>> {
        self.reader_from(0)
    }

    /// What was appended since it was so long.
    pub(super) fn reader_from(&self, at: u64) -> io::Result<io::Take<Reader>> {
        Ok(Reader { file: self.file.try_clone()?, at }.take(self.length.saturating_sub(at)))
    }

    pub(super) const fn length(&self) -> u64 {
        self.length
    }

    /// All of it or nothing.
    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.mend()?;
        self.is_torn = true;
        match write_all(&mut *self.medium, bytes) {
            Ok(()) => {
                self.is_torn = false;
                self.length += bytes.len() as u64;
                Ok(())
            }
            Err(error) => {
                // Should that fail too, nothing is appended before it succeeds.
                let _ = self.mend();
                Err(error)
            }
        }
    }

    /// All of it, on the disk, or nothing.
    pub(super) fn append_synced(&mut self, bytes: &[u8]) -> io::Result<()> {
        let before = self.length;
        self.append(bytes)?;
        self.medium.sync().inspect_err(|_| {
            // Whether it is there nobody knows, and to sync again would not tell: it has to be written again.
            self.length = before;
            self.is_torn = true;
            let _ = self.mend();
        })
    }

    pub(super) fn sync(&mut self) -> io::Result<()> {
        self.medium.sync()
    }

    /// Cuts off what is not whole.
    pub(super) fn mend(&mut self) -> io::Result<()> {
        if self.is_torn {
            self.medium.truncate(self.length)?;
            self.is_torn = false;
        }
        Ok(())
    }
}

/// Reads at a place of its own, while others append.
pub(super) struct Reader {
    file: File,
    at: u64,
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

fn write_all(medium: &mut dyn Medium, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match medium.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
