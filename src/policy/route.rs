//! A route: what a request looks like, and what it means to let it through.

use super::{HostPattern, Name, PathTemplate, ScopeSet, Sensitivity};
use crate::request::{Headers, Method, Occurrence};

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
}

/// Which requests take a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    /// None named: any.
    pub hosts: Vec<HostPattern>,
    /// None named: any.
    pub methods: Vec<Method>,
    pub path: PathTemplate,
    /// All must hold.
    pub headers: Vec<HeaderCondition>,
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

impl Selector {
    pub fn takes_method(&self, method: &Method) -> bool {
        self.methods.is_empty() || self.methods.contains(method)
    }

    pub fn takes_headers(&self, headers: &Headers) -> Fit {
        self.headers.iter().map(|condition| condition.holds(headers)).min().unwrap_or(Fit::Yes)
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
