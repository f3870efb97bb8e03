//! Patterns for names of principals: `*` matches within one path segment, `**` at the end all that follows.

/// `spiffe://example.org/ns/*/sa/batch-*`, `spiffe://example.org/**`, `billing-*`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NamePattern {
    pieces: Box<[Piece]>,
    /// Ends in `**`: one or more segments.
    open: bool,
}

/// One segment of a pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Piece {
    Literal(Box<str>),
    Glob(Glob),
}

/// A segment with at least one `*` in it: the texts between the stars.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Glob(Box<[Box<str>]>);

/// Why a text is no pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    #[error("a name is 1 to 2048 visible ASCII characters, in which `*` stands for any within a segment")]
    NoName,
    #[error("`**` is a whole segment, and stands only at the end")]
    DeepInside,
}

impl NamePattern {
    /// As long as a principal may be.
    const MAX_BYTES: usize = 2_048;

    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let fits = (1..=Self::MAX_BYTES).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        if !fits {
            return Err(PatternError::NoName);
        }
        let mut segments: Vec<_> = text.split('/').collect();
        let open = segments.last() == Some(&"**");
        if open {
            segments.pop();
        }
        if segments.iter().any(|segment| segment.contains("**")) {
            return Err(PatternError::DeepInside);
        }
        Ok(Self { pieces: segments.into_iter().map(Piece::of).collect(), open })
    }

    pub fn matches(&self, name: &str) -> bool {
        let mut segments = name.split('/');
        let pieces_match = self.pieces.iter().all(|piece| segments.next().is_some_and(|s| piece.matches(s)));
        pieces_match && segments.next().is_some() == self.open
    }
}

impl Piece {
    fn of(segment: &str) -> Self {
        if segment.contains('*') {
            Self::Glob(Glob(segment.split('*').map(Into::into).collect()))
        } else {
            Self::Literal(segment.into())
        }
    }

    fn matches(&self, segment: &str) -> bool {
        match self {
            Self::Literal(text) => **text == *segment,
            Self::Glob(glob) => glob.matches(segment),
        }
    }
}

impl Glob {
    /// The texts in order, the first at the start and the last at the end. Taking each at its first place is right, since
    /// a star gives back what a later place would need.
    fn matches(&self, segment: &str) -> bool {
        let Some((first, rest)) = self.0.split_first() else { return false };
        let Some((last, middle)) = rest.split_last() else { return false };
        let Some(mut left) = segment.strip_prefix(&**first) else { return false };
        for text in middle {
            match left.split_once(&**text) {
                Some((_, after)) => left = after,
                None => return false,
            }
        }
        left.ends_with(&**last)
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
    #[case("a*b*c", "abc", true)]
    #[case("a*b*c", "a-b-b-c", true)]
    #[case("a*b*c", "acb", false)]
    #[case("a*a", "a", false)]
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
}
