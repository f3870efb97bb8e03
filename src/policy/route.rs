//! A route: what a request looks like, and what it means to let it through.

use super::{Name, ScopeSet, Selector, Sensitivity};
use crate::request::{AskedIn, Headers, Occurrence};

/// The place of a route in its policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouteId(pub(super) usize);

/// What stands for the route of a request that no route names: in labels, headers and logs.
pub const UNMATCHED: &str = "unmatched";
/// What stands for the route of a request that could not be read.
pub const UNREAD: &str = "none";

#[derive(Clone, Debug)]
pub struct Route {
    pub name: Name,
    /// The team whose file it stands in; nothing for the core's.
    pub owner: Option<Name>,
    pub selector: Selector,
    pub sensitivity: Sensitivity,
    /// What a caller exercises here.
    pub scopes: ScopeSet,
    /// Those of `scopes` that the policy calls elevated.
    pub elevated: ScopeSet,
    /// Whether a caller without a principal may call it.
    pub anonymous: bool,
    /// Whether the caller's token must grant `scopes`.
    pub enforce_scopes: bool,
    /// Where a request names the scopes that it asks for, on a route that issues privilege.
    pub issues: Option<AskedIn>,
}

/// A header that must be there once, with one of these values.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeaderCondition {
    /// In lower case.
    pub name: Box<str>,
    pub values: Vec<Box<str>>,
}

impl RouteId {
    pub const fn index(self) -> usize {
        self.0
    }
}

impl Route {
    /// Whether it hands out privilege, so that what it is asked for is judged.
    pub const fn issues_privilege(&self) -> bool {
        self.issues.is_some()
    }
}

/// Whether a request meets a condition, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    No,
    /// Servers may read it one way or the other: both count.
    Doubtful,
    Yes,
}

impl HeaderCondition {
    /// Of a header that stands twice, was joined by a comma, or holds bytes that Envoy could not pass on, nobody can tell
    /// what the server takes it for.
    pub fn holds(&self, headers: &Headers) -> Fit {
        match headers.occurrence(&self.name) {
            Occurrence::Absent => Fit::No,
            Occurrence::Once(value) if self.values.iter().any(|own| **own == *value) => Fit::Yes,
            Occurrence::Once(value) if !value.contains(',') => Fit::No,
            Occurrence::Once(_) | Occurrence::Repeated | Occurrence::Unreadable => Fit::Doubtful,
        }
    }
}
