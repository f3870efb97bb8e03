//! Conditions of rules, and what of them is refused or warned about.

use crate::support::{Folder, changed};
use rstest::rstest;
use stepgate::config::Code;
use stepgate::policy::{Effect, Kind, Mode};

/// A name, and what is changed in the good policy.
pub(crate) const CASES: &[(&str, &str)] = &[
    ("bad_conditions", BAD_CONDITIONS),
    (
        "claim_names_that_are_no_pointers",
        "rules:\n  - { name: a, when: { claims: { /a~2: [a], /a/b~1c: [a], //a: [a] } }, require: fresh }",
    ),
    (
        "rule_of_an_unknown_signal",
        "rules:\n  - { name: a, when: { sensitivity: high, signals: [new_netwrok] }, require: fresh }",
    ),
    ("anomaly_alone", "rules:\n  - { name: a, when: { anomaly: 50 }, require: fresh }"),
    ("anomaly_alone_with_a_caller", ALONE_WITH_A_CALLER),
    ("signals_alone", "rules:\n  - { name: a, when: { signals: [new_country] }, require: fresh }"),
    ("anomaly_refuses", "rules:\n  - { name: a, when: { sensitivity: high, anomaly: 50 }, deny: odd }"),
    ("anomaly_alone_refuses", "rules:\n  - { name: a, when: { anomaly: 50 }, deny: odd }"),
    ("anomaly_decides", ANOMALY_DECIDES),
    (
        "no_such_route",
        "rules:\n  - { name: a, when: { routes: [\"admin-*\", raed, refund, \"un*\"] }, require: fresh }",
    ),
];

const BAD_CONDITIONS: &str = r#"
rules:
  - { name: a, when: { privilege: elevatd, issues: 1, kinds: [agnet], routes: [""], methods: [get] }, require: fresh }
  - { name: b, when: { sensitivity: high, anomaly: 0, kinds: [], headers: { x-a: [] } }, require: fresh }
  - { name: c, when: { sensitivity: high, anomaly: high }, require: fresh }
  - { name: d, when: { sensitivity: high, anomaly: 101 }, require: fresh }
  - { name: e, when: { sensitivity: high, anomaly: 1.5 }, require: fresh }
  - { name: f, when: { claims: { groups: ["", "a\tb"], "": [a], role: admin, level: [5] } }, require: fresh }
  - { name: g, when: { sensitivity: high, weather: [bad] }, mode: shadwo, require: fresh }
"#;

const ALONE_WITH_A_CALLER: &str = r#"
rules:
  - name: a
    when: { anomaly: 50, kinds: [agent], methods: [POST], headers: { x-a: ["1"] }, claims: { team: [ops] } }
    require: fresh
"#;

const ANOMALY_DECIDES: &str = r#"
rules:
  - { name: low, when: { sensitivity: low, anomaly: 50 }, require: fresh }
  - { name: star, when: { routes: ["*"], kinds: [agent], anomaly: 50 }, require: fresh }
  - { name: bound, when: { sensitivity: low, routes: ["r*"], anomaly: 50 }, require: bound }
  - { name: elevated, when: { sensitivity: low, privilege: elevated, anomaly: 50 }, require: bound }
"#;

const EVERYTHING: &str = r#"
rules:
  - name: everything
    when:
      sensitivity: moderate
      privilege: standard
      issues: false
      anomaly: 50
      kinds: [shared, agent, agent]
      routes: ["re*", read]
      methods: [POST, GET]
      headers: { X-Api-Version: ["3", "2"] }
      claims: { team: [b, a], "https://example.com/roles": ["true"] }
    require: bound
    mode: shadow
  - { name: denied, when: { kinds: [legacy], claims: { azp: [old] } }, deny: legacy_identity }
"#;

#[test]
fn every_condition_is_read_in_one_order() {
    let policy = Folder::with(&changed(EVERYTHING)).load().unwrap().policy;
    let [denied, everything] = &*policy.rules else { panic!("{:?}", policy.rules) };
    insta::assert_debug_snapshot!("every_condition", everything);
    assert_eq!((everything.mode, denied.mode), (Mode::Shadow, Mode::Enforce));
    assert!(matches!(&denied.effect, Effect::Deny(reason) if reason.as_str() == "legacy_identity"));
    assert_eq!(denied.when.kinds, [Kind::Legacy]);
}

/// The places of signals hang on no order.
#[test]
fn signals_are_those_of_the_policy() {
    let context = r#"
context:
  custom:
    - { name: odd-client, points: 10, header: user-agent, matches: "curl/*" }
    - { name: break-glass, points: 50, header: x-break-glass, present: true }
  signals:
    outside_hours: { points: 20 }
    new_network: { points: 30 }
rules:
  - { name: a, when: { sensitivity: high, signals: [break-glass, new_network] }, require: fresh }
"#;
    let policy = Folder::with(&changed(context)).load().unwrap().policy;
    let Effect::RequireIf(joined, _) = policy.rules[0].effect else { panic!("{:?}", policy.rules) };
    let signals = joined.signals().unwrap();
    let names: Vec<_> = signals.iter().map(|id| policy.context.signals.get(id).unwrap().name.as_str()).collect();
    assert_eq!(names, ["new_network", "break-glass"]);
}

