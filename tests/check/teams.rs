//! Files of teams: what they may hold, and where.

use crate::support::{Folder, changed, stderr};
use rstest::rstest;
use stepgate::config::Code;
use stepgate::policy::Name;

/// In one file, which shows the problems that need no second.
pub(crate) const CASES: &[(&str, &str)] = &[
    ("foreign_sections", "owner: team-a\nowners:\n  team-a: { paths: [\"/{*rest}\"] }\nweather: fine"),
    ("bad_owners", BAD_OWNERS),
    ("overlapping_spaces", OVERLAPPING),
];

const BAD_OWNERS: &str = r"
owners:
  team a: { hosts: [a.example] }
  team-b: {}
  team-c: { hosts: [], paths: [b], space: c }
  team-d: [/d]
";

const OVERLAPPING: &str = r#"
owners:
  team-a: { hosts: ["*.example"], paths: ["/v1/{*rest}"] }
  team-b: { hosts: [b.example], paths: [/v2, "/{version}/b"] }
  team-c: { hosts: [c.internal] }
  team-d: { paths: ["/d/{*rest}"] }
"#;

const OWNERS: &str = r#"
owners:
  team-payments: { hosts: [api.example.com, "*.pay.internal"], paths: ["/v1/payments/{*rest}", /v1/refunds] }
  team-users: { paths: ["/v1/users/{*rest}"] }
"#;

/// A core policy with teams, and files of theirs.
fn teams(files: &[(&str, &str)]) -> Folder {
    let folder = Folder::with(&changed(OWNERS));
    for (name, text) in files {
        folder.write(name, format!("version: 1\n{text}"));
    }
    folder
}

fn rendered(files: &[(&str, &str)]) -> String {
    let output = teams(files).check(&["."]);
    assert_eq!(output.status.code(), Some(3));
    stderr(&output)
}

fn codes(files: &[(&str, &str)]) -> Vec<Code> {
    let loaded = teams(files).load();
    loaded.map_or_else(|problems| problems, |loaded| loaded.warnings).iter().map(|problem| problem.code).collect()
}

const PAYMENTS: &str = r#"
owner: team-payments
routes:
  - { name: capture, match: { hosts: [api.example.com], methods: [POST], path: "/v1/payments/{id}/capture" }, sensitivity: moderate }
rules:
  - { name: captures, when: { sensitivity: moderate }, require: fresh }
floors:
  - { match: { hosts: [a.pay.internal], path: "/v1/payments/{*rest}" }, sensitivity: high }
tests: []
"#;

#[test]
fn what_a_teams_file_adds_is_that_teams() {
    let policy = teams(&[("payments.yaml", PAYMENTS)]).load().unwrap().policy;
    let team = Some(Name::parse("team-payments").unwrap());
    let owned: Vec<_> = policy.routes.iter().map(|(_, route)| (route.name.as_str(), route.owner == team)).collect();
    assert_eq!(owned, [("capture", true), ("read", false), ("refund", false)]);
    let owned: Vec<_> = policy.rules.iter().map(|rule| (rule.name.as_str(), rule.owner == team)).collect();
    assert_eq!(owned, [("captures", true), ("critical", false), ("elevated-on-sensitive", false)]);
    assert!(policy.floors.iter().all(|floor| floor.owner == team));
}

#[test]
fn a_team_may_have_many_files_and_none() {
    let second = "owner: team-payments\nroutes:\n  - { name: refunds, match: { hosts: [x.pay.internal], path: /v1/refunds }, sensitivity: low }";
    assert_eq!(codes(&[("payments.yaml", PAYMENTS), ("sub/more.yaml", second)]), []);
    assert_eq!(codes(&[]), []);
}

#[test]
fn what_a_teams_file_may_not_say_is_shown_where_it_stands() {
    let payments = r#"
owner: team-payments
mode: shadow
unmatched: { sensitivity: low }
issuers: {}
challenges: { per_minute: 1 }
routes:
  - { name: anywhere, match: { path: "/v1/payments/x" }, sensitivity: low }
  - { name: evil, match: { hosts: [evil.example, "*.pay.internal"], path: "/v1/payments/x" }, sensitivity: low }
  - { name: wide, match: { hosts: ["*.internal"], path: "/v1/{*rest}" }, sensitivity: low }
  - { name: slash, match: { hosts: [api.example.com], path: "/v1/refunds/" }, sensitivity: low }
  - { name: read, match: { hosts: [api.example.com], path: "/v1/payments/y" }, sensitivity: low }
floors:
  - { match: { path: "/v1/users/{id}" }, sensitivity: high }
"#;
    let users = "owner: team-user\nroutes:\n  - { name: users, match: { path: /anywhere }, sensitivity: low }\n";
    let text = rendered(&[("teams/payments.yaml", payments), ("teams/users.yaml", users)]);
    insta::assert_snapshot!("teams_out_of_bounds", text);
}

