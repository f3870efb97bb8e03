//! Routes of MCP calls, routes that issue privilege, floors, and how paths are read.

use crate::support::{Folder, changed};
use rstest::rstest;
use stepgate::config::Code;
use stepgate::policy::Sensitivity;
use stepgate::request::AskedIn;

/// A name, and what is changed in the good policy.
pub(crate) const CASES: &[(&str, &str)] = &[
    ("bad_mcp", BAD_MCP),
    ("same_mcp_call", SAME_MCP_CALL),
    ("bad_issues", BAD_ISSUES),
    ("anonymous_issues", ANONYMOUS_ISSUES),
    ("anonymous_under_a_floor", ANONYMOUS_UNDER_A_FLOOR),
    ("bad_floors", BAD_FLOORS),
    ("below_its_floor", BELOW_ITS_FLOOR),
    ("bad_paths", "paths: { ambiguous: allow, ignore_case: yes, case: low }"),
    ("same_selector_without_case", SAME_WITHOUT_CASE),
    ("narrowed_by_more_headers_than_a_call", NARROWED_CALL),
    ("narrowed_out_of_a_rule", NARROWED_OUT_OF_A_RULE),
    ("narrowed_out_of_issuing", NARROWED_OUT_OF_ISSUING),
    ("bad_tests", "tests:\n  - { name: a, at: now, request: {}, expct: {} }\n  - b"),
];

const BAD_MCP: &str = r#"
routes:
  - { name: a, match: { path: /mcp, mcp: {} }, sensitivity: low }
  - { name: b, match: { path: /mcp, mcp: { method: tools/list, tools: [x] } }, sensitivity: low }
  - { name: c, match: { path: /mcp, mcp: { method: "tools call", tools: [], tool: x } }, sensitivity: low }
"#;

const SAME_MCP_CALL: &str = r#"
routes:
  - { name: a, match: { path: /mcp, mcp: { method: tools/call, tools: ["delete_*", x] } }, sensitivity: low }
  - { name: b, match: { path: /mcp, mcp: { method: tools/call, tools: [x, "delete_**"] } }, sensitivity: low }
  - { name: c, match: { path: /mcp, mcp: { method: tools/call } }, sensitivity: low }
"#;

const BAD_ISSUES: &str = r#"
routes:
  - { name: a, match: { path: /a }, sensitivity: high, issues: {} }
  - { name: b, match: { path: /b }, sensitivity: high, issues: { scopes: {} } }
  - { name: c, match: { path: /c }, sensitivity: high, issues: { scopes: { form: scope, query: scope } } }
  - { name: d, match: { path: /d }, sensitivity: high, issues: { scopes: { form: "" } } }
  - { name: e, match: { path: /e }, sensitivity: high, issues: { scopes: { json: scope } } }
  - { name: f, match: { path: /f }, sensitivity: high, issues: { scopes: { header: "x y" } } }
  - { name: g, match: { path: /g }, sensitivity: high, issues: true }
"#;

const ANONYMOUS_ISSUES: &str = r"
routes:
  - { name: a, match: { path: /a }, sensitivity: low, anonymous: true, issues: { scopes: { form: scope } } }
";

const ANONYMOUS_UNDER_A_FLOOR: &str = r#"
routes:
  - { name: catch-all, match: { path: "/{*rest}" }, sensitivity: low, anonymous: true }
  - { name: below, match: { path: /Admin/users }, sensitivity: moderate, anonymous: true }
  - { name: elsewhere, match: { path: /administrator }, sensitivity: low, anonymous: true }
floors:
  - { match: { path: "/admin/{*rest}" }, sensitivity: high }
  - { match: { path: "/administrator" }, sensitivity: moderate }
"#;

const BAD_FLOORS: &str = r"
floors:
  - { match: { path: admin, mcp: { method: tools/call } } }
  - { sensitivity: hihg }
  - { name: a, match: { path: /a }, sensitivity: high }
";

const BELOW_ITS_FLOOR: &str = r#"
routes:
  - { name: users, match: { hosts: [a.internal], methods: [GET], path: "/admin/users/{id}" }, sensitivity: low }
  - { name: wide, match: { path: "/{*rest}" }, sensitivity: low }
