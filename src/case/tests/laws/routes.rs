//! Routes and floors out of few words, so that they meet.

use super::{one_of, some_of};
use crate::policy::{
    Floor, Glob, HeaderCondition, HostPattern, McpCondition, Name, PathTemplate, Route, ScopeSet, Selector, Sensitivity,
};
use crate::request::{AskedIn, Method};
use proptest::prelude::*;

const PATHS: [&str; 12] =
    ["/a", "/a/b", "/a/{x}", "/a/{*rest}", "/{x}", "/b", "/b/", "/{x}/b", "/mcp", "/A/b", "/a/b/{x}", "/{*rest}"];

pub(super) fn sensitivity() -> impl Strategy<Value = Sensitivity> {
    one_of(&Sensitivity::ALL)
}

pub(super) fn methods() -> impl Strategy<Value = Vec<Method>> {
    let named =
        some_of(&super::METHODS).prop_map(|names| names.iter().map(|name| Method::parse(name).unwrap()).collect());
    prop_oneof![2 => Just(Vec::new()), 1 => named]
}

pub(super) fn header_conditions() -> impl Strategy<Value = Vec<HeaderCondition>> {
    let condition = |name: &str, values: &[&str]| HeaderCondition {
        name: name.into(),
        values: values.iter().map(|value| (*value).into()).collect(),
    };
    prop_oneof![
        8 => Just(Vec::new()),
        1 => Just(vec![condition("x-kind", &["1"])]),
        1 => Just(vec![condition("x-kind", &["2", "3"])]),
        1 => Just(vec![condition("x-kind", &["1", "2"]), condition("x-extra", &["yes"])]),
    ]
}

fn mcp() -> impl Strategy<Value = Option<McpCondition>> {
    let condition = |method: &str, tools: &[&str]| McpCondition {
        method: method.into(),
        tools: tools.iter().map(|glob| Glob::parse(glob).unwrap()).collect(),
    };
    prop_oneof![
        10 => Just(None),
        1 => Just(Some(condition("tools/call", &["delete_*"]))),
        1 => Just(Some(condition("tools/call", &[]))),
        1 => Just(Some(condition("tools/list", &[]))),
    ]
}

pub(super) fn selector() -> impl Strategy<Value = Selector> {
    let hosts: [&[&str]; 4] = [&[], &["api.example.com"], &["*.example.com"], &["api.example.com", "*.internal"]];
    (one_of(&hosts), methods(), one_of(&PATHS), header_conditions(), mcp()).prop_map(
        |(hosts, methods, path, headers, mcp)| Selector {
            hosts: hosts.iter().map(|host| HostPattern::parse(host).unwrap()).collect(),
            methods,
            path: PathTemplate::parse(path).unwrap(),
            headers,
            mcp,
        },
    )
}

pub(super) fn floor() -> impl Strategy<Value = Floor> {
    (selector(), sensitivity()).prop_map(|(selector, sensitivity)| Floor { owner: None, selector, sensitivity })
}

fn issues() -> impl Strategy<Value = Option<AskedIn>> {
    prop_oneof![
        8 => Just(None),
        1 => Just(Some(AskedIn::Header("x-scope".into()))),
        1 => Just(Some(AskedIn::Query("scope".into()))),
        1 => Just(Some(AskedIn::Form("scope".into()))),
    ]
}

fn route() -> impl Strategy<Value = Route> {
    let flags = (prop::bool::weighted(0.2), prop::bool::weighted(0.7));
    (selector(), sensitivity(), some_of(&super::SCOPES), flags, issues()).prop_map(
        |(selector, sensitivity, scopes, (anonymous, enforce_scopes), issues)| Route {
            name: Name::parse("unnamed").unwrap(),
            owner: None,
            selector,
            sensitivity,
            scopes: ScopeSet::parse(&scopes.join(" ")).unwrap(),
            elevated: ScopeSet::default(),
            // Loading refuses it where much is at stake, and where privilege is issued.
            anonymous: anonymous && sensitivity < Sensitivity::High && issues.is_none(),
            enforce_scopes,
            issues,
        },
    )
}

/// For any host and method.
pub(super) fn plain_route(path: &str, sensitivity: Sensitivity, scopes: &str) -> Route {
    Route {
        name: Name::parse(&path.replace('/', "r-")).unwrap(),
        owner: None,
        selector: Selector {
            hosts: Vec::new(),
            methods: Vec::new(),
            path: PathTemplate::parse(path).unwrap(),
            headers: Vec::new(),
            mcp: None,
        },
        sensitivity,
        scopes: ScopeSet::parse(scopes).unwrap(),
        elevated: ScopeSet::default(),
        anonymous: false,
        enforce_scopes: true,
        issues: None,
    }
}

/// As a file would hold them: no two with the same selector, each with a name that begins so.
pub(super) fn routes(prefix: &'static str, at_most: usize) -> impl Strategy<Value = Vec<Route>> {
    prop::collection::vec(route(), 0..=at_most).prop_map(move |routes| {
        let mut kept: Vec<Route> = Vec::new();
        for route in routes {
            if kept.iter().all(|other| other.selector != route.selector) {
                kept.push(Route { name: Name::parse(&format!("{prefix}{}", kept.len())).unwrap(), ..route });
            }
        }
        kept
    })
}
