//! The destination, as the writer holds it: whole lines or none, whatever the disk says.

use super::Destination;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

#[derive(Debug)]
pub(super) struct Sink<W = Target> {
    target: W,
    /// The last write ended within a line, which must end before the next begins.
    torn: bool,
}

#[derive(Debug)]
pub(super) enum Target {
    Stdout(io::Stdout),
    File { path: PathBuf, file: File },
}

/// Lines that could not be written, and why.
#[derive(Debug)]
pub(super) struct Lost {
    pub lines: u64,
    pub why: io::Error,
}

/// Principals and paths are nobody's business but the operator's and the log shipper's group.
const FILE_MODE: u32 = 0o640;

impl Sink {
    /// `None` where the log is off.
    pub(super) fn open(destination: &Destination) -> io::Result<Option<Self>> {
        let target = match destination {
            Destination::Off => return Ok(None),
            Destination::Stdout => Target::Stdout(io::stdout()),
            Destination::File(path) => Target::File { path: path.clone(), file: open_file(path)? },
        };
        Ok(Some(Self { target, torn: false }))
    }

    /// Opens the file anew, as after its rotation. Where that fails, the old one stays.
    pub(super) fn reopen(&mut self) -> io::Result<()> {
        if let Target::File { path, file } = &mut self.target {
            *file = open_file(path)?;
            self.torn = false;
        }
        Ok(())
    }
}

impl<W: Write> Sink<W> {
    /// Writes lines, each with its end.
    pub(super) fn write(&mut self, lines: &[u8]) -> Result<(), Lost> {
        let mut rest = lines;
        let result =
            self.mend().and_then(|()| write_some(&mut self.target, &mut rest)).and_then(|()| self.target.flush());
        result.map_err(|why| {
            let written = lines.len() - rest.len();
            self.torn |= written > 0 && lines.get(written - 1) != Some(&b'\n');
            Lost { lines: count_lines(rest), why }
        })
    }

    fn mend(&mut self) -> io::Result<()> {
        if self.torn {
            self.target.write_all(b"\n")?;
            self.torn = false;
        }
        Ok(())
    }
}

/// As `write_all`, but that `rest` says how far it came.
fn write_some(target: &mut impl Write, rest: &mut &[u8]) -> io::Result<()> {
    while !rest.is_empty() {
        match target.write(rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => *rest = rest.get(count..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn count_lines(lines: &[u8]) -> u64 {
    lines.iter().map(|byte| u64::from(*byte == b'\n')).sum()
}

fn open_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(FILE_MODE).open(path)
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(stdout) => stdout.write(bytes),
            Self::File { file, .. } => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(stdout) => stdout.flush(),
            Self::File { file, .. } => file.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk with room for so many bytes.
    struct Disk {
        room: usize,
        held: Vec<u8>,
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let count = bytes.len().min(self.room);
            if count == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.room -= count;
            self.held.extend_from_slice(&bytes[..count]);
            Ok(count)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn full_after(room: usize) -> Sink<Disk> {
        Sink { target: Disk { room, held: Vec::new() }, torn: false }
    }

    #[test]
    fn a_line_that_a_full_disk_tore_ends_before_the_next_begins() {
        let mut sink = full_after(6);
        let lost = sink.write(b"one\ntwo\nthree\n").unwrap_err();
        assert_eq!((lost.lines, lost.why.kind()), (2, io::ErrorKind::StorageFull));
        sink.target.room = 100;
        sink.write(b"four\n").unwrap();
        assert_eq!(sink.target.held, b"one\ntw\nfour\n");
    }

    #[test]
    fn no_empty_line_is_left_where_a_write_failed_between_lines() {
        let mut sink = full_after(4);
        assert_eq!(sink.write(b"one\ntwo\n").unwrap_err().lines, 1);
        assert_eq!(sink.write(b"three\n").unwrap_err().lines, 1);
        sink.target.room = 100;
        sink.write(b"four\n").unwrap();
        assert_eq!(sink.target.held, b"one\nfour\n");
    }
}
