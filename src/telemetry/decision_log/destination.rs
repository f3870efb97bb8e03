//! Where the decision log goes, and how much of it.

use foldhash::quality::FixedState;
use std::fmt;
use std::hash::BuildHasher;
use std::path::PathBuf;
use std::str::FromStr;

/// `--decision-log`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Destination {
    #[default]
    Stdout,
    /// Appended to; made where it is not there.
    File(PathBuf),
    Off,
}

/// `--decision-log-allows`: the share of allowed calls that is logged. What is not allowed is always logged.
///
/// The decision's id says whether it is one of them, so that nothing is counted between threads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AllowShare(f64);

/// Why a text says nothing about the decision log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DestinationError {
    #[error("write stdout, file:PATH or off")]
    Destination,
    #[error("write a share from 0.0 to 1.0")]
    Share,
}

impl FromStr for Destination {
    type Err = DestinationError;

    fn from_str(text: &str) -> Result<Self, DestinationError> {
        match (text, text.strip_prefix("file:")) {
            ("stdout", _) => Ok(Self::Stdout),
            ("off", _) => Ok(Self::Off),
            (_, Some(path)) if !path.is_empty() => Ok(Self::File(path.into())),
            _ => Err(DestinationError::Destination),
        }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdout => f.write_str("stdout"),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Off => f.write_str("off"),
        }
    }
}

impl AllowShare {
    pub const ALL: Self = Self(1.0);

    /// The same id always gets the same answer, on every replica.
    #[expect(clippy::cast_precision_loss, reason = "a share needs no more than 53 bits")]
    pub(super) fn takes(self, decision_id: &str) -> bool {
        let place = || FixedState::default().hash_one(decision_id) as f64 / u64::MAX as f64;
        self.0 >= 1.0 || place() < self.0
    }
}

impl Default for AllowShare {
    fn default() -> Self {
        Self::ALL
    }
}

impl FromStr for AllowShare {
    type Err = DestinationError;

    fn from_str(text: &str) -> Result<Self, DestinationError> {
        let share = text.parse().map_err(|_| DestinationError::Share)?;
        if (0.0..=1.0).contains(&share) { Ok(Self(share)) } else { Err(DestinationError::Share) }
    }
}

impl fmt::Display for AllowShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("stdout", Destination::Stdout)]
    #[case("off", Destination::Off)]
    #[case("file:/var/log/decisions.jsonl", Destination::File("/var/log/decisions.jsonl".into()))]
    fn a_destination_reads_as_it_is_written(#[case] text: &str, #[case] destination: Destination) {
        assert_eq!((text.parse(), destination.to_string().as_str()), (Ok(destination.clone()), text));
    }

    #[rstest]
    #[case("")]
    #[case("stderr")]
    #[case("file:")]
    #[case("/var/log/decisions.jsonl")]
    fn anything_else_is_no_destination(#[case] text: &str) {
        assert_eq!(text.parse::<Destination>(), Err(DestinationError::Destination));
    }

    #[rstest]
    #[case("-0.1")]
    #[case("1.1")]
    #[case("NaN")]
    #[case("10%")]
    fn a_share_is_from_0_to_1(#[case] text: &str) {
        assert_eq!(text.parse::<AllowShare>(), Err(DestinationError::Share));
    }

    #[rstest]
    #[case("0.0", 0..=0)]
    #[case("0.1", 900..=1_100)]
    #[case("1.0", 10_000..=10_000)]
    fn the_share_of_ids_is_what_was_asked_for(
        #[case] share: AllowShare,
        #[case] taken: std::ops::RangeInclusive<usize>,
    ) {
        let count = (0..10_000).filter(|id| share.takes(&format!("decision-{id}"))).count();
        assert!(taken.contains(&count), "{count}");
    }
}
