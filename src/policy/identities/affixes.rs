//! Values under texts, found by what begins or ends with the text: a look for each length that occurs, however many there are.

use foldhash::HashMap;

#[derive(Clone, Debug)]
pub(super) struct Affixes<T> {
    /// Those that occur, each once.
    lengths: Vec<usize>,
    by_text: HashMap<Box<str>, T>,
}

impl<T> Default for Affixes<T> {
    fn default() -> Self {
        Self { lengths: Vec::new(), by_text: HashMap::default() }
    }
}

impl<T: Default> Affixes<T> {
    pub(super) fn entry(&mut self, text: &str) -> &mut T {
        if !self.lengths.contains(&text.len()) {
            self.lengths.push(text.len());
        }
        self.by_text.entry(text.into()).or_default()
    }

    /// The values whose text stands at the start of this one.
    pub(super) fn at_start<'a>(&'a self, text: &'a str) -> impl Iterator<Item = &'a T> {
        self.lengths.iter().filter_map(|length| self.by_text.get(text.get(..*length)?))
    }

    /// The values whose text stands at the end of this one.
    pub(super) fn at_end<'a>(&'a self, text: &'a str) -> impl Iterator<Item = &'a T> {
        self.lengths.iter().filter_map(|length| self.by_text.get(text.get(text.len().checked_sub(*length)?..)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_by_every_text_that_begins_or_ends_with_its_own() {
        let mut affixes = Affixes::default();
        for text in ["", "a", "ab", "abc", "b"] {
            *affixes.entry(text) = text.to_owned();
        }
        let sorted = |mut found: Vec<&String>| {
            found.sort();
            found.into_iter().cloned().collect::<Vec<_>>()
        };
        assert_eq!(sorted(affixes.at_start("ab").collect()), ["", "a", "ab"]);
        assert_eq!(sorted(affixes.at_end("ab").collect()), ["", "ab", "b"]);
        assert_eq!(sorted(affixes.at_start("\u{e9}").collect()), [""]);
    }
}
