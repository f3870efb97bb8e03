//! An identity: what a policy says of one caller, or of all whose names match a pattern.

use super::{Name, NamePattern, ScopePatterns};
use crate::context::{Country, Hours, NetworkSet};
use crate::identity::Principal;
use jiff::civil::Date;
use serde::Serialize;

/// The place of an identity in its policy. It says nothing about precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdentityId(pub(super) usize);

#[derive(Clone, Debug)]
pub struct Identity {
    pub pattern: NamePattern,
    /// Other names of it, such as the subject of its attestation. INVARIANT: none where the pattern is not exact.
    pub aliases: Vec<Principal>,
    pub kind: Option<Kind>,
    pub owner: Option<Name>,
    /// The scopes it normally uses. `None`: nothing is known to be outside.
    pub baseline: Option<ScopePatterns>,
    pub networks: Option<NetworkSet>,
    pub countries: Option<Box<[Country]>>,
    pub hours: Option<Hours>,
    pub status: Status,
    /// Until when somebody has to have looked whether it is still needed.
    pub review_by: Option<Date>,
}

/// What sort of caller it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Service,
    Ci,
    Agent,
    /// One that several callers use.
    Shared,
    Legacy,
    Integration,
}

/// Whether it may call, best first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    #[default]
    Active,
    Suspended,
    Offboarded,
}

impl IdentityId {
    pub const fn index(self) -> usize {
        self.0
    }
}

impl Kind {
    pub const ALL: [Self; 6] = [Self::Service, Self::Ci, Self::Agent, Self::Shared, Self::Legacy, Self::Integration];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Ci => "ci",
            Self::Agent => "agent",
            Self::Shared => "shared",
            Self::Legacy => "legacy",
            Self::Integration => "integration",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

impl Status {
    pub const ALL: [Self; 3] = [Self::Active, Self::Suspended, Self::Offboarded];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Offboarded => "offboarded",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_they_are_written() {
        assert!(Kind::ALL.into_iter().all(|kind| Kind::parse(kind.as_str()) == Some(kind)));
        assert!(Status::ALL.into_iter().all(|status| Status::parse(status.as_str()) == Some(status)));
        assert!(Status::ALL.is_sorted(), "the worst comes last");
    }
}