floors:
  - { match: { path: "/admin/{*rest}" }, sensitivity: moderate }
  - { match: { hosts: ["*.internal"], methods: [GET, PUT], path: "/Admin/{*rest}" }, sensitivity: critical }
  - { match: { hosts: [b.internal], path: "/admin/{*rest}" }, sensitivity: critical }
"#;

const SAME_WITHOUT_CASE: &str = r#"
paths: { ignore_case: true }
routes:
  - { name: a, match: { path: "/Users/{id}" }, sensitivity: low }
  - { name: b, match: { path: "/users/{name}" }, sensitivity: low }
  - { name: c, match: { path: "/USERS/{name}", headers: { x-v: ["1"] } }, sensitivity: low, anonymous: true }
"#;

/// The more conditions, the narrower, and the tools of a call are one too.
const NARROWED_CALL: &str = r#"
routes:
  - { name: delete, match: { path: /mcp, mcp: { method: tools/call, tools: ["delete_*"] } }, sensitivity: critical }
  - { name: lax, match: { path: /mcp, headers: { x-a: ["1"], x-b: ["1"], x-c: ["1"] } }, sensitivity: low }
"#;

const NARROWED_OUT_OF_A_RULE: &str = r#"
routes:
  - { name: wide, match: { path: /x }, sensitivity: high }
  - { name: narrow, match: { path: /x, headers: { x-v: ["1"] } }, sensitivity: high }
rules:
  - { name: by-name, when: { routes: [wide] }, require: fresh }
  - { name: only-watched, when: { routes: [wide] }, require: bound, mode: shadow }
scopes: gone
"#;

const NARROWED_OUT_OF_ISSUING: &str = r#"
routes:
  - { name: wide, match: { path: /x }, sensitivity: high, issues: { scopes: { form: scope } } }
  - { name: narrow, match: { path: /x, headers: { x-v: ["1"] } }, sensitivity: high, issues: { scopes: { query: scope } } }
"#;

fn codes(change: &str) -> Vec<Code> {
    let loaded = Folder::with(&changed(change)).load();
    loaded.map_or_else(|problems| problems, |loaded| loaded.warnings).iter().map(|problem| problem.code).collect()
}

#[rstest]
#[case("form: scope", |asked: &AskedIn| matches!(asked, AskedIn::Form(name) if &**name == "scope"))]
#[case("json: /scope", |asked: &AskedIn| matches!(asked, AskedIn::Json(_)))]
#[case("query: scope", |asked: &AskedIn| matches!(asked, AskedIn::Query(name) if &**name == "scope"))]
#[case("header: X-Scope", |asked: &AskedIn| matches!(asked, AskedIn::Header(name) if &**name == "x-scope"))]
fn an_issuing_route_says_where_scopes_are_asked_for(#[case] place: &str, #[case] expected: fn(&AskedIn) -> bool) {
    let route = format!("{{ name: a, match: {{ path: /a }}, sensitivity: high, issues: {{ scopes: {{ {place} }} }} }}");
    let policy = Folder::with(&changed(&format!("routes:\n  - {route}\n"))).load().unwrap().policy;
    let (_, route) = policy.routes.iter().next().unwrap();
    assert!(expected(route.issues.as_ref().unwrap()));
}

/// Envoy reads the call, and no caller chooses it apart from the tool that runs.
#[test]
fn a_route_of_one_call_may_be_laxer_than_that_of_all() {
    let routes = r#"
routes:
  - { name: any, match: { path: /mcp }, sensitivity: critical }
  - { name: read, match: { path: /mcp, mcp: { method: tools/call, tools: ["read_*"] } }, sensitivity: low }
  - { name: read-v2, match: { path: /mcp, mcp: { method: tools/call, tools: ["read_*"] }, headers: { x-v: ["2"] } }, sensitivity: low }
  - { name: list, match: { path: /mcp, mcp: { method: tools/list } }, sensitivity: low }
scopes: gone
"#;
    assert_eq!(codes(routes), []);
}

