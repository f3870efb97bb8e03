//! What a request is: how sensitive, with how much privilege, and what the rules make of it.

use super::{
    Considered, Identity, Mode, Policy, Privilege, PrivilegeReason, Requirement, Route, RouteId, Rule, RuleId,
    ScopePatterns, ScopeSet, Sensitivity, Taken,
};
use crate::attestation::Claims;
use crate::context::Unusual;
use crate::request::{Method, RequestFacts};

/// What a request touches, with how much privilege, and what the rules make of it.
///
/// Where servers could read the request differently, this is the strictest of its readings, and the routes of all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Classification {
    /// `None`: no route names the request.
    pub route: Option<RouteId>,
    pub sensitivity: Sensitivity,
    pub privilege: Privilege,
    /// Why privilege is elevated; nothing where it is standard.
    pub privilege_reasons: Vec<PrivilegeReason>,
    /// What the call exercises.
    pub scopes: ScopeSet,
    /// Those of `scopes` that are in the catalogue of elevated ones, or outside what the caller normally needs.
    pub elevated: ScopeSet,
    /// The rules that matched and count.
    pub rules: Vec<RuleId>,
    /// The rules that matched and are only watched.
    pub shadow_rules: Vec<RuleId>,
    pub requirement: Requirement,
    /// What it would be, if the rules that are only watched counted.
    pub shadow_requirement: Requirement,
    /// What other readings of the request touch.
    pub also: Vec<Option<RouteId>>,
    /// What an attestation must name where it is asked to.
    pub coverage: Coverage,
}

/// The elevated privilege of a call in all of its readings: what a proof that is made for one purpose must name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    scopes: ScopeSet,
    /// Whether some of it has no scope that could be named: on a route that nobody knows, or asked for in a way that can't
    /// be read.
    unnamed: bool,
}

/// Who calls, and how unusual that is, as classification looks at it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Subject<'a> {
    /// The entry that describes the caller.
    pub identity: Option<&'a Identity>,
    /// What it normally needs; nothing where nobody says.
    pub baseline: Option<&'a ScopePatterns>,
    pub claims: Option<&'a Claims>,
    pub unusual: Unusual,
}

/// Scopes that a call exercises, and which of them count as elevated privilege, and why.
struct Exercised {
    elevated: ScopeSet,
    reasons: Vec<PrivilegeReason>,
}

impl Policy {
    /// Says what a request is, without looking at evidence: the strictest of all ways to take it.
    pub fn classify(
        &self,
        touched: &[Taken<'_>],
        facts: &RequestFacts,
        subject: &Subject<'_>,
    ) -> Option<Classification> {
        touched.iter().map(|taken| self.classify_as(taken, facts, subject)).reduce(Classification::stricter)
    }

    /// Says what a request is if it is taken so.
    pub fn classify_as(&self, taken: &Taken<'_>, facts: &RequestFacts, subject: &Subject<'_>) -> Classification {
        let route = taken.route.and_then(|id| self.routes.get(id));
        let Exercised { elevated, reasons } = self.exercised_beyond(taken, route, facts, subject);
        let privilege = if reasons.is_empty() { Privilege::Standard } else { Privilege::Elevated };
        let sensitivity = self.sensitivity(taken, route, facts);
        let mut class = Classification {
            route: taken.route,
            sensitivity,
            privilege,
            coverage: Coverage {
                scopes: elevated.clone(),
                unnamed: reasons.iter().any(|reason| reason.names_no_scope()),
            },
            privilege_reasons: reasons,
            scopes: taken.scopes.clone(),
            elevated,
            rules: Vec::new(),
            shadow_rules: Vec::new(),
            requirement: Requirement::Nothing,
            shadow_requirement: Requirement::Nothing,
            also: Vec::new(),
        };
        let considered = self.considered(&class, taken.method, facts, subject);
        class.apply(&self.rules, &considered);
        class
    }

    /// What rules look at where a request is of this class.
    pub fn considered<'a>(
        &'a self,
        class: &Classification,
        method: &'a Method,
        facts: &'a RequestFacts,
        subject: &Subject<'a>,
    ) -> Considered<'a> {
        let route = class.route.and_then(|id| self.routes.get(id));
        Considered {
            route,
            sensitivity: class.sensitivity,
            privilege: class.privilege,
            privilege_by_route: by_route(route, subject),
            method,
            headers: &facts.headers,
            kind: subject.identity.and_then(|identity| identity.kind),
            claims: subject.claims,
            unusual: subject.unusual,
        }
    }

    /// The most that anybody says: the route, floors, and Envoy's hints, of which one that can't be read could mean anything.
    fn sensitivity(&self, taken: &Taken<'_>, route: Option<&Route>, facts: &RequestFacts) -> Sensitivity {
        let own = route.map_or(self.unmatched.sensitivity(), |route| route.sensitivity);
        let hinted = if facts.hints.unreadable { Some(Sensitivity::Critical) } else { facts.hints.sensitivity };
        Some(own).max(taken.floor).max(hinted).unwrap_or(own)
    }

    /// Those of the scopes that the catalogue of elevated ones has.
    pub fn catalogued(&self, taken: &Taken<'_>) -> ScopeSet {
        match taken.route.and_then(|id| self.routes.get(id)) {
            // Resolved when the policy was loaded.
            Some(route) if taken.scopes == route.scopes => route.elevated.clone(),
            // Whoever asks for a scope picks its letters.
            _ => taken.scopes.filtered(|scope| self.elevated.contains_in_any_case(scope)),
        }
    }

    fn exercised_beyond(
        &self,
        taken: &Taken<'_>,
        route: Option<&Route>,
        facts: &RequestFacts,
        subject: &Subject<'_>,
    ) -> Exercised {
        let catalogue = self.catalogued(taken);
        let outside = match subject.baseline {
            Some(baseline) => taken.scopes.filtered(|scope| !baseline.contains(scope)),
            None => ScopeSet::default(),
        };
        let because = [
            (PrivilegeReason::Catalogue, !catalogue.is_empty()),
            (PrivilegeReason::OutsideBaseline, !outside.is_empty()),
            (PrivilegeReason::Unmatched, route.is_none()),
            (PrivilegeReason::Unreadable, !taken.told || facts.hints.unreadable),
        ];
        let reasons = because.into_iter().filter(|(_, holds)| *holds).map(|(reason, _)| reason).collect();
        Exercised { elevated: if outside.is_empty() { catalogue } else { catalogue.union(&outside) }, reasons }
    }
}

