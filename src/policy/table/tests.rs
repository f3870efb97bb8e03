//! Precedence as a table, the same answer as an obvious search, and independence of order.

use super::*;
use crate::policy::{HeaderCondition, HostPattern, Name, PathTemplate, ScopeSet, Segment, Selector, Sensitivity};
use crate::request::{
    Body, Headers, Hints, Layer, McpCall, Metadata, Method, Peer, Readings, RequestFacts, RequestPath,
};
use proptest::prelude::*;
use rstest::rstest;
use std::collections::HashMap as StdMap;

/// `[METHOD[,METHOD]] [HOST]PATH [name=value]`
fn route(text: &str) -> Route {
    let mut parts = text.split(' ');
    let (methods, target, header) = (parts.next().unwrap(), parts.next().unwrap(), parts.next());
    let slash = target.find('/').unwrap();
    let (host, path) = target.split_at(slash);
    let condition = header
        .and_then(|text| text.split_once('='))
        .map(|(name, value)| HeaderCondition { name: name.into(), values: vec![value.into()] });
    Route {
        name: Name::parse(&text.replace([' ', '{', '}', '*', ',', '=', '%'], "_")).unwrap(),
        selector: Selector {
            hosts: (!host.is_empty()).then(|| HostPattern::parse(host).unwrap()).into_iter().collect(),
            methods: methods.split(',').filter(|m| *m != "ANY").map(|m| Method::parse(m).unwrap()).collect(),
            path: PathTemplate::parse(path).unwrap(),
            headers: condition.into_iter().collect(),
            mcp: None,
        },
        owner: None,
        issues: None,
        sensitivity: Sensitivity::Low,
        scopes: ScopeSet::default(),
        elevated: ScopeSet::default(),
        anonymous: false,
        enforce_scopes: true,
    }
}

fn facts(method: &str, host: &str, path: &str, headers: &[(&str, &str)]) -> RequestFacts {
    let headers: StdMap<_, _> = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    RequestFacts {
        layer: Layer::Http,
        method: Method::parse(method).unwrap(),
        path: RequestPath::parse(path, method).unwrap(),
        host: Host::parse(host).unwrap(),
        headers: Headers::joined(headers),
        readings: Readings::default(),
        body: Body::Absent,
        asked: None,
        source: None,
        peer: Peer::default(),
        metadata: Metadata::default(),
        hints: Hints::default(),
    }
}

const ROUTES: [&str; 16] = [
    "GET /v1/payments/{id}",
    "ANY /v1/payments/{id}",
    "GET /v1/payments/search",
    "GET /v1/payments/search x-api-version=2",
    "POST /v1/payments/{id}/refund",
    "ANY /v1/{*rest}",
    "GET api.example.com/v1/payments/{id}",
    "ANY *.internal/v1/payments/{id}",
    "ANY *.deep.internal/v1/payments/{id}",
    "GET /admin/{*rest}",
    "GET /",
    "GET /a/{x}/c",
    "GET /a/b/{y}",
    "GET /a/b/d",
    "GET /trailing/",
    "GET /caf%c3%a9",
];

#[rstest]
#[case("GET", "h", "/v1/payments/7", Some("GET /v1/payments/{id}"))]
#[case("PUT", "h", "/v1/payments/7", Some("ANY /v1/payments/{id}"))]
#[case("GET", "h", "/v1/payments/search", Some("GET /v1/payments/search"))]
#[case("PUT", "h", "/v1/payments/search", Some("ANY /v1/payments/{id}"))]
#[case("POST", "h", "/v1/payments/7/refund", Some("POST /v1/payments/{id}/refund"))]
#[case("GET", "h", "/v1/payments/7/refund", Some("ANY /v1/{*rest}"))]
#[case("GET", "h", "/v1/payments/", Some("ANY /v1/{*rest}"))]
#[case("GET", "h", "/v1", Some("ANY /v1/{*rest}"))]
#[case("GET", "api.example.com", "/v1/payments/7", Some("GET api.example.com/v1/payments/{id}"))]
#[case("PUT", "api.example.com", "/v1/payments/7", Some("ANY /v1/payments/{id}"))]
#[case("GET", "a.internal", "/v1/payments/7", Some("ANY *.internal/v1/payments/{id}"))]
#[case("GET", "a.b.deep.internal", "/v1/payments/7", Some("ANY *.deep.internal/v1/payments/{id}"))]
#[case("GET", "deep.internal", "/v1/payments/7", Some("ANY *.internal/v1/payments/{id}"))]
#[case("GET", "internal", "/v1/payments/7", Some("GET /v1/payments/{id}"))]
#[case("GET", "h", "/admin", Some("GET /admin/{*rest}"))]
#[case("GET", "h", "/admin/", Some("GET /admin/{*rest}"))]
#[case("GET", "h", "/admin/x/y", Some("GET /admin/{*rest}"))]
#[case("GET", "h", "/administrator", None)]
#[case("GET", "h", "/", Some("GET /"))]
#[case("GET", "h", "/a/b/c", Some("GET /a/b/{y}"))]
#[case("GET", "h", "/a/b/d", Some("GET /a/b/d"))]
#[case("GET", "h", "/a/x/c", Some("GET /a/{x}/c"))]
#[case("GET", "h", "/a/b", None)]
#[case("GET", "h", "/trailing", None)]
#[case("GET", "h", "/trailing/", Some("GET /trailing/"))]
#[case("GET", "h", "/caf%C3%A9", Some("GET /caf%c3%a9"))]
#[case("GET", "h", "/caf\u{e9}", Some("GET /caf%c3%a9"))]
#[case("get", "h", "/", None)]
#[case("OPTIONS", "h", "*", None)]
#[case("CONNECT", "h", "", None)]
fn the_narrowest_route_that_fits_is_taken(
    #[case] method: &str,
    #[case] host: &str,
    #[case] path: &str,
    #[case] expected: Option<&str>,
) {
    assert_eq!(taken(&ROUTES, &facts(method, host, path, &[])), expected.map(|text| route(text).name));
}