/// Without the header the call is on the route of all, so that it is the header that makes the difference.
#[rstest]
#[case::no_route_of_the_call("mcp: { method: tools/list }", true)]
#[case::of_the_call("mcp: { method: tools/call, tools: [\"read_*\"] }", false)]
#[case::of_every_tool("mcp: { method: tools/call }", false)]
#[case::of_the_call_by_one_method("methods: [PUT], mcp: { method: tools/call, tools: [\"read_*\"] }", true)]
fn headers_beside_a_call_are_weighed_as_headers(#[case] between: &str, #[case] refused: bool) {
    let routes = format!(
        r#"
routes:
  - {{ name: any, match: {{ path: /mcp }}, sensitivity: critical }}
  - {{ name: between, match: {{ path: /mcp, {between} }}, sensitivity: low }}
  - {{ name: read-v2, match: {{ path: /mcp, mcp: {{ method: tools/call, tools: ["read_*"] }}, headers: {{ x-v: ["2"] }} }}, sensitivity: low }}
scopes: gone
"#
    );
    assert_eq!(codes(&routes).contains(&Code::LaxerNarrowing), refused);
}

#[rstest]
#[case::fewer_headers("headers: { x-a: [\"1\"], x-b: [\"1\"] }", "headers: { x-c: [\"1\"] }", true)]
#[case::values_apart("headers: { x-a: [\"1\"], x-b: [\"1\"] }", "headers: { x-a: [\"2\"] }", false)]
#[case::calls_apart(
    "headers: { x-a: [\"1\"] }, mcp: { method: tools/call, tools: [\"read_*\"] }",
    "mcp: { method: tools/call, tools: [\"delete_*\"] }",
    false
)]
#[case::calls_of_another_method(
    "headers: { x-a: [\"1\"] }, mcp: { method: tools/list }",
    "mcp: { method: tools/call, tools: [\"delete_*\"] }",
    false
)]
#[case::calls_in_common(
    "headers: { x-a: [\"1\"] }, mcp: { method: tools/call, tools: [\"*_all\"] }",
    "mcp: { method: tools/call, tools: [\"delete_*\"] }",
    true
)]
#[case::only_the_call("headers: { x-a: [\"1\"] }, mcp: { method: tools/list }", "headers: { x-a: [\"1\"] }", false)]
#[case::as_many_and_a_method("methods: [POST], headers: { x-a: [\"1\"] }", "headers: { x-c: [\"1\"] }", true)]
#[case::as_many_as_a_call("methods: [POST], headers: { x-a: [\"1\"] }", "mcp: { method: tools/list }", true)]
#[case::as_many_and_the_stricter_counts("headers: { x-a: [\"1\"] }", "headers: { x-c: [\"1\"] }", false)]
#[case::other_methods("methods: [GET], headers: { x-a: [\"1\"] }", "methods: [PUT], headers: { x-c: [\"1\"] }", false)]
fn whoever_can_add_headers_must_not_gain(#[case] narrow: &str, #[case] wide: &str, #[case] refused: bool) {
    let route = |name: &str, narrowed: &str, sensitivity: &str| {
        format!("  - {{ name: {name}, match: {{ path: /mcp, {narrowed} }}, sensitivity: {sensitivity} }}\n")
    };
    let routes = route("narrow", narrow, "low") + &route("wide", wide, "critical");
    assert_eq!(codes(&format!("routes:\n{routes}scopes: gone")).contains(&Code::LaxerNarrowing), refused);
}

/// What of two such routes counts hangs on their names then, and names know nothing of privilege.
#[test]
fn of_two_routes_with_as_many_headers_the_first_must_exercise_what_the_other_does() {
    let routes = r#"
routes:
  - { name: b, match: { path: /x, headers: { x-a: ["1"] } }, sensitivity: critical, scopes: [admin:wipe] }
  - { name: LAX, match: { path: /x, headers: { x-b: ["1"] } }, sensitivity: critical }
scopes: { elevated: ["admin:*"] }
"#;
    for (lax, refused) in [("a", true), ("c", false)] {
        assert_eq!(codes(&routes.replace("LAX", lax)).contains(&Code::LaxerNarrowing), refused, "{lax}");
    }
}

