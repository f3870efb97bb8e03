//! Rules: when a combination asks for proof, or is refused. They have no order; the strictest that matches wins.

use super::{Fit, Glob, HeaderCondition, Kind, LevelId, Mode, Name, Privilege, Route, Sensitivity, UNMATCHED};
use crate::attestation::Claims;
use crate::context::{Anomaly, SignalSet, Unusual};
use crate::request::{Headers, Method};

/// The place of a rule in its policy. It says nothing about precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(pub(super) usize);

#[derive(Clone, Debug)]
pub struct Rule {
    pub name: Name,
    /// The team whose file it stands in: it then speaks of that team's routes only.
    pub owner: Option<Name>,
    pub when: When,
    pub effect: Effect,
    /// Whether it counts, or is only watched.
    pub mode: Mode,
    /// Framework controls that it implements, such as `OWASP-NHI5:2025`.
    pub controls: Vec<Box<str>>,
}

/// Conditions on what is touched, with how much privilege, by whom. All that stand must hold; a list holds where one of
/// its members does.
#[derive(Clone, Debug, Default)]
pub struct When {
    /// At least so sensitive.
    pub sensitivity: Option<Sensitivity>,
    /// Exactly so much, though what a request adds never takes it out of [`Privilege::Standard`].
    pub privilege: Option<Privilege>,
    /// Whether the route issues privilege.
    pub issues: Option<bool>,
    /// None named: any, also nobody's.
    pub kinds: Vec<Kind>,
    /// Names of routes.
    pub routes: Vec<Glob>,
    pub methods: Vec<Method>,
    pub headers: Vec<HeaderCondition>,
    pub claims: Vec<ClaimCondition>,
}

/// A claim of the caller's token that must have one of these values.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClaimCondition {
    pub name: Box<str>,
    pub values: Vec<Box<str>>,
}

/// What a rule does. What is unusual has no place in a refusal, and stands nowhere without what it is joined with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    Require(LevelId),
    /// Asks for proof where the call is also this unusual.
    RequireIf(Joined, LevelId),
    /// Refused, for this reason.
    Deny(Name),
}

/// How unusual a call must be, for a rule that also looks at what is touched or with how much privilege.
/// [`When::join`] alone makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Joined {
    anomaly: Option<Anomaly>,
    signals: Option<SignalSet>,
}

/// Why what is unusual may not stand in a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("anomaly alone never asks for proof")]
pub struct AnomalyAlone;

/// A condition that does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unmet<'r> {
    /// The rule is a team's, and the route is not.
    Owner,
    Anomaly,
    Signals,
    Sensitivity,
    Privilege,
    Issues,
    Kind,
    Method,
    Route,
    Header(&'r HeaderCondition),
    Claim(&'r ClaimCondition),
}

/// What the rules that matched ask for together.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Requirement {
    #[default]
    Nothing,
    Assurance(LevelId),
    /// For this reason; of several the last by name, so that the order of rules says nothing.
    Refusal(Name),
}

/// What rules look at: one reading of a request, and its caller.
#[derive(Clone, Copy, Debug)]
pub struct Considered<'a> {
    /// `None`: no route names the request.
    pub route: Option<&'a Route>,
    pub sensitivity: Sensitivity,
    pub privilege: Privilege,
    /// What it would be for what the route says alone. What a request asks for beside, what Envoy hints at and what can't be
    /// read raise privilege, and must not lift a call out of a rule for standard privilege.
    pub privilege_by_route: Privilege,
    pub method: &'a Method,
    pub headers: &'a Headers,
    pub kind: Option<Kind>,
    pub claims: Option<&'a Claims>,
    pub unusual: Unusual,
}

impl RuleId {
    pub const fn index(self) -> usize {
        self.0
    }
}

