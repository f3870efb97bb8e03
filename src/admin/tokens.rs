//! Who may use the control API: tokens of a file, each with a name and a role. Of a token only its SHA-256 is kept.

use crate::policy::Name;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{Digest, SHA256, digest};
use std::fmt;
use std::str::FromStr;

/// Who asks: the name goes into the log of what was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    pub name: Name,
    pub role: Role,
}

/// What an operator may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Look.
    Read,
    /// Look, and change things.
    Admin,
}

/// The tokens that are good now.
#[derive(Debug, Default)]
pub struct AdminTokens(Vec<Known>);

struct Known {
    operator: Operator,
    /// Unsalted and fast, which is enough for what can't be guessed: see [`MIN_BYTES`].
    digest: Digest,
}

/// Why a text holds no admin tokens. It names the line and never what stands in it: the token may stand in any place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdminTokensError {
    #[error("line {line} is not a name, a role and a token with spaces between")]
    Form { line: usize },
    #[error("line {line} begins with no name: 1 to 128 letters, digits and -_.:/@+")]
    Name { line: usize },
    #[error("the role in line {line} is neither `read` nor `admin`")]
    Role { line: usize },
    #[error(
        "the token in line {line} is not {MIN_BYTES} to {MAX_BYTES} visible ASCII characters, of which a shorter one could be guessed; `openssl rand -hex 32` makes a good one"
    )]
    Token { line: usize },
    #[error("line {line} repeats a name: every token has its own, so that the log tells them apart")]
    RepeatedName { line: usize },
    #[error("line {line} repeats a token: every name has its own, so that the log tells them apart")]
    RepeatedToken { line: usize },
    #[error("more than {MAX_TOKENS} tokens, of which each is compared at every request")]
    TooMany,
}

/// Hex digits, of which 32 carry 128 bits: nobody guesses those, neither here nor from a digest.
const MIN_BYTES: usize = 32;
/// Has room in a header beside all others.
const MAX_BYTES: usize = 512;
/// People and programs that operate one gate.
const MAX_TOKENS: usize = 256;

impl AdminTokens {
    /// Reads lines `name role token`. Empty lines and lines that begin with `#` are passed over.
    pub fn parse(text: &str) -> Result<Self, AdminTokensError> {
        let mut tokens = Self::default();
        for (line, content) in (1..).zip(text.lines().map(str::trim_ascii)) {
            if !content.is_empty() && !content.starts_with('#') {
                tokens.add(Known::parse(content, line)?, line)?;
            }
        }
        Ok(tokens)
    }

    fn add(&mut self, known: Known, line: usize) -> Result<(), AdminTokensError> {
        if self.0.iter().any(|other| other.operator.name == known.operator.name) {
            return Err(AdminTokensError::RepeatedName { line });
        }
        if self.0.iter().any(|other| other.digest.as_ref() == known.digest.as_ref()) {
            return Err(AdminTokensError::RepeatedToken { line });
        }
        if self.0.len() == MAX_TOKENS {
            return Err(AdminTokensError::TooMany);
        }
        self.0.push(known);
        Ok(())
    }

    /// Whose token it is. Every token is looked at whichever it is, so that the time taken tells nothing of them.
    pub fn operator(&self, token: &str) -> Option<&Operator> {
        let shown = digest(&SHA256, token.as_bytes());
        let equal = |known: &Known| verify_slices_are_equal(known.digest.as_ref(), shown.as_ref()).is_ok();
        self.0.iter().fold(None, |found, known| if equal(known) { Some(&known.operator) } else { found })
    }

    /// Nobody can be let in.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Known {
    fn parse(content: &str, line: usize) -> Result<Self, AdminTokensError> {
        let mut fields = content.split_ascii_whitespace();
        let (Some(name), Some(role), Some(token), None) = (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            return Err(AdminTokensError::Form { line });
        };
        let name = Name::parse(name).map_err(|_| AdminTokensError::Name { line })?;
        let role = role.parse().map_err(|()| AdminTokensError::Role { line })?;
        if !(MIN_BYTES..=MAX_BYTES).contains(&token.len()) || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(AdminTokensError::Token { line });
        }
        Ok(Self { operator: Operator { name, role }, digest: digest(&SHA256, token.as_bytes()) })
    }
}

impl Role {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Admin => "admin",
        }
    }

    pub fn may_change(self) -> bool {
        self == Self::Admin
    }
}

impl FromStr for Role {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Read, Self::Admin].into_iter().find(|role| role.as_str() == text).ok_or(())
    }
}

