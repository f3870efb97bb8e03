//! Small parts of policies and requests, for the tests beside each part.

use crate::case::tests::world::World;
use crate::policy::{
    Floors, Glob, HeaderCondition, HostPattern, Identity, Name, NamePattern, PathTemplate, Policy, Route, RouteTable,
    ScopePatterns, ScopeSet, Selector, Sensitivity, Status,
};
use crate::request::{Body, Headers, Hints, Host, Layer, Metadata, Method, Peer, Readings, RequestFacts, RequestPath};
use std::collections::HashMap;

pub(in crate::policy) fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

pub(in crate::policy) fn method(text: &str) -> Method {
    Method::parse(text).unwrap()
}

pub(in crate::policy) fn glob(text: &str) -> Glob {
    Glob::parse(text).unwrap()
}

pub(in crate::policy) fn scopes(text: &str) -> ScopeSet {
    ScopeSet::parse(text).unwrap()
}

pub(in crate::policy) fn condition(name: &str, values: &[&str]) -> HeaderCondition {
    HeaderCondition { name: name.into(), values: values.iter().map(|value| (*value).into()).collect() }
}

/// `None` stands for what is no text.
pub(in crate::policy) fn headers(pairs: &[(&str, Option<&str>)]) -> Headers {
    let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned)));
    Headers::apart(pairs.collect(), HashMap::new())
}

/// `[HOST]PATH`, for any method.
pub(in crate::policy) fn selector(text: &str) -> Selector {
    let (host, path) = text.split_at(text.find('/').unwrap());
    Selector {
        hosts: (!host.is_empty()).then(|| HostPattern::parse(host).unwrap()).into_iter().collect(),
        methods: Vec::new(),
        path: PathTemplate::parse(path).unwrap(),
        headers: Vec::new(),
        mcp: None,
    }
}

/// The core's, of low sensitivity.
pub(in crate::policy) fn route(named: &str, selected: &str) -> Route {
    Route {
        name: name(named),
        owner: None,
        selector: selector(selected),
        sensitivity: Sensitivity::Low,
        scopes: ScopeSet::default(),
        elevated: ScopeSet::default(),
        anonymous: false,
        enforce_scopes: true,
        issues: None,
    }
}

/// A team's, of low sensitivity.
pub(in crate::policy) fn route_of(team: &str) -> Route {
    Route { owner: Some(name(team)), ..route(team, "/{*rest}") }
}

/// `admin:*` is elevated, no identities and rules.
pub(in crate::policy) fn policy(routes: Vec<Route>) -> Policy {
    let base = World::new().policy;
    let elevated =
        |route: Route| Route { elevated: route.scopes.filtered(|scope| base.elevated.contains(scope)), ..route };
    let routes = RouteTable::new(routes.into_iter().map(elevated).collect(), false);
    Policy { routes, floors: Floors::default(), rules: Vec::new(), ..base }
}

/// A `GET`.
pub(in crate::policy) fn request(target: &str) -> RequestFacts {
    request_with(target, &[])
}

pub(in crate::policy) fn request_with(target: &str, pairs: &[(&str, Option<&str>)]) -> RequestFacts {
    let (method, headers) = (method("GET"), headers(pairs));
    let path = RequestPath::parse(target, "GET").unwrap();
    RequestFacts {
        layer: Layer::Http,
        readings: Readings::of(&method, &path, &headers).unwrap(),
        method,
        path,
        host: Host::parse("api.example.com").unwrap(),
        headers,
        body: Body::Absent,
        asked: None,
        source: None,
        peer: Peer::default(),
        metadata: Metadata::default(),
        hints: Hints::default(),
    }
}

/// Anybody, with this baseline.
pub(in crate::policy) fn identity(baseline: Option<&[&str]>) -> Identity {
    Identity {
        pattern: NamePattern::parse("**").unwrap(),
        aliases: Vec::new(),
        kind: None,
        owner: None,
        baseline: baseline.map(|patterns| ScopePatterns::new(patterns.iter().copied()).unwrap()),
        networks: None,
        countries: None,
        hours: None,
        status: Status::Active,
        review_by: None,
    }
}
