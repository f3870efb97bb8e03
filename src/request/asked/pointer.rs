//! JSON Pointer (RFC 6901), as far as scopes and claims are named by it: members of objects, never elements of arrays.

use crate::attestation::json::Object;
use serde_json::Value;
use std::fmt;

/// The way to one member of a JSON object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonPointer {
    first: Box<str>,
    then: Box<[Box<str>]>,
}

/// Why a text is no pointer to a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a JSON pointer is `/` and the name of a member, up to 8 times, each of 1 to 128 visible ASCII characters, with `~1` for `/` and `~0` for `~` (RFC 6901)"
)]
pub struct PointerError;

impl JsonPointer {
    /// Deeper, nobody names a scope or a claim.
    pub const MAX_TOKENS: usize = 8;
    const MAX_TOKEN_BYTES: usize = 128;

    pub fn parse(text: &str) -> Result<Self, PointerError> {
        let mut tokens = text.strip_prefix('/').ok_or(PointerError)?.split('/');
        let first = tokens.next().and_then(token).ok_or(PointerError)?;
        let then: Box<[_]> = tokens.take(Self::MAX_TOKENS).map(token).collect::<Option<_>>().ok_or(PointerError)?;
        if then.len() < Self::MAX_TOKENS { Ok(Self { first, then }) } else { Err(PointerError) }
    }

    /// The member that it names, where every step leads to one.
    pub fn find<'v>(&self, document: &'v Object) -> Option<&'v Value> {
        self.then().try_fold(document.get(self.first())?, |value, name| value.as_object()?.get(name))
    }

    /// The member of the whole document.
    pub(super) fn first(&self) -> &str {
        &self.first
    }

    /// What follows within that member.
    pub(super) fn then(&self) -> impl Iterator<Item = &str> {
        self.then.iter().map(AsRef::as_ref)
    }
}

fn token(escaped: &str) -> Option<Box<str>> {
    let fits = (1..=JsonPointer::MAX_TOKEN_BYTES).contains(&escaped.len());
    let whole = escaped.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    let visible = escaped.bytes().all(|b| b.is_ascii_graphic());
    // In this order, so that `~01` is `~1` (§4).
    (fits && whole && visible).then(|| escaped.replace("~1", "/").replace("~0", "~").into())
}

impl fmt::Display for JsonPointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut tokens = std::iter::once(self.first()).chain(self.then());
        tokens.try_for_each(|token| write!(f, "/{}", token.replace('~', "~0").replace('/', "~1")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("/scope", &["scope"])]
    #[case("/a/b", &["a", "b"])]
    #[case("/a~1b/c~0d", &["a/b", "c~d"])]
    #[case("/~01", &["~1"])]
    #[case("/1/2/3/4/5/6/7/8", &["1", "2", "3", "4", "5", "6", "7", "8"])]
    fn a_pointer_names_members(#[case] text: &str, #[case] tokens: &[&str]) {
        let pointer = JsonPointer::parse(text).unwrap();
        assert_eq!(std::iter::once(pointer.first()).chain(pointer.then()).collect::<Vec<_>>(), tokens);
        assert_eq!(pointer.to_string(), text);
    }

    #[rstest]
    #[case("")]
    #[case("/")]
    #[case("scope")]
    #[case("#/scope")]
    #[case("/a//b")]
    #[case("/a/")]
    #[case("/a~")]
    #[case("/a~2")]
    #[case("/a b")]
    #[case("/a\0")]
    #[case("/\u{17f}cope")]
    #[case("/1/2/3/4/5/6/7/8/9")]
    #[case(&format!("/{}", "a".repeat(129)))]
    fn anything_else_is_no_pointer(#[case] text: &str) {
        assert_eq!(JsonPointer::parse(text), Err(PointerError), "{text}");
    }
}