#[rstest]
#[case(&[("x-api-version", "2")], "GET /v1/payments/search x-api-version=2")]
#[case(&[("x-api-version", "3")], "GET /v1/payments/search")]
#[case(&[("x-api-version", "2!")], "GET /v1/payments/search")]
#[case(&[("x-api-version", "2,2")], "GET /v1/payments/search")]
fn a_header_condition_narrows(#[case] headers: &[(&str, &str)], #[case] expected: &str) {
    let facts = facts("GET", "h", "/v1/payments/search", headers);
    assert_eq!(taken(&ROUTES, &facts), Some(route(expected).name));
}

#[test]
fn a_look_up_does_not_depend_on_how_many_routes_there_are() {
    let many: Vec<_> = (0..20_000).map(|n| route(&format!("GET /v1/service{n}/{{id}}/action"))).collect();
    let table = RouteTable::new(many, false);
    let found = find(&table, &facts("GET", "h", "/v1/service19999/7/action", &[])).unwrap();
    assert_eq!(table.get(found).unwrap().name.as_str(), "GET_/v1/service19999/_id_/action");
}

#[rstest]
#[case(&[("x-api-version", "2")], 0)]
#[case(&[("x-api-version", "3")], 0)]
#[case(&[("x-api-version", "2!")], 1)]
#[case(&[("x-api-version", "3,2")], 1)]
fn a_header_that_servers_read_differently_leaves_doubt(#[case] headers: &[(&str, &str)], #[case] doubtful: usize) {
    let table = RouteTable::new(ROUTES.iter().map(|text| route(text)).collect(), false);
    let facts = facts("GET", "h", "/v1/payments/search", headers);
    assert_eq!(table.find(&selected(&facts)).also.len(), doubtful);
}

fn taken(routes: &[&str], facts: &RequestFacts) -> Option<Name> {
    let table = RouteTable::new(routes.iter().map(|text| route(text)).collect(), false);
    find(&table, facts).and_then(|id| table.get(id)).map(|route| route.name.clone())
}

fn find(table: &RouteTable, facts: &RequestFacts) -> Option<RouteId> {
    table.find(&selected(facts)).route
}

fn selected(facts: &RequestFacts) -> Selected<'_> {
    Selected::of(facts, McpCall::Unclear)
}

/// The rank of a route for a path, as the specification words it; `None` where it does not fit.
fn rank(route: &Route, path: &str) -> Option<Vec<u8>> {
    let segments: Vec<_> = path.strip_prefix('/')?.split('/').collect();
    let template = route.selector.path.segments();
    let closed = !route.selector.path.is_open();
    if segments.len() < template.len() || (closed && segments.len() != template.len()) {
        return None;
    }
    let mut rank = Vec::new();
    for (segment, piece) in segments.iter().zip(template) {
        rank.push(match piece {
            Segment::Literal(text) if **text == **segment => 0,
            Segment::Parameter if !segment.is_empty() => 1,
            _ => return None,
        });
    }
    if !closed {
        rank.push(2);
    }
    Some(rank)
}

fn path_piece() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["a", "b", "{x}"])
}

fn template() -> impl Strategy<Value = String> {
    (prop::collection::vec(path_piece(), 1..4), any::<bool>())
        .prop_map(|(pieces, open)| format!("GET /{}{}", pieces.join("/"), if open { "/{*rest}" } else { "" }))
}

proptest! {
    #[test]
    fn the_trie_agrees_with_an_obvious_search(
        templates in prop::collection::btree_set(template(), 1..12),
        path in prop::collection::vec(prop::sample::select(vec!["a", "b", "c", ""]), 1..5),
    ) {
        let path = format!("/{}", path.join("/"));
        prop_assume!(!path.contains("//"));
        let routes: Vec<_> = templates.iter().map(|text| route(text)).collect();
        let best = routes.iter().filter_map(|route| Some((rank(route, &path)?, route))).min_by_key(|(rank, _)| rank.clone());
        let texts: Vec<_> = templates.iter().map(String::as_str).collect();
        let found = taken(&texts, &facts("GET", "h", &path, &[]));
        prop_assert_eq!(found, best.map(|(_, route)| route.name.clone()));
    }

    #[test]
    fn the_order_of_routes_never_matters(seed in prop::sample::subsequence((0..ROUTES.len()).collect::<Vec<_>>(), 2..ROUTES.len()).prop_shuffle()) {
        let shuffled: Vec<_> = seed.iter().map(|index| ROUTES[*index]).collect();
        let mut sorted = shuffled.clone();
        sorted.sort_unstable();
        for (method, path) in [("GET", "/v1/payments/search"), ("PUT", "/v1/payments/7"), ("GET", "/a/b/c"), ("GET", "/admin")] {
            let facts = facts(method, "a.deep.internal", path, &[("x-api-version", "2")]);
            prop_assert_eq!(taken(&shuffled, &facts), taken(&sorted, &facts));
        }
    }
}
