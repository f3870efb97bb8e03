//! Patterns for names of principals: `*` matches within one path segment, `**` at the end all that follows.

use super::glob::Glob;
use std::fmt;

/// `spiffe://example.org/ns/*/sa/batch-*`, `spiffe://example.org/**`, `billing-*`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct NamePattern {
    text: Box<str>,
    pieces: Box<[Piece]>,
    /// Ends in `**`: one or more segments.
    open: bool,
}

/// One segment of a pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Piece {
    Literal(Box<str>),
    /// With at least one `*`.
    Glob(Glob),
}

/// How narrow one segment is, the widest first: `**`, `*`, a glob with few and with more literal characters, a literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Rank<'p> {
    Rest,
    Glob(usize),
    Literal(&'p str),
}

/// Why a text is no pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    #[error("a name is 1 to 2048 visible ASCII characters, in which `*` stands for any within a segment")]
    NoName,
    #[error("`**` is a whole segment, and stands only at the end")]
    DeepInside,
    #[error("a name with a `*` in it has at most {} segments", NamePattern::MAX_SEGMENTS)]
    TooDeep,
}

impl NamePattern {
    /// As long as a principal may be.
    const MAX_BYTES: usize = 2_048;
    /// Deeper than any real hierarchy of names, and the bound on how deep a look-up among patterns can go.
    pub const MAX_SEGMENTS: usize = 64;

    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let fits = (1..=Self::MAX_BYTES).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        if !fits {
            return Err(PatternError::NoName);
        }
        let mut segments: Vec<_> = text.split('/').collect();
        if text.contains('*') && segments.len() > Self::MAX_SEGMENTS {
            return Err(PatternError::TooDeep);
        }
        let open = segments.last() == Some(&"**");
        if open {
            segments.pop();
        }
        if segments.iter().any(|segment| segment.contains("**")) {
            return Err(PatternError::DeepInside);
        }
        let pieces = segments.into_iter().map(Piece::parse).collect::<Option<_>>().ok_or(PatternError::NoName)?;
        Ok(Self { text: text.into(), pieces, open })
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is one name.
    pub fn is_exact(&self) -> bool {
        !self.text.contains('*')
    }

    pub fn matches(&self, name: &str) -> bool {
        let mut segments = name.split('/');
        let pieces_match = self.pieces.iter().all(|piece| segments.next().is_some_and(|s| piece.matches(s)));
        pieces_match && segments.next().is_some() == self.open
    }

    pub(super) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    pub(super) const fn is_open(&self) -> bool {
        self.open
    }

    /// Segment by segment. Of patterns that match one name, the greatest in this order describes it: their literals are
    /// those of the name, and so the same.
    pub(super) fn ranks(&self) -> impl Iterator<Item = Rank<'_>> {
        self.pieces.iter().map(Piece::rank).chain(self.open.then_some(Rank::Rest))
    }

    pub(super) fn globs(&self) -> impl Iterator<Item = &Glob> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Glob(glob) => Some(glob),
            Piece::Literal(_) => None,
        })
    }
}

impl Piece {
    fn parse(segment: &str) -> Option<Self> {
        if segment.contains('*') {
            Glob::parse(segment).ok().map(Self::Glob)
        } else {
            Some(Self::Literal(segment.into()))
        }
    }

    fn matches(&self, segment: &str) -> bool {
        match self {
            Self::Literal(text) => **text == *segment,
            Self::Glob(glob) => glob.matches(segment),
        }
    }

    fn rank(&self) -> Rank<'_> {
        match self {
            Self::Literal(text) => Rank::Literal(text),
            Self::Glob(glob) => Rank::Glob(glob.literals()),
        }
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("spiffe://example.org/ns/billing/sa/*", "spiffe://example.org/ns/billing/sa/web", true)]
    #[case("spiffe://example.org/ns/billing/sa/*", "spiffe://example.org/ns/billing/sa/web/x", false)]
    #[case("spiffe://example.org/ns/billing/sa/*", "spiffe://example.org/ns/billing/sa/", true)]
    #[case("spiffe://example.org/**", "spiffe://example.org/ns/a", true)]
    #[case("spiffe://example.org/**", "spiffe://example.org", false)]
    #[case("spiffe://example.org/**", "spiffe://example.org.evil/ns", false)]
    #[case("billing-*", "billing-batch", true)]
    #[case("billing-*", "billing-batch/x", false)]
    #[case("billing-*", "xbilling-batch", false)]
    #[case("**", "anything/at/all", true)]
    #[case("*", "a/b", false)]
    fn a_star_stays_within_its_segment(#[case] pattern: &str, #[case] name: &str, #[case] matches: bool) {
        assert_eq!(NamePattern::parse(pattern).unwrap().matches(name), matches);
    }

    #[test]
    fn deep_stars_stand_at_the_end() {
        for text in ["a/**/b", "a**", "**b", "a/b**"] {
            assert_eq!(NamePattern::parse(text), Err(PatternError::DeepInside), "{text}");
        }
        assert_eq!(NamePattern::parse(""), Err(PatternError::NoName));
    }

    #[test]
    fn only_a_name_without_stars_may_be_deep() {
        let deep = "a/".repeat(100);
        assert!(NamePattern::parse(&deep).unwrap().is_exact());
        assert_eq!(NamePattern::parse(&format!("{deep}*")), Err(PatternError::TooDeep));
    }

    #[test]
    fn a_pattern_matches_much_deeper_names() {
        let name = format!("{}{}", "/".repeat(1_000), "a".repeat(1_000));
        assert!(NamePattern::parse("*/**").unwrap().matches(&name));
        assert!(!NamePattern::parse(&"*/".repeat(63)).unwrap().matches(&name));
    }
}