#[test]
fn tokens_are_asked_for_the_claims_that_rules_look_at() {
    let policy = Folder::with(&changed(EVERYTHING)).load().unwrap().policy;
    let claims: Vec<_> = policy.credentials.claims.iter().map(|claim| &**claim).collect();
    assert_eq!(claims, ["azp", "https://example.com/roles", "team"]);
}

#[test]
fn a_whole_policy_can_be_watched() {
    assert_eq!(Folder::with(&changed("mode: shadow")).load().unwrap().policy.mode, Mode::Shadow);
    assert_eq!(Folder::with(&changed("mode: gone")).load().unwrap().policy.mode, Mode::Enforce);
}

/// Each of the four says what is touched, or with how much privilege.
#[rstest]
#[case("sensitivity: moderate")]
#[case("privilege: standard")]
#[case("issues: true")]
#[case("routes: [refund]")]
fn what_is_unusual_may_be_joined_with_what_is_touched(#[case] condition: &str) {
    let rules = format!("rules:\n  - {{ name: a, when: {{ {condition}, anomaly: 1 }}, require: bound }}\nscopes: gone");
    let loaded = Folder::with(&changed(&rules)).load().unwrap();
    assert!(loaded.warnings.is_empty());
    assert!(matches!(loaded.policy.rules[0].effect, Effect::RequireIf(..)));
}

/// An attacker who may write rules, but not refuse or delay calls for what is unusual alone, tries every way around.
#[rstest]
#[case("anomaly: 1, kinds: [agent]", "require: fresh")]
#[case("anomaly: 1, headers: { host: [a] }", "require: fresh")]
#[case("anomaly: 1, routes: []", "require: fresh")]
#[case("anomaly: 1, sensitivity: null", "require: fresh")]
#[case("anomaly: 1, sensitivity: low, mode: x", "deny: odd")]
#[case("anomaly: null, sensitivity: low", "deny: odd")]
#[case("signals: [], privilege: elevated", "deny: odd")]
fn what_is_unusual_never_decides_alone(#[case] when: &str, #[case] effect: &str) {
    let rules = format!("rules:\n  - {{ name: a, when: {{ {when} }}, {effect} }}");
    assert!(Folder::with(&changed(&rules)).load().is_err());
}

#[test]
fn a_rule_in_a_policy_with_an_unreadable_file_is_not_said_to_name_nothing() {
    let folder = Folder::with(&changed("rules:\n  - { name: a, when: { routes: [elsewhere] }, require: fresh }"));
    folder.write("second.yaml", "routes: {\n");
    let codes: Vec<_> = folder.load().unwrap_err().iter().map(|problem| problem.code).collect();
    assert_eq!(codes, [Code::Syntax]);
}

#[rstest]
#[case::another_route("when: { privilege: elevated, routes: [read] }", true)]
#[case::its_route("when: { privilege: elevated, routes: [\"ref*\"] }", false)]
#[case::issuing_routes("when: { privilege: elevated, issues: true }", true)]
#[case::other_methods("when: { privilege: elevated, methods: [GET] }", true)]
#[case::only_watched("when: { privilege: elevated }, mode: shadow", true)]
#[case::only_agents("when: { privilege: elevated, kinds: [agent] }", false)]
#[case::only_when_unusual("when: { privilege: elevated, anomaly: 50 }", false)]
fn an_elevated_scope_wants_a_rule_that_its_route_can_match(#[case] rule: &str, #[case] warned: bool) {
    let scopes = "scopes:\n  elevated: [\"payments:refund\"]\n";
    let rules = format!("{scopes}rules:\n  - {{ name: a, require: bound, {rule} }}");
    let codes: Vec<_> = Folder::with(&changed(&rules)).load().unwrap().warnings.iter().map(|p| p.code).collect();
    assert_eq!(codes.contains(&Code::UnreachedScope), warned, "{codes:?}");
}

#[rstest]
#[case("", true)]
#[case("floors:\n  - { match: { path: \"/v1/{*rest}\" }, sensitivity: critical }", false)]
fn a_floor_may_bring_a_scope_under_a_rule(#[case] floors: &str, #[case] warned: bool) {
    let rules = format!("rules:\n  - {{ name: a, when: {{ sensitivity: critical }}, require: bound }}\n{floors}");
    let codes: Vec<_> = Folder::with(&changed(&rules)).load().unwrap().warnings.iter().map(|p| p.code).collect();
    assert_eq!(codes.contains(&Code::UnreachedScope), warned, "{codes:?}");
}

#[test]
fn where_a_route_issues_privilege_any_scope_may_be_asked_for() {
    let routes =
        "routes:\n  - { name: token, match: { path: /token }, sensitivity: high, issues: { scopes: { form: scope } } }";
    let scopes = "scopes:\n  elevated: [never:named]";
    let warnings = Folder::with(&changed(&format!("{routes}\n{scopes}"))).load().unwrap().warnings;
    assert!(warnings.iter().all(|problem| problem.code != Code::UnreachedScope), "{warnings:?}");
}
