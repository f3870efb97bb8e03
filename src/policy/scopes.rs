//! OAuth scopes: what a caller was granted, what a route exercises, and which of them are elevated.

mod patterns;

pub use patterns::ScopePatterns;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use std::fmt;
use std::sync::Arc;

/// One scope token (RFC 6749 §3.3).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope(Arc<str>);

/// Why a text is no scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a scope is 1 to 256 visible ASCII characters other than `\"` and `\\` (RFC 6749 §3.3)")]
pub struct ScopeError;

/// Several scopes, sorted, each once. A copy costs nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScopeSet(Arc<[Scope]>);

/// The scopes that a policy calls elevated; `*` in a pattern matches any run of characters.
#[derive(Clone, Debug, Default)]
pub struct ElevatedScopes {
    as_written: GlobSet,
    in_any_case: GlobSet,
}

/// Why a text is no pattern for scopes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a scope pattern is a scope in which `*` stands for any run of characters")]
pub struct ScopePatternError;

impl Scope {
    const MAX_BYTES: usize = 256;

    pub fn parse(text: &str) -> Result<Self, ScopeError> {
        let allowed = |b: u8| b.is_ascii_graphic() && b != b'"' && b != b'\\';
        let fits = (1..=Self::MAX_BYTES).contains(&text.len()) && text.bytes().all(allowed);
        if fits { Ok(Self(text.into())) } else { Err(ScopeError) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is written so that many servers, and people, take it for more than one: they split scopes at other marks
    /// than spaces, at commas above all.
    pub fn may_be_several(&self) -> bool {
        self.0.contains([',', ';', '|'])
    }
}

impl ScopeSet {
    /// More than any real token carries, and a bound on what one token can make us compare.
    pub const MAX_SCOPES: usize = 256;

    /// Reads `scope` as RFC 6749 §3.3 writes it: tokens between single spaces.
    pub fn parse(text: &str) -> Result<Self, ScopeError> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        text.split(' ').map(Scope::parse).collect::<Result<Vec<_>, _>>().and_then(Self::bounded)
    }

    pub fn bounded(mut scopes: Vec<Scope>) -> Result<Self, ScopeError> {
        scopes.sort_unstable();
        scopes.dedup();
        if scopes.len() > Self::MAX_SCOPES { Err(ScopeError) } else { Ok(Self(scopes.into())) }
    }

    pub fn contains(&self, scope: &Scope) -> bool {
        self.0.binary_search(scope).is_ok()
    }

    pub fn is_subset_of(&self, other: &Self) -> bool {
        self.0.iter().all(|scope| other.contains(scope))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Scope> {
        self.0.iter()
    }

    /// The scopes of both; more than a set may have are kept all the same, since each of the two was bounded.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        if other.is_subset_of(self) {
            return self.clone();
        }
        let mut scopes: Vec<_> = self.iter().chain(other.iter()).cloned().collect();
        scopes.sort_unstable();
        scopes.dedup();
        Self(scopes.into())
    }

    /// Those of the set that `keep` says yes to.
    #[must_use]
    pub fn filtered(&self, keep: impl Fn(&Scope) -> bool) -> Self {
        let kept: Vec<_> = self.0.iter().filter(|scope| keep(scope)).cloned().collect();
        // Most often none are left, and the empty set is always at hand.
        if kept.is_empty() { Self::default() } else { Self(kept.into()) }
    }
}

impl ElevatedScopes {
    pub fn new<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Result<Self, ScopePatternError> {
        let (mut as_written, mut in_any_case) = (GlobSetBuilder::new(), GlobSetBuilder::new());
        for pattern in patterns {
            let literals: Vec<_> = pattern.split('*').map(globset::escape).collect();
            // A star is a character that a scope can have.
            Scope::parse(pattern).map_err(|_| ScopePatternError)?;
            let glob = literals.join("*").replace("**", "*");
            for (set, folded) in [(&mut as_written, false), (&mut in_any_case, true)] {
                let glob = GlobBuilder::new(&glob).literal_separator(false).case_insensitive(folded).build();
                set.add(glob.map_err(|_| ScopePatternError)?);
            }
        }
        let build = |set: GlobSetBuilder| set.build().map_err(|_| ScopePatternError);
        Ok(Self { as_written: build(as_written)?, in_any_case: build(in_any_case)? })
    }

    /// Scopes have case (RFC 6749 §3.3).
    pub fn contains(&self, scope: &Scope) -> bool {
        self.as_written.is_match(scope.as_str())
    }

    /// Whether a server that forgets their case takes it for one of these.
    pub fn contains_in_any_case(&self, scope: &Scope) -> bool {
        self.in_any_case.is_match(scope.as_str())
    }
}

impl fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.0.iter().enumerate() {
            let gap = if index == 0 { "" } else { " " };
            write!(f, "{gap}{}", scope.as_str())?;
        }
        Ok(())
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("*:write", "payments:write", true)]
    #[case("*:write", "payments:write:all", false)]
    #[case("*:write", "a/b:write", true)]
    #[case("payments:refund", "payments:refund", true)]
    #[case("payments:refund", "payments:refunds", false)]
    #[case("admin:*", "admin:", true)]
    #[case("admin:*", "Admin:x", false)]
    #[case("*", "anything/at:all", true)]
    #[case("a**b", "a-b", true)]
    #[case("a?c", "abc", false)]
    #[case("a[bc]", "ab", false)]
    #[case("{a,b}", "a", false)]
    fn only_a_star_is_special_in_a_scope_pattern(#[case] pattern: &str, #[case] scope: &str, #[case] elevated: bool) {
        let set = ElevatedScopes::new([pattern]).unwrap();
        assert_eq!(set.contains(&Scope::parse(scope).unwrap()), elevated);
    }

    #[rstest]
    #[case("admin:*", "ADMIN:x", true)]
    #[case("Payments:Refund", "payments:refund", true)]
    #[case("admin:*", "adm1n:x", false)]
    fn case_may_be_forgotten(#[case] pattern: &str, #[case] scope: &str, #[case] elevated: bool) {
        let set = ElevatedScopes::new([pattern]).unwrap();
        assert_eq!(set.contains_in_any_case(&Scope::parse(scope).unwrap()), elevated);
    }

    #[test]
    fn a_scope_list_is_tokens_between_single_spaces() {
        assert_eq!(ScopeSet::parse("b a a").unwrap().to_string(), "a b");
        assert!(ScopeSet::parse("").unwrap().is_empty());
        for text in [" a", "a ", "a  b", "a\tb", "a\"b"] {
            assert_eq!(ScopeSet::parse(text), Err(ScopeError), "{text:?}");
        }
    }

    #[test]
    fn a_subset_needs_every_scope() {
        let granted = ScopeSet::parse("a b").unwrap();
        assert!(ScopeSet::parse("a").unwrap().is_subset_of(&granted));
        assert!(!ScopeSet::parse("a c").unwrap().is_subset_of(&granted));
    }
}
