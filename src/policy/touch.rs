//! What a request touches: the routes that it takes in every reading, with the scopes that it exercises on each.

use super::{Floor, Found, Policy, RouteId, ScopeSet, Selected, Sensitivity};
use crate::request::{Asked, Layer, McpCall, Method, RequestFacts};

/// One way to take a request: a route, or none, as one of its readings takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken<'f> {
    /// `None`: no route names the request.
    pub route: Option<RouteId>,
    pub method: &'f Method,
    /// What it is at least, by the floors over it.
    pub floor: Option<Sensitivity>,
    pub scopes: ScopeSet,
    /// Whether all of them can be told: not where what an issuing route is asked for can't be read.
    pub told: bool,
}

impl Policy {
    /// Every way to take a request, first the one as it was sent.
    pub fn touch<'f>(&self, facts: &'f RequestFacts) -> Vec<Taken<'f>> {
        let mut touched = Vec::with_capacity(1);
        if facts.layer == Layer::Network {
            self.take(&Found::default(), &[], facts, &facts.method, &mut touched);
            return touched;
        }
        let sent = Selected::of(facts, self.call_of(facts));
        for (method, path) in facts.readings.all(sent.method, sent.path) {
            self.touch_as(&Selected { method, path, ..sent }, facts, &mut touched);
        }
        touched
    }

    /// The ways to take one reading of a request.
    pub fn touch_reading<'f>(&self, facts: &'f RequestFacts, method: &'f Method, path: &'f str) -> Vec<Taken<'f>> {
        let mut touched = Vec::new();
        let sent = Selected::of(facts, self.call_of(facts));
        self.touch_as(&Selected { method, path, ..sent }, facts, &mut touched);
        touched
    }

    /// The MCP call that a request makes. Reading it may take reading a body: only where somebody looks at it.
    pub fn call_of<'f>(&self, facts: &'f RequestFacts) -> McpCall<'f> {
        let looks_at_calls = self.routes.looks_at_calls() || self.floors.look_at_calls();
        if looks_at_calls { McpCall::of(facts) } else { McpCall::Unclear }
    }

    /// The form without a trailing slash is a reading where a route or floor names it.
    fn touch_as<'f>(&self, selected: &Selected<'f>, facts: &'f RequestFacts, touched: &mut Vec<Taken<'f>>) {
        let slashless = selected.path.strip_suffix('/').filter(|rest| !rest.is_empty());
        let slashless = slashless.map(|path| Selected { path, ..*selected });
        let mut floors = self.floors.over(selected);
        floors.extend(slashless.iter().flat_map(|slashless| self.floors.over(slashless)));
        self.take(&self.routes.find(selected), &floors, facts, selected.method, touched);
        if let Some(found) =
            slashless.map(|slashless| self.routes.find(&slashless)).filter(|found| *found != Found::default())
        {
            self.take(&found, &floors, facts, selected.method, touched);
        }
    }

    fn take<'f>(
        &self,
        found: &Found,
        floors: &[&Floor],
        facts: &'f RequestFacts,
        method: &'f Method,
        touched: &mut Vec<Taken<'f>>,
    ) {
        for route in std::iter::once(found.route).chain(found.also.iter().copied().map(Some)) {
            // One body says the same in every reading, and reading it is the dearest part of them all.
            let read = touched.iter().find(|taken| taken.route == route);
            let read = read.map(|taken| (taken.scopes.clone(), taken.told));
            let (scopes, told) = read.unwrap_or_else(|| self.exercised(route, facts));
            let own = route.and_then(|id| self.routes.get(id));
            let floor = floors.iter().filter(|floor| floor.binds(own)).map(|floor| floor.sensitivity).max();
            let taken = Taken { route, method, floor, scopes, told };
            if !touched.contains(&taken) {
                touched.push(taken);
            }
        }
    }

    /// The route's scopes, those that an issuing route is asked for, and what Envoy hints at; and whether they can be told.
    fn exercised(&self, route: Option<RouteId>, facts: &RequestFacts) -> (ScopeSet, bool) {
        let route = route.and_then(|id| self.routes.get(id));
        let own = route.map(|route| route.scopes.clone()).unwrap_or_default();
        let own = if facts.hints.scopes.is_empty() { own } else { own.union(&facts.hints.scopes) };
        match route.and_then(|route| route.issues.as_ref()).map(|issues| issues.read(facts)) {
            None => (own, true),
            Some(Asked::Scopes(asked)) => (own.union(&asked), true),
            Some(Asked::Unreadable) => (own, false),
        }
    }
}

#[cfg(test)]
mod tests;
