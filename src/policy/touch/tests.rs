//! Which routes a request takes: in every reading, through teams' files, where it is doubtful, and by no route at all.

use super::*;
use crate::policy::tests::samples::{condition, glob, name, policy, request, request_with, route, scopes, selector};
use crate::policy::{Floors, McpCondition, Name, Route, RouteTable, Selector};
use crate::request::{AskedIn, Hints, Host, Metadata, Peer};
use rstest::rstest;
use serde_json::json;

/// Names of the routes that a request takes, `-` for none, in order.
fn taken(policy: &Policy, facts: &RequestFacts) -> Vec<String> {
    let named =
        |taken: &Taken<'_>| taken.route.and_then(|id| policy.routes.get(id)).map(|route| route.name.to_string());
    policy.touch(facts).iter().map(|taken| named(taken).unwrap_or("-".into())).collect()
}

fn of_team(route: Route) -> Route {
    Route { owner: Some(name("payments")), ..route }
}

#[rstest]
#[case("/a", &["a"])]
#[case("/b", &["-"])]
#[case::both_readings("//a", &["-", "a"])]
#[case::by_either_path("/x/../a", &["x", "a"])]
#[case::without_its_slash("/a/", &["-", "a"])]
#[case::a_slash_that_nobody_names("/b/", &["-"])]
#[case::a_slash_that_is_named("/x/", &["x"])]
#[case("/", &["-"])]
fn a_request_takes_the_routes_of_all_its_readings(#[case] target: &str, #[case] expected: &[&str]) {
    let policy = policy(vec![route("a", "/a"), route("x", "/x/{*rest}")]);
    assert_eq!(taken(&policy, &request(target)), expected);
}

#[test]
fn a_request_is_taken_once_however_many_readings_agree() {
    let policy = policy(vec![route("all", "/{*rest}")]);
    assert_eq!(taken(&policy, &request("/a;x//b/../c")), ["all"]);
}

#[test]
fn overriding_methods_and_paths_are_readings() {
    let deletes = Selector { methods: vec![Method::parse("DELETE").unwrap()], ..selector("/a") };
    let policy = policy(vec![route("a", "/a"), Route { selector: deletes, ..route("wipe", "/a") }, route("b", "/b")]);
    let facts = request_with("/a", &[("x-original-url", Some("/b")), ("x-http-method", Some("DELETE"))]);
    // The method is a part of how it is taken: rules look at it.
    assert_eq!(taken(&policy, &facts), ["a", "b", "wipe", "b"]);
    assert_eq!(taken(&policy, &request("/a")), ["a"]);
}

#[test]
fn where_case_is_ignored_both_routes_count() {
    let routes = || vec![route("upper", "/A"), route("any", "/{x}")];
    let minding = policy(routes());
    let ignoring = Policy { routes: RouteTable::new(routes(), true), ..policy(Vec::new()) };
    assert_eq!(taken(&minding, &request("/a")), ["any"]);
    assert_eq!(taken(&ignoring, &request("/a")), ["any", "upper"]);
    assert_eq!(taken(&ignoring, &request("/A")), ["upper"]);
}

#[test]
fn what_a_team_takes_from_the_core_is_the_cores_as_well() {
    let policy = policy(vec![route("core", "/a/{*rest}"), of_team(route("team", "/a/b")), of_team(route("own", "/c"))]);
    assert_eq!(taken(&policy, &request("/a/b")), ["team", "core"]);
    assert_eq!(taken(&policy, &request("/a/x")), ["core"]);
    assert_eq!(taken(&policy, &request("/c")), ["own"]);
}

#[test]
fn a_header_that_servers_may_read_either_way_takes_both_routes() {
    let selector = Selector { headers: vec![condition("x-a", &["1"])], ..selector("/a") };
    let policy = policy(vec![route("wide", "/a"), Route { selector, ..route("narrow", "/a") }]);
    assert_eq!(taken(&policy, &request_with("/a", &[("x-a", Some("1"))])), ["narrow"]);
    assert_eq!(taken(&policy, &request_with("/a", &[("x-a", Some("1,2"))])), ["wide", "narrow"]);
    assert_eq!(taken(&policy, &request_with("/a", &[("x-a", None)])), ["wide", "narrow"]);
    assert_eq!(taken(&policy, &request("/a")), ["wide"]);
}

/// A policy with routes of MCP calls, and one for the path's other uses where `with_rest`.
fn of_calls(with_rest: bool) -> Policy {
    let of = |method: &str, tools: &[&str]| Selector {
        mcp: Some(McpCondition { method: method.into(), tools: tools.iter().map(|text| glob(text)).collect() }),
        ..selector("/mcp")
    };
    let mut routes = vec![
        Route { selector: of("tools/call", &["delete_*"]), ..route("delete", "/mcp") },
        Route { selector: of("tools/call", &[]), ..route("call", "/mcp") },
        Route { selector: of("tools/list", &[]), ..route("list", "/mcp") },
    ];
    routes.extend(with_rest.then(|| route("rest", "/mcp")));
    policy(routes)
}

