//! The policy as it is judged by: every part checked, every name resolved. How it is written is the business of `config`.

pub mod assurance;
pub mod credentials;
pub mod glob;
pub mod host;
pub mod identities;
pub mod identity;
pub mod issuer;
pub mod name;
pub mod origin;
pub mod pattern;
pub mod route;
pub mod rule;
pub mod scopes;
pub mod sensitivity;
pub mod table;
pub mod template;

pub use assurance::{Assurance, Attestation, AttestationId, LevelId, Profile};
pub use credentials::{BearerCredential, Credentials, IdentitySource, MtlsCredential};
pub use glob::Glob;
pub use host::HostPattern;
pub use identities::{Identities, Match, Undeclared};
pub use identity::{Identity, IdentityId, Kind, Status};
pub use issuer::{Issuer, IssuerId};
pub use name::Name;
pub use origin::Origin;
pub use pattern::NamePattern;
pub use route::{Fit, HeaderCondition, Route, RouteId, Selector, UNMATCHED, UNREAD};
pub use rule::{Effect, Requirement, Rule, RuleId, When};
pub use scopes::{ElevatedScopes, Scope, ScopePatterns, ScopeSet};
pub use sensitivity::{Privilege, PrivilegeReason, Sensitivity};
pub use table::{Found, RouteTable};
pub use template::{PathTemplate, Segment};

use crate::request::{Method, RequestFacts};

/// Everything that a request is judged by, but for the issuers' keys.
#[derive(Debug)]
pub struct Policy {
    /// Digest over the content of the files, so that a log line says what it was decided by.
    pub hash: Box<str>,
    /// The origin that proofs are made for; without one, `https://<host>`.
    pub resource: Option<Origin>,
    pub issuers: Vec<Issuer>,
    pub credentials: Credentials,
    pub elevated: ElevatedScopes,
    pub identities: Identities,
    pub routes: RouteTable,
    pub unmatched: Unmatched,
    pub attestations: Vec<Attestation>,
    /// Weakest first.
    pub assurance: Vec<Assurance>,
    pub rules: Vec<Rule>,
}

/// What holds for a request that no route names: always elevated privilege.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unmatched {
    Sensitivity(Sensitivity),
    Deny,
}

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
    /// The rules that matched.
    pub rules: Vec<RuleId>,
    pub requirement: Requirement,
    /// What other readings of the request touch.
    pub also: Vec<Option<RouteId>>,
}

impl Default for Unmatched {
    fn default() -> Self {
        Self::Sensitivity(Sensitivity::High)
    }
}

impl Policy {
    /// Says what a request is, without looking at evidence: the strictest of all that servers could take it for.
    pub fn classify(&self, facts: &RequestFacts) -> Classification {
        let readings = || facts.readings.all(&facts.method, facts.path.canonical());
        let as_sent = self.classify_found(&self.routes.find(facts, &facts.method, facts.path.canonical()));
        let others =
            readings().skip(1).map(|(method, path)| self.classify_found(&self.routes.find(facts, method, path)));
        let slashless = readings().filter_map(|(method, path)| self.classify_slashless(facts, method, path));
        others.chain(slashless).fold(as_sent, Classification::stricter)
    }

    /// The form without a trailing slash is a reading where a route names it.
    fn classify_slashless(&self, facts: &RequestFacts, method: &Method, path: &str) -> Option<Classification> {
        let slashless = path.strip_suffix('/').filter(|rest| !rest.is_empty())?;
        let found = self.routes.find(facts, method, slashless);
        (found != Found::default()).then(|| self.classify_found(&found))
    }

    fn classify_found(&self, found: &Found) -> Classification {
        let certain = self.classify_as(found.route);
        let doubtful = found.doubtful.iter().map(|id| self.classify_as(Some(*id)));
        doubtful.fold(certain, Classification::stricter)
    }

    fn classify_as(&self, route: Option<RouteId>) -> Classification {
        let found = route.and_then(|id| self.routes.get(id));
        let (sensitivity, privilege_reasons) = match found {
            Some(route) if route.elevated.is_empty() => (route.sensitivity, Vec::new()),
            Some(route) => (route.sensitivity, vec![PrivilegeReason::Catalogue]),
            None => (self.unmatched.sensitivity(), vec![PrivilegeReason::Unmatched]),
        };
        let privilege = if privilege_reasons.is_empty() { Privilege::Standard } else { Privilege::Elevated };
        let (rules, requirement) = self.requirement(sensitivity, privilege);
        Classification { route, sensitivity, privilege, privilege_reasons, rules, requirement, also: Vec::new() }
    }

    pub fn rule(&self, id: RuleId) -> Option<&Rule> {
        self.rules.get(id.0)
    }

    pub fn level(&self, id: LevelId) -> Option<&Assurance> {
        self.assurance.get(id.0)
    }

    pub fn attestation(&self, id: AttestationId) -> Option<&Attestation> {
        self.attestations.get(id.0)
    }

    pub fn issuer(&self, id: IssuerId) -> Option<&Issuer> {
        self.issuers.get(id.0)
    }

    fn requirement(&self, sensitivity: Sensitivity, privilege: Privilege) -> (Vec<RuleId>, Requirement) {
        let mut matched = Vec::new();
        let mut requirement = Requirement::Nothing;
        for (index, rule) in self.rules.iter().enumerate() {
            if rule.matches(sensitivity, privilege) {
                let id = RuleId(index);
                matched.push(id);
                requirement = requirement.stricter(match &rule.effect {
                    Effect::Require(level) => Requirement::Assurance(*level),
                    Effect::Deny(_) => Requirement::Refusal(id),
                });
            }
        }
        (matched, requirement)
    }
}

impl Classification {
    /// Every route that a reading of the request takes, the strictest first.
    pub fn touched(&self) -> impl Iterator<Item = Option<RouteId>> {
        std::iter::once(self.route).chain(self.also.iter().copied())
    }

    /// The stricter of two readings, with what the other one touches and the rules it matches.
    fn stricter(self, other: Self) -> Self {
        let (mut strict, lax) = if other.strictness() > self.strictness() { (other, self) } else { (self, other) };
        let touched: Vec<_> = lax.touched().filter(|route| !strict.touched().any(|own| own == *route)).collect();
        strict.also.extend(touched);
        strict.rules.extend(lax.rules);
        strict.rules.sort_unstable();
        strict.rules.dedup();
        strict
    }

    fn strictness(&self) -> impl Ord + use<> {
        (self.requirement, self.sensitivity, self.privilege)
    }
}

impl Unmatched {
    /// A refused request is logged as being as sensitive as can be.
    const fn sensitivity(self) -> Sensitivity {
        match self {
            Self::Sensitivity(sensitivity) => sensitivity,
            Self::Deny => Sensitivity::Critical,
        }
    }
}

#[cfg(test)]
mod tests;