/// A route in nobody's space would be the core's to define.
#[rstest]
#[case::exact("hosts: [api.example.com], path: /v1/refunds", true)]
#[case::below_a_wildcard("hosts: [a.b.pay.internal], path: /v1/refunds", true)]
#[case::a_wildcard_below("hosts: [\"*.b.pay.internal\"], path: /v1/refunds", true)]
#[case::the_wildcard("hosts: [\"*.pay.internal\"], path: \"/v1/payments/{*all}\"", true)]
#[case::the_domain_itself("hosts: [pay.internal], path: /v1/refunds", false)]
#[case::a_look_alike("hosts: [evilpay.internal], path: /v1/refunds", false)]
#[case::one_of_two("hosts: [api.example.com, b.example.com], path: /v1/refunds", false)]
#[case::the_prefix("hosts: [api.example.com], path: /v1/payments", true)]
#[case::another_prefix("hosts: [api.example.com], path: /v1/paymentsx", false)]
#[case::a_parameter_for_a_literal("hosts: [api.example.com], path: \"/v1/{what}\"", false)]
#[case::a_rest_for_a_path("hosts: [api.example.com], path: \"/v1/refunds/{*rest}\"", false)]
#[case::another_case("hosts: [api.example.com], path: /V1/refunds", false)]
#[case::an_escaped_letter("hosts: [api.example.com], path: \"/v1/%72efunds\"", true)]
fn a_teams_route_lies_inside_its_space(#[case] selector: &str, #[case] inside: bool) {
    let file = format!("owner: team-payments\nroutes:\n  - {{ name: x, match: {{ {selector} }}, sensitivity: low }}");
    let expected: &[_] = if inside { &[] } else { &[Code::OutsideSpace] };
    assert_eq!(codes(&[("team.yaml", &file)]), expected);
}

#[test]
fn without_case_a_space_has_none_either() {
    let file = "owner: team-users\nroutes:\n  - { name: x, match: { path: /V1/Users/x }, sensitivity: low }";
    let folder = teams(&[("team.yaml", file)]);
    assert!(folder.load().is_err());
    folder.write("paths.yaml", "version: 1\npaths: { ignore_case: true }");
    assert!(folder.load().is_ok());
}

#[rstest]
#[case("{ hosts: [a.example] }", "{ hosts: [b.example] }", false)]
#[case("{ hosts: [a.example] }", "{ paths: [/b] }", true)]
#[case("{ hosts: [\"*.example\"] }", "{ hosts: [a.example] }", true)]
#[case("{ hosts: [\"*.a.example\"] }", "{ hosts: [\"*.example\"] }", true)]
#[case("{ paths: [/a] }", "{ paths: [/b] }", false)]
#[case("{ paths: [/a] }", "{ paths: [\"/{x}\"] }", true)]
#[case("{ paths: [/a] }", "{ paths: [/a/] }", true)]
#[case("{ paths: [/a] }", "{ paths: [/A] }", false)]
#[case("{ paths: [\"/a/{*rest}\"] }", "{ paths: [/a] }", true)]
#[case("{ paths: [\"/a/{*rest}\"] }", "{ paths: [\"/ab/{*rest}\"] }", false)]
#[case("{ hosts: [a.example], paths: [/a] }", "{ hosts: [b.example], paths: [/a] }", false)]
fn no_two_teams_may_name_one_request(#[case] one: &str, #[case] other: &str, #[case] refused: bool) {
    let change = format!("owners:\n  a: {one}\n  b: {other}");
    assert_eq!(Folder::with(&changed(&change)).load().is_err(), refused);
}

#[test]
fn a_teams_rule_that_names_no_route_of_its_own_is_warned_about() {
    let rules = "owner: team-payments\nrules:\n  - { name: others, when: { routes: [read, unmatched, \"cap*\"] }, deny: closed }\n";
    let found = codes(&[("payments.yaml", PAYMENTS), ("rules.yaml", rules)]);
    assert_eq!(found, [Code::NoSuchRoute, Code::NoSuchRoute]);
}

#[test]
fn a_teams_floor_raises_its_own_routes_only() {
    let team = |floor: &str| {
        format!(
            "owner: team-users\nroutes:\n  - {{ name: open, match: {{ path: /v1/users/me }}, sensitivity: low, anonymous: true }}\nfloors:\n  - {{ match: {{ path: \"{floor}\" }}, sensitivity: high }}"
        )
    };
    assert_eq!(codes(&[("team.yaml", &team("/v1/users/{id}"))]), [Code::BelowFloor, Code::AnonymousSensitive]);
    let core = "routes:\n  - { name: open-core, match: { path: /v1/users/you }, sensitivity: low, anonymous: true }";
    assert_eq!(codes(&[("core.yaml", core), ("team.yaml", &team("/v1/users/you"))]), []);
}

#[test]
fn an_owner_may_be_defined_in_a_file_that_cannot_be_read() {
    let folder = Folder::with(&changed("unmatched: gone"));
    folder.write("team.yaml", "version: 1\nowner: team-x\nrules: []");
    folder.write("owners.yaml", "owners: {\n");
    let codes: Vec<_> = folder.load().unwrap_err().iter().map(|problem| problem.code).collect();
    assert_eq!(codes, [Code::Syntax]);
}

/// Else a whole policy could be taken over by a team's file that nobody looks at twice.
#[rstest]
#[case("owner: team-payments\nowners:\n  team-payments: { paths: [\"/{*rest}\"] }")]
#[case("owner: team-payments\ncredentials: { leeway: 5m }")]
#[case("owner: team-payments\npaths: {}")]
#[case("owner: team-payments\ncontext: {}")]
#[case("owner: [team-payments]\nmode: shadow")]
#[case("owner:\nmode: shadow")]
#[case("owner: \"\"\nmode: shadow")]
fn a_teams_file_says_nothing_of_the_core(#[case] file: &str) {
    let found = codes(&[("team.yaml", file)]);
    assert!(found.contains(&Code::ForeignSection), "{found:?}");
}