impl Rule {
    /// Whether it matches, else a condition of it that does not hold.
    pub fn check(&self, considered: &Considered<'_>) -> Result<(), Unmet<'_>> {
        let own = self.owner.is_none() || considered.route.is_some_and(|route| route.owner == self.owner);
        Unmet::Owner.unless(own)?;
        self.effect.check(considered.unusual)?;
        self.when.check(considered)
    }

    pub fn matches(&self, considered: &Considered<'_>) -> bool {
        self.check(considered).is_ok()
    }

    /// Whether some call of this sensitivity with elevated privilege could match it, and it counts.
    pub fn may_reach(&self, sensitivity: Sensitivity) -> bool {
        let When { sensitivity: least, privilege, .. } = &self.when;
        let fits =
            least.is_none_or(|least| sensitivity >= least) && privilege.is_none_or(|own| own == Privilege::Elevated);
        fits && self.mode == Mode::Enforce
    }

    /// Whether it speaks of this route, as far as owners and names of routes say.
    pub fn names(&self, route: &Route) -> bool {
        let own = self.owner.is_none() || self.owner == route.owner;
        own && (self.when.routes.is_empty() || self.when.names(Some(route)))
    }

    /// Whether some call that takes this route could match it, as far as the route says.
    pub fn may_concern(&self, route: &Route) -> bool {
        let (own, others) = (&self.when.methods, &route.selector.methods);
        let methods = own.is_empty() || others.is_empty() || own.iter().any(|method| others.contains(method));
        self.names(route) && methods && self.when.issues.is_none_or(|issues| issues == route.issues_privilege())
    }
}

impl Effect {
    fn check(&self, unusual: Unusual) -> Result<(), Unmet<'static>> {
        match self {
            Self::Require(_) | Self::Deny(_) => Ok(()),
            Self::RequireIf(joined, _) => joined.check(unusual),
        }
    }

    /// What it asks for.
    pub fn requirement(&self) -> Requirement {
        match self {
            Self::Require(level) | Self::RequireIf(_, level) => Requirement::Assurance(*level),
            Self::Deny(reason) => Requirement::Refusal(reason.clone()),
        }
    }
}

impl When {
    /// Joins these conditions with what is unusual, if they look at what is touched or with how much privilege.
    pub fn join(&self, anomaly: Option<Anomaly>, signals: Option<SignalSet>) -> Result<Joined, AnomalyAlone> {
        let joined =
            self.sensitivity.is_some() || self.privilege.is_some() || self.issues.is_some() || !self.routes.is_empty();
        if joined { Ok(Joined { anomaly, signals }) } else { Err(AnomalyAlone) }
    }

    /// Cheap conditions first.
    fn check(&self, considered: &Considered<'_>) -> Result<(), Unmet<'_>> {
        Unmet::Sensitivity.unless(self.sensitivity.is_none_or(|least| considered.sensitivity >= least))?;
        let privileges = [considered.privilege, considered.privilege_by_route];
        Unmet::Privilege.unless(self.privilege.is_none_or(|own| privileges.contains(&own)))?;
        let issues = considered.route.is_some_and(Route::issues_privilege);
        Unmet::Issues.unless(self.issues.is_none_or(|own| own == issues))?;
        Unmet::Kind.unless(self.kinds.is_empty() || considered.kind.is_some_and(|kind| self.kinds.contains(&kind)))?;
        Unmet::Method.unless(self.methods.is_empty() || self.methods.contains(considered.method))?;
        Unmet::Route.unless(self.routes.is_empty() || self.names(considered.route))?;
        // Where servers may read a header either way, the rule counts: it can only tighten.
        let mut headers = self.headers.iter();
        let header = headers.find(|condition| condition.holds(considered.headers) == Fit::No);
        header.map_or(Ok(()), |condition| Err(Unmet::Header(condition)))?;
        let claim = self.claims.iter().find(|condition| !condition.holds(considered.claims));
        claim.map_or(Ok(()), |condition| Err(Unmet::Claim(condition)))
    }

    /// What no route names goes by the name that logs and metrics call it.
    fn names(&self, route: Option<&Route>) -> bool {
        let name = route.map_or(UNMATCHED, |route| route.name.as_str());
        self.routes.iter().any(|glob| glob.matches(name))
    }
}

impl Joined {
    fn check(self, unusual: Unusual) -> Result<(), Unmet<'static>> {
        Unmet::Anomaly.unless(self.anomaly.is_none_or(|least| unusual.anomaly >= least))?;
        Unmet::Signals.unless(self.signals.is_none_or(|any| any.meets(unusual.signals)))
    }

    pub const fn anomaly(self) -> Option<Anomaly> {
        self.anomaly
    }

    pub const fn signals(self) -> Option<SignalSet> {
        self.signals
    }
}

impl Unmet<'_> {
    const fn unless(self, holds: bool) -> Result<(), Self> {
        if holds { Ok(()) } else { Err(self) }
    }
}

impl ClaimCondition {
    pub(super) fn holds(&self, claims: Option<&Claims>) -> bool {
        let mut values = claims.into_iter().flat_map(|claims| claims.values(&self.name));
        values.any(|value| self.values.iter().any(|own| **own == *value))
    }
}

impl Requirement {
    /// Takes the stricter of the two. Deny beats step-up; the later level beats the earlier.
    pub(super) fn raise_to(&mut self, other: Self) {
        if other > *self {
            *self = other;
        }
    }
}

#[cfg(test)]
mod tests;
