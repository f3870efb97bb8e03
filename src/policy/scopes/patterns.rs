//! A short list of patterns for scopes, such as what one identity normally uses.
//!
//! Small enough to have one for each of many identities; for one long list of a whole policy see `ElevatedScopes`.

use super::{Scope, ScopePatternError, ScopeSet};
use crate::policy::Glob;

/// Scopes, and texts in which `*` stands for any run of characters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScopePatterns {
    exact: ScopeSet,
    globs: Box<[Glob]>,
}

impl ScopePatterns {
    /// As many as a token can have scopes; who needs more says it with stars.
    pub const MAX_PATTERNS: usize = ScopeSet::MAX_SCOPES;

    pub fn new<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Result<Self, ScopePatternError> {
        let (mut exact, mut globs) = (Vec::new(), Vec::new());
        for pattern in patterns {
            let scope = Scope::parse(pattern).map_err(|_| ScopePatternError)?;
            let glob = Glob::parse(pattern).map_err(|_| ScopePatternError)?;
            if glob.is_literal() { exact.push(scope) } else { globs.push(glob) }
        }
        if exact.len() + globs.len() > Self::MAX_PATTERNS {
            return Err(ScopePatternError);
        }
        let exact = ScopeSet::bounded(exact).map_err(|_| ScopePatternError)?;
        Ok(Self { exact, globs: globs.into() })
    }

    pub fn contains(&self, scope: &Scope) -> bool {
        self.exact.contains(scope) || self.globs.iter().any(|glob| glob.matches(scope.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::ElevatedScopes;
    use proptest::prelude::*;

    #[test]
    fn a_list_of_none_contains_none() {
        assert!(!ScopePatterns::default().contains(&Scope::parse("a").unwrap()));
    }

    #[test]
    fn a_list_is_bounded_and_of_scopes() {
        let many: Vec<_> = (0..=ScopePatterns::MAX_PATTERNS).map(|n| format!("s{n}:*")).collect();
        assert!(ScopePatterns::new(many.iter().map(String::as_str)).is_err());
        for text in ["", "a b", "a\"*", &"a".repeat(257)] {
            assert_eq!(ScopePatterns::new([text]), Err(ScopePatternError), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn patterns_mean_the_same_in_both_kinds_of_list(patterns in prop::collection::vec("[ab*:]{1,5}", 0..4), scope in "[ab:]{1,6}") {
            let texts = || patterns.iter().map(String::as_str);
            let scope = Scope::parse(&scope).unwrap();
            let elevated = ElevatedScopes::new(texts()).unwrap();
            prop_assert_eq!(ScopePatterns::new(texts()).unwrap().contains(&scope), elevated.contains(&scope));
        }
    }
}
