//! The files that a policy is made from, and places in them.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

/// A text and where it came from.
#[derive(Clone, Debug)]
pub struct Source {
    pub path: PathBuf,
    text: String,
    /// Where each line begins, so that a place is found without reading the text again.
    lines: Vec<usize>,
}

/// Which of the sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(usize);

/// A run of bytes in a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    pub source: SourceId,
    pub start: usize,
    pub end: usize,
}

/// Lines and columns as people and editors count them: from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    pub line: usize,
    pub column: usize,
}

/// Every source that was read, or tried to be.
#[derive(Clone, Debug, Default)]
pub struct Sources(Vec<Source>);

impl Source {
    fn new(path: &Path, text: String) -> Self {
        let after_newline = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        let lines = std::iter::once(0).chain(after_newline).collect();
        Self { path: path.to_owned(), text, lines }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn position(&self, offset: usize) -> Position {
        let line = self.line_at(offset);
        let start = self.line_start(line);
        let before = self.text.get(start..offset).unwrap_or_default();
        Position { line: line + 1, column: before.chars().count() + 1 }
    }

    /// The byte at a line and column, both from 1; the nearest there is.
    pub fn offset(&self, line: usize, column: usize) -> usize {
        let start = self.line_start(line.saturating_sub(1));
        let rest = self.text.get(start..).unwrap_or_default();
        rest.char_indices().nth(column.saturating_sub(1)).map_or(self.text.len(), |(at, _)| start + at)
    }

    /// Where the character at a byte ends; the byte itself at the end of the text.
    pub fn char_end(&self, offset: usize) -> usize {
        let next = self.text.get(offset..).and_then(|rest| rest.chars().next());
        offset + next.map_or(0, char::len_utf8)
    }

    /// The line of a byte, from 0.
    pub fn line_at(&self, offset: usize) -> usize {
        self.lines.partition_point(|start| *start <= offset).saturating_sub(1)
    }

    /// The lines that a place touches, from 0.
    pub fn lines_of(&self, place: Place) -> RangeInclusive<usize> {
        self.line_at(place.start)..=self.line_at(place.end.saturating_sub(1).max(place.start))
    }

    /// Where a line begins, from 0; the end of the text where there is no such line.
    pub fn line_start(&self, line: usize) -> usize {
        self.lines.get(line).copied().unwrap_or(self.text.len())
    }
}

impl Sources {
    pub fn add(&mut self, path: &Path, text: String) -> SourceId {
        self.0.push(Source::new(path, text));
        SourceId(self.0.len() - 1)
    }

    pub fn get(&self, id: SourceId) -> Option<&Source> {
        self.0.get(id.0)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Source> {
        self.0.iter()
    }
}

impl Place {
    pub const fn start_of(source: SourceId) -> Self {
        Self { source, start: 0, end: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_counts_characters_and_leads_back_to_its_byte() {
        let source = Source::new(Path::new("a.yaml"), "a: 1\ncafé: x\n".into());
        let offset = source.text().find('x').unwrap();
        assert_eq!(source.position(offset), Position { line: 2, column: 7 });
        assert_eq!(source.offset(2, 7), offset);
        assert_eq!(source.position(source.text().len()), Position { line: 3, column: 1 });
        assert_eq!(source.offset(99, 1), source.text().len());
    }
}