#[rstest]
#[case::as_sent("/open", "/open", true)]
#[case::case_of_the_route("/Open", "/open", true)]
#[case::case_of_the_floor("/open", "/OPEN", true)]
#[case::slash_of_the_route("/open/", "/open", true)]
#[case::slash_of_the_floor("/open", "/open/", true)]
#[case::a_parameter("/open/{x}", "/{y}/x", true)]
#[case::a_rest("/open/{*rest}", "/open/a/b/{c}", true)]
#[case::all_below("/open", "/{*rest}", true)]
#[case::beside("/open", "/opened", false)]
#[case::below("/open", "/open/{x}", false)]
#[case::above("/open/{x}", "/open", false)]
#[case::not_empty("/open/{x}", "/open/", false)]
fn whoever_is_nobody_stays_below_no_floor(#[case] route: &str, #[case] floor: &str, #[case] refused: bool) {
    let change = format!(
        "routes:\n  - {{ name: a, match: {{ path: \"{route}\" }}, sensitivity: low, anonymous: true }}\nfloors:\n  - {{ match: {{ path: \"{floor}\" }}, sensitivity: high }}\nscopes: gone"
    );
    assert_eq!(codes(&change).contains(&Code::AnonymousSensitive), refused);
}

#[rstest]
#[case::hosts("hosts: [a.example]", "hosts: [b.example]", false)]
#[case::a_host_below("hosts: [a.example]", "hosts: [\"*.example\"]", true)]
#[case::any_host("hosts: [a.example]", "methods: [GET]", true)]
#[case::methods("methods: [GET]", "methods: [POST]", false)]
#[case::a_method("methods: [GET, PUT]", "methods: [PUT, POST]", true)]
#[case::headers_may_stand_twice("headers: { x-a: [\"1\"] }", "headers: { x-a: [\"2\"] }", true)]
fn a_floor_reaches_where_in_doubt(#[case] route: &str, #[case] floor: &str, #[case] refused: bool) {
    let change = format!(
        "routes:\n  - {{ name: a, match: {{ path: /a, {route} }}, sensitivity: low, anonymous: true }}\nfloors:\n  - {{ match: {{ path: /a, {floor} }}, sensitivity: high }}\nscopes: gone"
    );
    assert_eq!(codes(&change).contains(&Code::AnonymousSensitive), refused);
}

#[test]
fn floors_are_read_and_counted() {
    let change = "floors:\n  - { match: { hosts: [b.example, a.example], methods: [GET], path: \"/admin/{*rest}\", headers: { X-A: [\"1\"] } }, sensitivity: critical }";
    let folder = Folder::with(&changed(change));
    let policy = folder.load().unwrap().policy;
    let floor = policy.floors.iter().next().unwrap();
    assert_eq!((floor.sensitivity, &floor.owner), (Sensitivity::Critical, &None));
    assert_eq!((floor.selector.hosts.len(), &*floor.selector.headers[0].name), (2, "x-a"));
    let output = folder.check(&["--strict", "policy.yaml"]);
    assert!(crate::support::stderr(&output).ends_with("2 assurance levels, 1 floor\n"));
}

#[rstest]
#[case("paths: { ambiguous: refuse, ignore_case: true }", true)]
#[case("paths: { ambiguous: judge }", false)]
#[case("paths: {}", false)]
fn ambiguous_paths_are_refused_where_the_policy_says_so(#[case] paths: &str, #[case] refused: bool) {
    assert_eq!(Folder::with(&changed(paths)).load().unwrap().policy.refuse_ambiguous, refused);
}

#[test]
fn tests_may_stand_in_a_policy() {
    let test = "{ name: a, request: { method: GET, host: h, path: /a }, expect: { decision: deny, route: unmatched } }";
    assert_eq!(codes(&format!("tests:\n  - {test}")), []);
    let loaded = Folder::with(&changed(&format!("tests:\n  - {test}"))).load().unwrap();
    assert_eq!(loaded.tests.iter().map(|test| &*test.name).collect::<Vec<_>>(), ["a"]);
}
