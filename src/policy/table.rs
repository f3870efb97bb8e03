//! Which route a request takes: by host, then path, then the narrower of those that are left.
//!
//! A trie of path segments for each host, so that a look-up costs the length of the path and not the number of routes.
//! Candidates come in order of precedence and fall through: the first whose method and headers fit is the route.

use super::route::{Fit, Route, RouteId};
use super::{HostPattern, Segment};
use crate::request::{Headers, Host, Method, RequestFacts};
use foldhash::HashMap;
use std::cmp::Reverse;
use std::str::Split;

/// All routes of a policy, found by request.
#[derive(Debug, Default)]
pub struct RouteTable {
    routes: Vec<Route>,
    exact: HashMap<Host, Trie>,
    below: HashMap<Host, Trie>,
    any: Trie,
}

/// What a look-up found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    pub route: Option<RouteId>,
    pub doubtful: Vec<RouteId>,
}

#[derive(Debug, Default)]
struct Trie {
    literals: HashMap<Box<str>, Trie>,
    parameter: Option<Box<Trie>>,
    /// Routes that end here, narrowest first.
    here: Vec<RouteId>,
    /// Routes whose `{*rest}` begins here, narrowest first.
    rest: Vec<RouteId>,
}

impl RouteTable {
    pub fn new(routes: Vec<Route>) -> Self {
        let mut table = Self::default();
        for (index, route) in routes.iter().enumerate() {
            table.insert(RouteId(index), route);
        }
        table.routes = routes;
        table.sort();
        table
    }

    pub fn get(&self, id: RouteId) -> Option<&Route> {
        self.routes.get(id.0)
    }

    pub fn iter(&self) -> impl Iterator<Item = (RouteId, &Route)> {
        self.routes.iter().enumerate().map(|(index, route)| (RouteId(index), route))
    }

    /// The route that one reading of a request takes, `None` when no route names it; and before it the narrower routes that
    /// it may take, where servers read its headers differently.
    pub fn find(&self, facts: &RequestFacts, method: &Method, path: &str) -> Found {
        let mut doubtful = Vec::new();
        let mut fits = |id: RouteId| match self.get(id).map_or(Fit::No, |route| fit(route, method, &facts.headers)) {
            Fit::Yes => true,
            Fit::No => false,
            Fit::Doubtful => {
                doubtful.push(id);
                false
            }
        };
        let path = path.strip_prefix('/');
        let route =
            path.and_then(|path| self.tries_for(&facts.host).find_map(|trie| trie.find(path.split('/'), &mut fits)));
        Found { route, doubtful }
    }

    /// Whether a route names this very host.
    pub fn names_host(&self, host: &Host) -> bool {
        self.exact.contains_key(host.as_str())
    }

    /// The exact host, then the wildcards from the narrowest to the widest, then what holds for any host.
    fn tries_for<'t>(&'t self, host: &'t Host) -> impl Iterator<Item = &'t Trie> {
        let domains = host.domains().take(if self.below.is_empty() { 0 } else { usize::MAX });
        let wildcards = domains.filter_map(|domain| self.below.get(domain));
        self.exact.get(host.as_str()).into_iter().chain(wildcards).chain(std::iter::once(&self.any))
    }

    fn insert(&mut self, id: RouteId, route: &Route) {
        let selector = &route.selector;
        if selector.hosts.is_empty() {
            self.any.insert(id, route);
        }
        for host in &selector.hosts {
            let trie = match host {
                HostPattern::Exact(host) => self.exact.entry(host.clone()).or_default(),
                HostPattern::Below(domain) => self.below.entry(domain.clone()).or_default(),
            };
            trie.insert(id, route);
        }
    }

    fn sort(&mut self) {
        let routes = std::mem::take(&mut self.routes);
        for trie in self.exact.values_mut().chain(self.below.values_mut()).chain([&mut self.any]) {
            trie.sort(&routes);
        }
        self.routes = routes;
    }
}

impl Trie {
    fn insert(&mut self, id: RouteId, route: &Route) {
        let path = &route.selector.path;
        let mut node = self;
        for segment in path.segments() {
            node = match segment {
                Segment::Literal(text) => node.literals.entry(text.clone()).or_default(),
                Segment::Parameter => node.parameter.get_or_insert_default(),
            };
        }
        if path.is_open() { node.rest.push(id) } else { node.here.push(id) }
    }

    /// Literal before parameter before rest, segment by segment, falling back where the narrower way leads nowhere.
    /// The recursion is as deep as the trie, so at most `PathTemplate::MAX_SEGMENTS`.
    fn find(&self, mut segments: Split<'_, char>, fits: &mut impl FnMut(RouteId) -> bool) -> Option<RouteId> {
        let found = match segments.next() {
            None => first(&self.here, fits),
            Some(segment) => {
                let literal = self.literals.get(segment).and_then(|node| node.find(segments.clone(), fits));
                literal.or_else(|| self.parameter.as_ref().filter(|_| !segment.is_empty())?.find(segments, fits))
            }
        };
        found.or_else(|| first(&self.rest, fits))
    }

    fn sort(&mut self, routes: &[Route]) {
        let rank = |id: &RouteId| routes.get(id.0).map(precedence);
        self.here.sort_by_key(rank);
        self.rest.sort_by_key(rank);
        for node in self.literals.values_mut().chain(self.parameter.as_deref_mut()) {
            node.sort(routes);
        }
    }
}

fn first(ids: &[RouteId], fits: &mut impl FnMut(RouteId) -> bool) -> Option<RouteId> {
    ids.iter().copied().find(|id| fits(*id))
}

fn fit(route: &Route, method: &Method, headers: &Headers) -> Fit {
    if route.selector.takes_method(method) { route.selector.takes_headers(headers) } else { Fit::No }
}

/// More header conditions first, named methods before any; what is still equal goes by the stricter and then by name,
/// so that the order of files never decides.
fn precedence(route: &Route) -> impl Ord + use<> {
    let selector = &route.selector;
    (Reverse(selector.headers.len()), selector.methods.is_empty(), Reverse(route.sensitivity), route.name.clone())
}

#[cfg(test)]
mod tests;
