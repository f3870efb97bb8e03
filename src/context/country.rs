//! Countries, as policies, headers and databases write them.

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, Serializer};
use std::borrow::Cow;
use std::fmt::{self, Write};

/// A country: its two letters in ISO 3166-1, in upper case. A code that stands for none is no country.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country([u8; 2]);

/// Why a text is no country.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CountryError {
    #[error("`{0}` is no country: write its two letters in ISO 3166-1, such as DE")]
    Form(String),
    #[error("`{0}` stands for no country in ISO 3166-1 (Britain is GB; name the countries of a region one by one)")]
    Nowhere(String),
}

impl Country {
    /// Two letters, in upper or lower case: either can mean only one thing.
    ///
    /// Refused is what stands for "unknown" or for a region, so that it is never mistaken for a place that calls come from:
    /// `XX` (Cloudflare), `ZZ` (Google, Azure, CLDR), `T1` (Tor at Cloudflare), `A1`, `A2` and `O1` (proxies, satellites and
    /// others, in older databases), `EU` and `AP` (somewhere there), `UK` (nobody writes it but people), and all other codes
    /// that ISO leaves to users, but for `XK`: all write it for Kosovo.
    pub fn parse(code: &str) -> Result<Self, CountryError> {
        let shown = || code.chars().take(MAX_SHOWN_CHARS).collect();
        let [first, second] = *code.as_bytes() else { return Err(CountryError::Form(shown())) };
        match [first.to_ascii_uppercase(), second.to_ascii_uppercase()] {
            letters if stands_for_none(letters) => Err(CountryError::Nowhere(shown())),
            letters @ [b'A'..=b'Z', b'A'..=b'Z'] => Ok(Self(letters)),
            _ => Err(CountryError::Form(shown())),
        }
    }
}

const MAX_SHOWN_CHARS: usize = 16;

/// The first line is what ISO 3166-1 leaves to users.
const fn stands_for_none(code: [u8; 2]) -> bool {
    matches!(&code, b"AA" | [b'Q', b'M'..=b'Z'] | [b'X', b'A'..=b'J' | b'L'..=b'Z'] | b"ZZ")
        || matches!(&code, b"AP" | b"EU" | b"UK")
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|letter| f.write_char(char::from(*letter)))
    }
}

impl Serialize for Country {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// As it is written, and in no other way.
impl<'de> Deserialize<'de> for Country {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = Cow::<str>::deserialize(deserializer)?;
        let country = Self::parse(&code).map_err(D::Error::custom)?;
        let is_upper = code.bytes().all(|b| b.is_ascii_uppercase());
        if is_upper { Ok(country) } else { Err(D::Error::custom("a country is kept in upper case")) }
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("DE", "DE")]
    #[case("de", "DE")]
    #[case("No", "NO")]
    #[case("QA", "QA")]
    #[case("XK", "XK")]
    #[case("ZA", "ZA")]
    fn a_country_is_two_letters(#[case] code: &str, #[case] written: &str) {
        assert_eq!(Country::parse(code).unwrap().to_string(), written);
    }

    #[rstest]
    #[case("XX")]
    #[case("xx")]
    #[case("ZZ")]
    #[case("AA")]
    #[case("QM")]
    #[case("QZ")]
    #[case("XZ")]
    #[case("EU")]
    #[case("AP")]
    #[case("UK")]
    fn a_code_that_stands_for_nowhere_is_no_country(#[case] code: &str) {
        assert_eq!(Country::parse(code), Err(CountryError::Nowhere(code.to_owned())));
    }

    #[rstest]
    #[case("")]
    #[case("D")]
    #[case("DEU")]
    #[case("T1")]
    #[case("A1")]
    #[case("--")]
    #[case("**")]
    #[case(" DE")]
    #[case("DE,NL")]
    #[case("D\u{c9}")]
    #[case("\u{df}")]
    #[case("Germany")]
    fn anything_else_is_no_country(#[case] code: &str) {
        assert_eq!(Country::parse(code), Err(CountryError::Form(code.to_owned())));
    }

    proptest! {
        #[test]
        fn a_country_is_read_as_it_is_written_in_either_case(code in "\\PC{0,4}|[a-zA-Z]{2}") {
            if let Ok(country) = Country::parse(&code) {
                prop_assert_eq!(country.to_string(), code.to_ascii_uppercase());
                prop_assert_eq!(Country::parse(&code.to_ascii_lowercase()), Ok(country));
            }
        }
    }
}
