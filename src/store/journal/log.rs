//! The end of the file, to which is appended. What could not be appended whole is cut off again before anything follows.

use super::file::Medium;
use std::io::{self, ErrorKind};

pub(super) struct Log {
    medium: Box<dyn Medium>,
    /// Of what is whole.
    length: u64,
    /// Whether something that is not whole may follow.
    is_torn: bool,
}

impl Log {
    /// What follows `length` will be cut off.
    pub(super) fn new(medium: Box<dyn Medium>, length: u64) -> Self {
        Self { medium, length, is_torn: true }
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
