//! The two axes that a policy speaks of: what is touched, and with how much privilege.

use serde::Serialize;

/// How much harm a call to a route can do, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sensitivity {
    Low,
    Moderate,
    High,
    Critical,
}

/// Whether a call asks for more than routine needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Privilege {
    Standard,
    Elevated,
}

/// Why a call's privilege counts as elevated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PrivilegeReason {
    /// A scope that the call exercises matches `scopes.elevated`.
    Catalogue,
    /// A scope that the call exercises is outside what the caller normally needs.
    OutsideBaseline,
    /// No route names the request.
    Unmatched,
    /// What the call asks for can't be read.
    Unreadable,
}

impl Sensitivity {
    pub const ALL: [Self; 4] = [Self::Low, Self::Moderate, Self::High, Self::Critical];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Moderate => "moderate",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }
}

impl Privilege {
    pub const ALL: [Self; 2] = [Self::Standard, Self::Elevated];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Elevated => "elevated",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.as_str() == text)
    }
}

impl PrivilegeReason {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Catalogue => "catalogue",
            Self::OutsideBaseline => "outside_baseline",
            Self::Unmatched => "unmatched",
            Self::Unreadable => "unreadable",
        }
    }

    /// Whether there is no scope that a proof could name for it.
    pub const fn names_no_scope(self) -> bool {
        matches!(self, Self::Unmatched | Self::Unreadable)
    }
}