impl Classification {
    /// Every route that a reading of the request takes, the strictest first.
    pub fn touched(&self) -> impl Iterator<Item = Option<RouteId>> {
        std::iter::once(self.route).chain(self.also.iter().copied())
    }

    fn apply(&mut self, rules: &[Rule], considered: &Considered<'_>) {
        for (index, rule) in rules.iter().enumerate().filter(|(_, rule)| rule.matches(considered)) {
            let id = RuleId(index);
            let asked = rule.effect.requirement();
            match rule.mode {
                Mode::Enforce => {
                    self.requirement.raise_to(asked.clone());
                    self.rules.push(id);
                }
                Mode::Shadow => self.shadow_rules.push(id),
            }
            self.shadow_requirement.raise_to(asked);
        }
    }

    /// The stricter of two readings, with what the other one touches and the rules it matches.
    fn stricter(self, other: Self) -> Self {
        let (mut strict, lax) = if other.strictness() > self.strictness() { (other, self) } else { (self, other) };
        let touched: Vec<_> = lax.touched().filter(|route| !strict.touched().any(|own| own == *route)).collect();
        strict.also.extend(touched);
        join(&mut strict.rules, lax.rules);
        join(&mut strict.shadow_rules, lax.shadow_rules);
        strict.shadow_requirement.raise_to(lax.shadow_requirement);
        strict.coverage = strict.coverage.with(&lax.coverage);
        strict
    }

    /// Not by what is only watched, or a rule that does not count would choose the route that answers name.
    fn strictness(&self) -> impl Ord {
        (&self.requirement, self.sensitivity, self.privilege)
    }
}

impl Coverage {
    /// Whether these scopes name all of it.
    pub fn is_named_by(&self, scopes: &ScopeSet) -> bool {
        !self.unnamed && self.scopes.is_subset_of(scopes)
    }

    /// Whether some of it has no scope that could be named.
    pub const fn is_unnamed(&self) -> bool {
        self.unnamed
    }

    fn with(&self, other: &Self) -> Self {
        Self { scopes: self.scopes.union(&other.scopes), unnamed: self.unnamed || other.unnamed }
    }
}

/// With how much privilege a route is called by whoever asks for nothing beside.
fn by_route(route: Option<&Route>, subject: &Subject<'_>) -> Privilege {
    let outside = |route: &Route| {
        let baseline = subject.baseline;
        baseline.is_some_and(|baseline| route.scopes.iter().any(|scope| !baseline.contains(scope)))
    };
    match route {
        Some(route) if route.elevated.is_empty() && !outside(route) => Privilege::Standard,
        _ => Privilege::Elevated,
    }
}

fn join(own: &mut Vec<RuleId>, others: Vec<RuleId>) {
    own.extend(others);
    own.sort_unstable();
    own.dedup();
}

#[cfg(test)]
mod tests;
