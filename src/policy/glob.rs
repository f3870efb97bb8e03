//! Texts in which `*` stands for any run of characters: scopes, names of routes and tools, segments of principals' names.

/// `payments:*`, `delete_*`, `*-batch`; without a star, one text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Glob(Box<str>);

/// Why a text is no glob.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a pattern is 1 to {} printable ASCII characters, in which `*` stands for any run of them", Glob::MAX_BYTES)]
pub struct GlobError;

impl Glob {
    /// As long as the longest name that a policy speaks of, a principal's.
    pub const MAX_BYTES: usize = 2_048;

    pub fn parse(text: &str) -> Result<Self, GlobError> {
        let printable = |b: u8| b.is_ascii_graphic() || b == b' ';
        let fits = (1..=Self::MAX_BYTES).contains(&text.len()) && text.bytes().all(printable);
        if !fits {
            return Err(GlobError);
        }
        // Stars in a row say what one says: equal globs have equal texts.
        let mut characters: Vec<_> = text.chars().collect();
        characters.dedup_by(|a, b| (*a, *b) == ('*', '*'));
        Ok(Self(String::from_iter(characters).into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_literal(&self) -> bool {
        !self.0.contains('*')
    }

    /// The texts between the stars in order, the first at the start and the last at the end. Taking each at its first place
    /// is right, since a star gives back what a later place would need; and so a look is as long as the text.
    pub fn matches(&self, text: &str) -> bool {
        let Some((first, rest)) = self.0.split_once('*') else { return *self.0 == *text };
        let Some(mut left) = text.strip_prefix(first) else { return false };
        let Some((middle, last)) = rest.rsplit_once('*') else { return left.ends_with(rest) };
        for text in middle.split('*') {
            match left.split_once(text) {
                Some((_, after)) => left = after,
                None => return false,
            }
        }
        left.ends_with(last)
    }

    /// What every text that it matches begins with.
    pub(super) fn prefix(&self) -> &str {
        self.0.split('*').next().unwrap_or_default()
    }

    /// What every text that it matches ends with.
    pub(super) fn suffix(&self) -> &str {
        self.0.rsplit('*').next().unwrap_or_default()
    }

    /// How many characters stand for themselves.
    pub(super) fn literals(&self) -> usize {
        self.0.bytes().filter(|b| *b != b'*').count()
    }

    /// Whether some text matches both.
    ///
    /// Where both have a star, it is enough that one could begin and end as both ask: what they ask for in between can
    /// stand there one after the other.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        match (self.is_literal(), other.is_literal()) {
            (true, _) => other.matches(&self.0),
            (_, true) => self.matches(&other.0),
            _ => {
                let (begin, end) = ((self.prefix(), other.prefix()), (self.suffix(), other.suffix()));
                (begin.0.starts_with(begin.1) || begin.1.starts_with(begin.0))
                    && (end.0.ends_with(end.1) || end.1.ends_with(end.0))
            }
        }
    }
}

impl std::fmt::Debug for Glob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("abc", "abc", true)]
    #[case("abc", "abcd", false)]
    #[case("a*b*c", "abc", true)]
    #[case("a*b*c", "a-b-b-c", true)]
    #[case("a*b*c", "acb", false)]
    #[case("a*a", "a", false)]
    #[case("a**b", "a-b", true)]
    #[case("*ab*ab*", "ab-ab", true)]
    #[case("*ab*ab*", "aab", false)]
    #[case("*", "", true)]
    #[case("curl/*", "curl/8.5 (x86_64)", true)]
    #[case("a?[b]", "ab", false)]
    fn a_star_is_any_run_and_nothing_else_is_special(#[case] glob: &str, #[case] text: &str, #[case] matches: bool) {
        assert_eq!(Glob::parse(glob).unwrap().matches(text), matches);
    }

    #[test]
    fn stars_in_a_row_are_one() {
        assert_eq!(Glob::parse("a***b**"), Glob::parse("a*b*"));
    }

    #[test]
    fn what_nothing_could_match_is_no_glob() {
        for text in ["", "a\n*", "caf\u{e9}*", &"*".repeat(Glob::MAX_BYTES + 1)] {
            assert_eq!(Glob::parse(text), Err(GlobError), "{text:?}");
        }
    }

    #[test]
    fn a_glob_of_many_stars_never_goes_back_far() {
        let glob = Glob::parse(&"a*".repeat(1_000)).unwrap();
        assert!(!glob.matches(&"a".repeat(999)));
        assert!(glob.matches(&"a".repeat(1_000)));
    }

    /// Every text of up to eight `a` and `b`.
    fn texts() -> Vec<String> {
        let mut texts = vec![String::new()];
        for length in 0..8 {
            let longer =
                texts.iter().filter(|text| text.len() == length).flat_map(|t| [format!("{t}a"), format!("{t}b")]);
            texts.extend(longer.collect::<Vec<_>>());
        }
        texts
    }

    /// Star by star, with all ways to fill each.
    fn matches_obviously(glob: &[u8], text: &[u8]) -> bool {
        match (glob, text) {
            ([], []) => true,
            ([b'*', rest @ ..], _) => (0..=text.len()).any(|run| matches_obviously(rest, &text[run..])),
            ([a, rest @ ..], [b, left @ ..]) => a == b && matches_obviously(rest, left),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn globs_overlap_where_a_text_matches_both(one in "[ab*]{1,4}", other in "[ab*]{1,4}") {
            let globs = [Glob::parse(&one).unwrap(), Glob::parse(&other).unwrap()];
            let both = texts().iter().any(|text| globs.iter().all(|glob| glob.matches(text)));
            prop_assert_eq!(globs[0].overlaps(&globs[1]), both);
        }

        #[test]
        fn a_match_is_found_where_there_is_one(glob in "[ab*]{1,6}", text in "[ab]{0,6}") {
            prop_assert_eq!(Glob::parse(&glob).unwrap().matches(&text), matches_obviously(glob.as_bytes(), text.as_bytes()));
        }
    }
}
