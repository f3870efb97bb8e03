//! Names that a policy gives to its parts. They become metric labels, header values and log fields.

use std::fmt;
use std::sync::Arc;

/// A name out of the policy: 1 to 128 of letters, digits and `-_.:/@+`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

/// Why a text is no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a name is 1 to 128 letters, digits and -_.:/@+")]
pub struct NameError;

impl Name {
    pub const MAX_BYTES: usize = 128;

    pub fn parse(text: &str) -> Result<Self, NameError> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-_.:/@+".contains(&b);
        let fits = (1..=Self::MAX_BYTES).contains(&text.len()) && text.bytes().all(allowed);
        if fits { Ok(Self(text.into())) } else { Err(NameError) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_needs_no_quoting_anywhere() {
        assert!(Name::parse("payments/refund:v2").is_ok());
        for text in ["", "two words", "a\"b", "a\r\nb", "caf\u{e9}", &"a".repeat(129)] {
            assert_eq!(Name::parse(text), Err(NameError), "{text:?}");
        }
    }
}
