//! A record as a line: the CRC-32 of its JSON as eight hex digits, a space, the JSON, and the end of the line. Without that
//! end it is torn; with it and another checksum it is damaged.

use super::entry::Entry;
use std::io::{self, BufRead, BufReader, Read};

/// What the file is, and the version of its form.
pub(super) const HEADER: &[u8] = b"stepgate-journal 1\n";
/// How the first line of every version begins.
pub(super) const ANY_VERSION: &[u8] = b"stepgate-journal ";
/// More than any record takes, and than is written at once: what a file system filled up with zeros instead is torn.
const MAX_BYTES: u64 = 4 << 20;
/// Eight digits and a space.
const CHECKSUM_BYTES: usize = 9;

/// What is wrong with a line that is whole.
#[derive(Debug, thiserror::Error)]
pub enum Damage {
    #[error("the checksum of the record does not match")]
    Checksum,
    #[error("it is no record that this version knows ({0})")]
    Record(#[from] serde_json::Error),
    #[error("it is longer than any record")]
    Length,
    #[error("what was learned is not preceded by its key")]
    NoKey,
}

/// It was whole when it was opened.
impl From<Damage> for io::Error {
    fn from(damage: Damage) -> Self {
        Self::new(io::ErrorKind::InvalidData, damage)
    }
}

/// Appends the line of an entry, and says its checksum.
pub(super) fn encode(entry: &Entry<'_>, text: &mut Vec<u8>) -> serde_json::Result<u32> {
    let start = text.len();
    text.extend_from_slice(&[b' '; CHECKSUM_BYTES]);
    serde_json::to_writer(&mut *text, entry)?;
    let (before, json) = text.split_at_mut(start + CHECKSUM_BYTES);
    let crc = crc32fast::hash(json);
    before.iter_mut().rev().zip(checksum(crc).iter().rev()).for_each(|(to, from)| *to = *from);
    text.push(b'\n');
    Ok(crc)
}

/// Reads a line without its end; with the checksum, by which one line can be told from others.
pub(super) fn decode(line: &[u8]) -> Result<(Entry<'static>, u32), Damage> {
    let (before, json) = line.split_at_checked(CHECKSUM_BYTES).ok_or(Damage::Checksum)?;
    let crc = crc32fast::hash(json);
    if before != checksum(crc) {
        return Err(Damage::Checksum);
    }
    Ok((serde_json::from_slice(json)?, crc))
}

/// What a line begins with, for each of millions of lines.
fn checksum(crc: u32) -> [u8; CHECKSUM_BYTES] {
    let mut text = [b' '; CHECKSUM_BYTES];
    let nibbles = crc.to_be_bytes().into_iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    text.iter_mut().zip(nibbles).for_each(|(digit, nibble)| {
        *digit = if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
    });
    text
}

/// The whole lines of a file, one after the other.
pub(super) struct Lines<R> {
    from: BufReader<R>,
    line: Vec<u8>,
    /// Of the line read last; the first is 1.
    pub number: usize,
    /// What the whole lines read so far take.
    pub bytes: u64,
}

impl<R: Read> Lines<R> {
    pub(super) fn of(from: R) -> Self {
        let from = BufReader::with_capacity(READ_AT_ONCE, from);
        Self { from, line: Vec::new(), number: 0, bytes: 0 }
    }

    /// The next whole line, with its end; one too long to be any is an error of its own.
    pub(super) fn next(&mut self) -> io::Result<Option<Result<&[u8], Damage>>> {
        if !self.line.is_empty() && !self.line.ends_with(b"\n") {
            return Ok(None);
        }
        self.line.clear();
        let bytes = (&mut self.from).take(MAX_BYTES).read_until(b'\n', &mut self.line)? as u64;
        self.number += 1;
        if self.line.ends_with(b"\n") {
            self.bytes += bytes;
            return Ok(Some(Ok(&self.line)));
        }
        if bytes == MAX_BYTES {
            return Ok(Some(Err(Damage::Length)));
        }
        Ok(None)
    }

    /// What follows the last whole line, once there is no next one.
    pub(super) fn torn(&self) -> &[u8] {
        &self.line
    }
}

/// Few calls of the kernel for a file of many megabytes.
const READ_AT_ONCE: usize = 1 << 18;
