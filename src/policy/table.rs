//! Which routes a request takes: by host, then path, then the narrower of those that are left.

use super::index::Index;
use super::route::{Fit, Route, RouteId};
use super::selector::Selected;
use crate::request::Host;
use std::cmp::Reverse;

/// All routes of a policy, found by request.
#[derive(Debug, Default)]
pub struct RouteTable {
    routes: Vec<Route>,
    index: Index,
    /// Where upper and lower case in paths are to be the same: found by paths without case.
    folded: Option<Index>,
    has_teams: bool,
    looks_at_calls: bool,
}

/// What a look-up found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    pub route: Option<RouteId>,
    /// What counts beside it: narrower routes that the request may take, where servers read it differently; the route of
    /// the core, where a team's took the request from it; and what it takes without regard to case.
    pub also: Vec<RouteId>,
}

impl RouteTable {
    /// `ignore_case`: whether a path also takes a route whose path differs only by case.
    pub fn new(routes: Vec<Route>, ignore_case: bool) -> Self {
        let index = |folded| {
            let selectors = routes.iter().map(|route| &route.selector);
            Index::new(selectors, folded, |id| routes.get(id).map(precedence))
        };
        Self {
            index: index(false),
            folded: ignore_case.then(|| index(true)),
            looks_at_calls: routes.iter().any(|route| route.selector.mcp.is_some()),
            has_teams: routes.iter().any(|route| route.owner.is_some()),
            routes,
        }
    }

    pub fn get(&self, id: RouteId) -> Option<&Route> {
        self.routes.get(id.0)
    }

    pub fn iter(&self) -> impl Iterator<Item = (RouteId, &Route)> {
        self.routes.iter().enumerate().map(|(index, route)| (RouteId(index), route))
    }

    /// The route that one reading of a request takes, `None` when no route names it, and what counts beside it.
    pub fn find(&self, selected: &Selected<'_>) -> Found {
        let mut found = self.find_in(&self.index, selected);
        if let Some(folded) = &self.folded {
            let without_case = self.find_in(folded, selected);
            match found.route {
                None => found.route = without_case.route,
                Some(own) => found.also.extend(without_case.route.filter(|other| *other != own)),
            }
            found.also.extend(without_case.also);
        }
        found
    }

    /// Whether any route depends on which MCP call a request makes.
    pub const fn looks_at_calls(&self) -> bool {
        self.looks_at_calls
    }

    /// Whether a route names this very host.
    pub fn names_host(&self, host: &Host) -> bool {
        self.index.names_host(host)
    }

    fn find_in(&self, index: &Index, selected: &Selected<'_>) -> Found {
        let mut also = Vec::new();
        let route = self.first(index, selected, &mut also, |_| true);
        if self.has_teams && self.is_a_teams(route) {
            let core = self.first(index, selected, &mut also, |route| route.owner.is_none());
            also.extend(core);
        }
        Found { route, also }
    }

    /// The first of these that surely fits; before it, those that may.
    fn first(
        &self,
        index: &Index,
        selected: &Selected<'_>,
        doubtful: &mut Vec<RouteId>,
        counts: impl Fn(&Route) -> bool,
    ) -> Option<RouteId> {
        let mut fits = |id: usize| {
            let fit = self
                .routes
                .get(id)
                .filter(|route| counts(route))
                .map_or(Fit::No, |route| route.selector.fits(selected));
            if fit == Fit::Doubtful {
                doubtful.push(RouteId(id));
            }
            fit == Fit::Yes
        };
        index.find(selected.host, selected.path, &mut fits).map(RouteId)
    }

    fn is_a_teams(&self, route: Option<RouteId>) -> bool {
        route.and_then(|id| self.get(id)).is_some_and(|route| route.owner.is_some())
    }
}

/// More conditions first, named methods before any; what is still equal goes by the stricter and then by name, so that
/// the order of files never decides.
pub(crate) fn precedence(route: &Route) -> impl Ord + use<> {
    let selector = &route.selector;
    (Reverse(selector.conditions()), selector.methods.is_empty(), Reverse(route.sensitivity), route.name.clone())
}

#[cfg(test)]
mod tests;