fn calling(method: &str, tool: &str) -> RequestFacts {
    let seen = json!({ "jsonrpc": "2.0", "method": method, "params": { "name": tool } });
    let namespace = (McpCall::NAMESPACE.into(), seen.as_object().unwrap().clone());
    RequestFacts { metadata: Metadata::from_iter([namespace]), ..request("/mcp") }
}

#[rstest]
#[case(calling("tools/call", "delete_all"), &["delete"])]
#[case(calling("tools/call", "read"), &["call"])]
#[case(calling("tools/list", ""), &["list"])]
#[case(calling("ping", ""), &["rest"])]
#[case::which_call_cannot_be_told(request("/mcp"), &["rest", "delete", "call", "list"])]
fn a_call_that_cannot_be_told_may_be_any(#[case] facts: RequestFacts, #[case] expected: &[&str]) {
    assert_eq!(taken(&of_calls(true), &facts), expected);
}

/// And none: no route says that the path is good for anything else.
#[test]
fn a_call_that_cannot_be_told_may_be_one_that_no_route_names() {
    assert_eq!(taken(&of_calls(false), &request("/mcp")), ["-", "delete", "call", "list"]);
}

fn floor(selected: &str, sensitivity: Sensitivity, owner: Option<Name>) -> Floor {
    Floor { owner, selector: selector(selected), sensitivity }
}

#[rstest]
#[case("/a", Some(Sensitivity::Moderate))]
#[case::the_highest_counts("/a/b", Some(Sensitivity::Critical))]
#[case::without_its_slash("/a/b/", Some(Sensitivity::Critical))]
#[case::in_any_case("/A/B", Some(Sensitivity::Critical))]
#[case::also_over_no_route("/a/unknown", Some(Sensitivity::Moderate))]
#[case("/b", None)]
fn a_request_is_as_sensitive_as_the_highest_floor_over_it(#[case] target: &str, #[case] expected: Option<Sensitivity>) {
    let floors = vec![
        floor("/a/{*rest}", Sensitivity::Moderate, None),
        floor("/a/b", Sensitivity::Critical, None),
        floor("/a/b", Sensitivity::High, None),
    ];
    let policy = Policy { floors: Floors::new(floors), ..policy(vec![route("a", "/a"), route("b", "/a/b")]) };
    assert_eq!(policy.touch(&request(target))[0].floor, expected);
}

#[test]
fn a_teams_floor_is_under_nobody_elses_routes() {
    let floors = vec![floor("/{*rest}", Sensitivity::Critical, Some(name("payments")))];
    let routes = vec![route("core", "/a/{*rest}"), of_team(route("team", "/a/b"))];
    let policy = Policy { floors: Floors::new(floors), ..policy(routes) };
    let floors = |target: &str| policy.touch(&request(target)).iter().map(|taken| taken.floor).collect::<Vec<_>>();
    assert_eq!(floors("/a/b"), [Some(Sensitivity::Critical), None]);
    assert_eq!(floors("/elsewhere"), [None]);
}

#[rstest]
#[case::its_own(None, "", "read", true)]
#[case::with_a_hint(None, "admin:x", "admin:x read", true)]
#[case::asked_for(Some("write"), "", "read write", true)]
#[case::asked_for_and_hinted_at(Some("write"), "read", "read write", true)]
#[case::what_cannot_be_read(Some("not \"readable\""), "admin:x", "admin:x read", false)]
fn a_call_exercises_what_its_route_says_and_what_is_added(
    #[case] asked: Option<&str>,
    #[case] hinted: &str,
    #[case] exercised: &str,
    #[case] told: bool,
) {
    let issues = asked.map(|_| AskedIn::Header("x-scope".into()));
    let policy = policy(vec![Route { scopes: scopes("read"), issues, ..route("a", "/a") }]);
    let hints = Hints { scopes: scopes(hinted), ..Hints::default() };
    let facts = RequestFacts { hints, ..request_with("/a", &[("x-scope", asked)]) };
    let touched = policy.touch(&facts);
    assert_eq!((touched.len(), &touched[0].scopes, touched[0].told), (1, &scopes(exercised), told));
}

#[test]
fn a_connection_takes_no_route_and_exercises_what_is_hinted_at() {
    let hints = Hints { scopes: scopes("admin:x"), ..Hints::default() };
    let facts = RequestFacts::of_connection(None, Peer::default(), Metadata::default(), hints, Host::unknown());
    let policy = policy(vec![route("all", "/{*rest}")]);
    assert_eq!(taken(&policy, &facts), ["-"]);
    assert_eq!(policy.touch(&facts)[0].scopes, scopes("admin:x"));
}
