//! Points in time and spans of it, as whole Unix seconds. Nobody here knows what time it is: `now` is an argument.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A point in time: whole seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixTime(u64);

impl UnixTime {
    /// The last second that four digits of a year can write; what claims more is no date.
    pub const LATEST: Self = Self(253_402_300_799);

    pub const fn from_secs(secs: u64) -> Self {
        Self(secs)
    }

    /// A `NumericDate` (RFC 7519 §2): seconds, a fraction allowed and cut off; `None` if it is no sensible date.
    pub fn from_numeric_date(date: f64) -> Option<Self> {
        #[expect(clippy::cast_precision_loss, reason = "twelve digits have room in a double")]
        let latest = Self::LATEST.0 as f64;
        if !(0.0..=latest).contains(&date) {
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked to be in range just above"
        )]
        Some(Self(date.trunc() as u64))
    }

    pub const fn as_secs(self) -> u64 {
        self.0
    }

    #[must_use]
    pub const fn plus(self, span: Ttl) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    #[must_use]
    pub const fn minus(self, span: Ttl) -> Self {
        Self(self.0.saturating_sub(span.0))
    }

    /// How long ago `earlier` was; nothing if it is yet to come.
    pub const fn since(self, earlier: Self) -> Ttl {
        Ttl(self.0.saturating_sub(earlier.0))
    }
}

/// A span of time in whole seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ttl(u64);

impl Ttl {
    pub const ZERO: Self = Self(0);

    pub const fn from_secs(secs: u64) -> Self {
        Self(secs)
    }

    pub const fn as_secs(self) -> u64 {
        self.0
    }

    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

/// Why a text is no span of time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no span of time: write a whole number and one of s, m, h or d, such as 90s, 5m or 30d")]
pub struct TtlError(String);

impl std::str::FromStr for Ttl {
    type Err = TtlError;

    fn from_str(text: &str) -> Result<Self, TtlError> {
        let refuse = || TtlError(text.chars().take(32).collect());
        let unit = text.chars().last().ok_or_else(refuse)?;
        let seconds_each = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            _ => return Err(refuse()),
        };
        let digits = text.strip_suffix(unit).filter(|d| d.bytes().all(|b| b.is_ascii_digit()));
        let count: u64 = digits.and_then(|d| d.parse().ok()).ok_or_else(refuse)?;
        count.checked_mul(seconds_each).filter(|secs| *secs <= UnixTime::LATEST.0).map(Self).ok_or_else(refuse)
    }
}

impl fmt::Display for Ttl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (size, unit) in [(86_400, 'd'), (3_600, 'h'), (60, 'm')] {
            if self.0 >= size && self.0.is_multiple_of(size) {
                return write!(f, "{}{unit}", self.0 / size);
            }
        }
        write!(f, "{}s", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("0s", 0)]
    #[case("90s", 90)]
    #[case("5m", 300)]
    #[case("2h", 7_200)]
    #[case("30d", 2_592_000)]
    fn a_span_is_a_number_and_a_unit(#[case] text: &str, #[case] secs: u64) {
        assert_eq!(text.parse(), Ok(Ttl::from_secs(secs)));
    }

    #[rstest]
    #[case("")]
    #[case("5")]
    #[case("m")]
    #[case("-5m")]
    #[case("+5m")]
    #[case("1.5h")]
    #[case("5 m")]
    #[case("5w")]
    #[case("99999999999999999999d")]
    #[case("9999999999999999d")]
    fn anything_else_is_no_span(#[case] text: &str) {
        assert!(text.parse::<Ttl>().is_err(), "{text}");
    }

    #[test]
    fn a_span_is_written_in_its_largest_whole_unit() {
        let written = [300, 61, 7_200, 86_400, 0].map(|s| Ttl::from_secs(s).to_string());
        assert_eq!(written, ["5m", "61s", "2h", "1d", "0s"]);
    }

    #[test]
    fn a_numeric_date_loses_its_fraction_and_has_bounds() {
        assert_eq!(UnixTime::from_numeric_date(12.9), Some(UnixTime::from_secs(12)));
        for date in [-1.0, f64::NAN, f64::INFINITY, 1e18] {
            assert_eq!(UnixTime::from_numeric_date(date), None);
        }
    }
}
