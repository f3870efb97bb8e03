//! Lines to be appended, and what has to be known of each once it is in the file.

use super::NotWritten;
use super::entry::Entry;
use super::line::encode;
use super::live::Mark;

#[derive(Debug, Default)]
pub(super) struct Text {
    pub bytes: Vec<u8>,
    pub marks: Vec<Mark>,
}

impl Text {
    pub(super) fn of<'a>(entries: impl IntoIterator<Item = Entry<'a>>) -> Result<Self, NotWritten> {
        let mut text = Self::default();
        for entry in entries {
            let start = text.bytes.len();
            // A record has nothing in it that JSON has no form for; should that change, it is not kept, and that is told.
            let crc = encode(&entry, &mut text.bytes).map_err(|_| NotWritten)?;
            text.marks.push(Mark::of(&entry, crc, (text.bytes.len() - start) as u64));
        }
        Ok(text)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(super) fn extend(&mut self, other: Self) {
        self.bytes.extend_from_slice(&other.bytes);
        self.marks.extend(other.marks);
    }
}