/// Whose token it is, and nothing of the token.
impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.operator.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::AdminTokensError as Error;
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    const ALICE: &str = "0123456789abcdef0123456789abcdef";
    const BOB: &str = "fedcba9876543210fedcba9876543210!~";

    fn file() -> String {
        format!("# who may do what\n\nalice admin {ALICE}\r\n\t bob@ops\tread   {BOB} \n  # not: carol admin {ALICE}\n")
    }

    #[test]
    fn each_token_is_its_own_operators() {
        let tokens = AdminTokens::parse(&file()).unwrap();
        let found = |token| tokens.operator(token).map(|operator| (operator.name.as_str(), operator.role));
        assert_eq!(found(ALICE), Some(("alice", Role::Admin)));
        assert_eq!(found(BOB), Some(("bob@ops", Role::Read)));
        for near in ["", &ALICE[1..], &ALICE.to_uppercase(), &format!("{ALICE} "), &format!("{ALICE}\0")] {
            assert_eq!(found(near), None, "{near:?}");
        }
    }

    #[test]
    fn a_file_without_tokens_lets_nobody_in() {
        for text in ["", "\n\n", "# alice admin 0123456789abcdef0123456789abcdef"] {
            let tokens = AdminTokens::parse(text).unwrap();
            assert!(tokens.is_empty() && tokens.operator("").is_none() && tokens.operator(ALICE).is_none());
        }
    }

    #[rstest]
    #[case::no_token("alice admin", Error::Form { line: 2 })]
    #[case::token_alone("0123456789abcdef0123456789abcdef", Error::Form { line: 2 })]
    #[case::comment_behind("alice admin 0123456789abcdef0123456789abcdef # hers", Error::Form { line: 2 })]
    #[case::two_lines_in_one("alice read 0123456789abcdef0123456789abcdef\rmallory admin fedcba9876543210fedcba9876543210", Error::Form { line: 2 })]
    #[case::name_of_other_letters("al\u{ed}ce admin 0123456789abcdef0123456789abcdef", Error::Name { line: 2 })]
    #[case::mark_before_the_name("\u{feff}alice admin 0123456789abcdef0123456789abcdef", Error::Name { line: 2 })]
    #[case::name_too_long(&format!("{} admin 0123456789abcdef0123456789abcdef", "a".repeat(129)), Error::Name { line: 2 })]
    #[case::fields_swapped("alice 0123456789abcdef0123456789abcdef admin", Error::Role { line: 2 })]
    #[case::role_in_capitals("alice Admin 0123456789abcdef0123456789abcdef", Error::Role { line: 2 })]
    #[case::role_unknown("alice root 0123456789abcdef0123456789abcdef", Error::Role { line: 2 })]
    #[case::short("alice admin 0123456789abcdef0123456789abcde", Error::Token { line: 2 })]
    #[case::long(&format!("alice admin {}", "a".repeat(513)), Error::Token { line: 2 })]
    #[case::not_ascii("alice admin 0123456789abcdef0123456789abcd\u{e9}f", Error::Token { line: 2 })]
    #[case::space_of_another_kind("alice admin 0123456789abcdef\u{a0}0123456789abcdef", Error::Token { line: 2 })]
    #[case::control("alice admin 0123456789abcdef\u{1b}0123456789abcdef", Error::Token { line: 2 })]
    #[case::nul("alice admin 0123456789abcdef\u{0}0123456789abcdef", Error::Token { line: 2 })]
    #[case::name_twice("first read fedcba9876543210fedcba9876543210", Error::RepeatedName { line: 2 })]
    #[case::token_twice("second admin abcdefghabcdefghabcdefghabcdefgh", Error::RepeatedToken { line: 2 })]
    fn a_bad_line_is_named_and_not_shown(#[case] line: &str, #[case] why: Error) {
        let text = format!("first read abcdefghabcdefghabcdefghabcdefgh\n{line}\n");
        let error = AdminTokens::parse(&text).unwrap_err();
        assert_eq!(error, why);
        let said = format!("{error} {error:?}");
        for word in line.split_ascii_whitespace().filter(|word| word.len() > 5) {
            assert!(!said.contains(word), "{said}");
        }
    }

    #[test]
    fn there_is_an_end_to_tokens() {
        let lines = |count: usize| (0..count).map(|n| format!("n{n} read {n:032}")).collect::<Vec<_>>().join("\n");
        assert!(AdminTokens::parse(&lines(MAX_TOKENS)).is_ok());
        assert_eq!(AdminTokens::parse(&lines(MAX_TOKENS + 1)).unwrap_err(), Error::TooMany);
    }

    #[test]
    fn debug_shows_no_token_and_no_digest() {
        let tokens = AdminTokens::parse(&file()).unwrap();
        let digests = tokens.0.iter().map(|known| format!("{:?}", known.digest));
        let shown = format!("{tokens:?}").to_lowercase();
        assert!(shown.contains("alice"));
        for secret in digests.chain([ALICE.into(), BOB.into()]) {
            assert!(!shown.contains(secret.rsplit(':').next().unwrap()), "{shown}");
        }
    }

    proptest! {
        #[test]
        fn whatever_the_file_holds_only_what_stands_in_it_lets_in(text in "(.{0,40}\n|[a-c] (read|admin) [ -~]{30,40}\n){0,6}", token in "[ -~]{0,40}") {
            if let Ok(tokens) = AdminTokens::parse(&text) && tokens.operator(&token).is_some() {
                prop_assert!(token.len() >= MIN_BYTES && text.contains(&token));
            }
        }
    }
}
