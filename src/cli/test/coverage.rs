//! Which routes and rules no test reaches.

use crate::decision::Decision;
use crate::policy::{Policy, RouteId, RuleId};
use std::collections::HashSet;

pub(super) struct Coverage<'p> {
    policy: &'p Policy,
    routes: HashSet<RouteId>,
    rules: HashSet<RuleId>,
}

impl<'p> Coverage<'p> {
    pub(super) fn none_of(policy: &'p Policy) -> Self {
        Self { policy, routes: HashSet::new(), rules: HashSet::new() }
    }

    /// Every route that a reading of the request takes, and every rule that matches, also one that is only watched.
    pub(super) fn reach(&mut self, decision: &Decision) {
        let Some(class) = &decision.findings.classification else { return };
        self.routes.extend(class.touched().flatten());
        self.rules.extend(class.rules.iter().chain(&class.shadow_rules));
    }

    pub(super) fn unreached_routes(&self) -> Vec<&'p str> {
        let routes = self.policy.routes.iter().filter(|(id, _)| !self.routes.contains(id));
        routes.map(|(_, route)| route.name.as_str()).collect()
    }

    pub(super) fn unreached_rules(&self) -> Vec<&'p str> {
        let reached: HashSet<_> = self.rules.iter().map(|id| id.index()).collect();
        let rules = self.policy.rules.iter().enumerate().filter(|(index, _)| !reached.contains(index));
        rules.map(|(_, rule)| rule.name.as_str()).collect()
    }
}
