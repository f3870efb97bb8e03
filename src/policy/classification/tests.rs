//! How sensitive a request is and why it is privileged, and that the strictest of all ways to take it counts.

use super::*;
use crate::policy::tests::samples::{
    condition, glob, identity, method, name, policy, request, request_with, route, scopes, selector,
};
use crate::policy::{Effect, Floor, Floors, Kind, LevelId, Unmatched, When};
use crate::request::{AskedIn, Hints};
use rstest::rstest;

fn classify(policy: &Policy, facts: &RequestFacts, identity: Option<&Identity>) -> Classification {
    let baseline = identity.and_then(|identity| identity.baseline.as_ref());
    let subject = Subject { identity, baseline, ..Subject::default() };
    policy.classify(&policy.touch(facts), facts, &subject).unwrap()
}

fn of_nobody(policy: &Policy, facts: &RequestFacts) -> Classification {
    classify(policy, facts, None)
}

fn exercising(text: &str) -> Policy {
    policy(vec![Route { scopes: scopes(text), ..route("a", "/a") }])
}

#[rstest]
#[case::nothing_special("read", None, "", &[])]
#[case::catalogue("read admin:x", None, "admin:x", &[PrivilegeReason::Catalogue])]
#[case::within("read write", Some(&["read", "w*"][..]), "", &[])]
#[case::one_of_them_outside("read write", Some(&["read"][..]), "write", &[PrivilegeReason::OutsideBaseline])]
#[case::all_outside("read write", Some(&[][..]), "read write", &[PrivilegeReason::OutsideBaseline])]
#[case::elevated_and_normal("admin:x", Some(&["admin:*"][..]), "admin:x", &[PrivilegeReason::Catalogue])]
#[case::both("admin:x read", Some(&["admin:*"][..]), "admin:x read", &[PrivilegeReason::Catalogue, PrivilegeReason::OutsideBaseline])]
#[case::no_scopes("", Some(&[][..]), "", &[])]
fn each_scope_is_elevated_by_the_catalogue_or_outside_the_baseline(
    #[case] exercised: &str,
    #[case] baseline: Option<&[&str]>,
    #[case] elevated: &str,
    #[case] reasons: &[PrivilegeReason],
) {
    let identity = identity(baseline);
    let class = classify(&exercising(exercised), &request("/a"), Some(&identity));
    assert_eq!((&class.elevated, class.privilege_reasons.as_slice()), (&scopes(elevated), reasons));
    let privilege = if reasons.is_empty() { Privilege::Standard } else { Privilege::Elevated };
    assert_eq!(class.privilege, privilege);
}

#[rstest]
#[case(Unmatched::Sensitivity(Sensitivity::Low), Sensitivity::Low)]
#[case(Unmatched::default(), Sensitivity::High)]
#[case(Unmatched::Deny, Sensitivity::Critical)]
fn what_no_route_names_is_elevated(#[case] unmatched: Unmatched, #[case] sensitivity: Sensitivity) {
    let class = of_nobody(&Policy { unmatched, ..policy(Vec::new()) }, &request("/a"));
    assert_eq!((class.route, class.sensitivity), (None, sensitivity));
    assert_eq!(class.privilege_reasons, [PrivilegeReason::Unmatched]);
}

#[rstest]
#[case(Some("read"), "", &[])]
#[case(Some("admin:x"), "admin:x", &[PrivilegeReason::Catalogue])]
#[case::whoever_asks_picks_the_letters(Some("Admin:X"), "Admin:X", &[PrivilegeReason::Catalogue])]
#[case(Some("read,admin:x"), "", &[PrivilegeReason::Unreadable])]
#[case(None, "", &[PrivilegeReason::Unreadable])]
fn an_issuing_call_is_judged_by_what_it_asks_for(
    #[case] asked: Option<&str>,
    #[case] elevated: &str,
    #[case] reasons: &[PrivilegeReason],
) {
    let policy = policy(vec![Route { issues: Some(AskedIn::Header("x-scope".into())), ..route("a", "/a") }]);
    let header = asked.map(|asked| ("x-scope", Some(asked)));
    let class = of_nobody(&policy, &request_with("/a", header.as_slice()));
    assert_eq!((&class.elevated, class.privilege_reasons.as_slice()), (&scopes(elevated), reasons));
}

#[rstest]
#[case::none(&[], Sensitivity::Moderate, &[])]
#[case::lower(&[("stepgate.sensitivity", "low")], Sensitivity::Moderate, &[])]
#[case::higher(&[("stepgate.sensitivity", "critical")], Sensitivity::Critical, &[])]
#[case::a_scope(&[("stepgate.scopes", "read")], Sensitivity::Moderate, &[])]
#[case::an_elevated_scope(&[("stepgate.scopes", "admin:x")], Sensitivity::Moderate, &[PrivilegeReason::Catalogue])]
#[case::a_typo(&[("stepgate.sensitivity", "lo")], Sensitivity::Critical, &[PrivilegeReason::Unreadable])]
fn hints_raise_and_never_lower(
    #[case] hints: &[(&str, &str)],
    #[case] sensitivity: Sensitivity,
    #[case] reasons: &[PrivilegeReason],
) {
    let policy = policy(vec![Route { sensitivity: Sensitivity::Moderate, ..route("a", "/a") }]);
    let facts = RequestFacts { hints: Hints::read(hints.iter().copied()), ..request("/a") };
    let class = of_nobody(&policy, &facts);
    assert_eq!((class.sensitivity, class.privilege_reasons.as_slice()), (sensitivity, reasons));
}

#[rstest]
#[case(Sensitivity::Low, Sensitivity::Moderate)]
#[case(Sensitivity::Critical, Sensitivity::Critical)]
fn a_floor_raises_and_never_lowers(#[case] floor: Sensitivity, #[case] sensitivity: Sensitivity) {
    let floors = Floors::new(vec![Floor { owner: None, selector: selector("/{*rest}"), sensitivity: floor }]);
    let routes = vec![Route { sensitivity: Sensitivity::Moderate, ..route("a", "/a") }];
    let class = of_nobody(&Policy { floors, ..policy(routes) }, &request("/a"));
    assert_eq!(class.sensitivity, sensitivity);
}

fn rule(named: &str, routes: &str, effect: Effect, mode: Mode) -> Rule {
    let when = When { routes: vec![glob(routes)], ..When::default() };
    Rule { name: name(named), owner: None, when, effect, mode, controls: Vec::new() }
}

fn require(level: usize) -> Effect {
    Effect::Require(LevelId(level))
}

fn deny(reason: &str) -> Effect {
    Effect::Deny(name(reason))
}

#[test]
fn the_strictest_rule_counts_and_all_that_matched_are_told() {
    let rules = vec![
        rule("bound", "a", require(1), Mode::Enforce),
        rule("fresh", "*", require(0), Mode::Enforce),
        rule("others", "b", deny("closed"), Mode::Enforce),
        rule("watched", "a", deny("closed"), Mode::Shadow),
    ];
    let policy = Policy { rules, ..policy(vec![route("a", "/a")]) };
    let class = of_nobody(&policy, &request("/a"));
    assert_eq!(class.requirement, Requirement::Assurance(LevelId(1)));
    assert_eq!(class.shadow_requirement, Requirement::Refusal(name("closed")));
    assert_eq!((class.rules, class.shadow_rules), (vec![RuleId(0), RuleId(1)], vec![RuleId(3)]));
}

#[rstest]
#[case(require(0), require(1), "b")]
#[case(require(1), require(0), "a")]
#[case(require(1), deny("closed"), "b")]
#[case::the_first_where_none_is_stricter(require(1), require(1), "a")]
fn the_strictest_reading_is_what_the_request_is(#[case] of_a: Effect, #[case] of_b: Effect, #[case] strictest: &str) {
    let rules = vec![rule("on-a", "a", of_a, Mode::Enforce), rule("on-b", "b", of_b, Mode::Enforce)];
    let policy = Policy { rules, ..policy(vec![route("a", "/x/{*rest}"), route("b", "/b")]) };
    let class = of_nobody(&policy, &request("/x/../b"));
    let names: Vec<_> =
        class.touched().map(|id| id.and_then(|id| policy.routes.get(id)).unwrap().name.to_string()).collect();
    assert_eq!((names.len(), names[0].as_str()), (2, strictest));
    assert_eq!(class.rules, [RuleId(0), RuleId(1)], "rules of all readings are told");
}

#[test]
fn what_no_rule_tells_apart_is_the_more_sensitive_and_then_the_more_privileged() {
    let named = |second: Route| {
        let policy = policy(vec![route("a", "/x/{*rest}"), second]);
        let class = of_nobody(&policy, &request("/x/../b"));
        class.route.and_then(|id| policy.routes.get(id)).unwrap().name.to_string()
    };
    assert_eq!(named(route("b", "/b")), "a");
    assert_eq!(named(Route { sensitivity: Sensitivity::Moderate, ..route("b", "/b") }), "b");
    assert_eq!(named(Route { scopes: scopes("admin:x"), ..route("b", "/b") }), "b");
}

#[test]
fn rules_look_at_the_method_of_each_reading() {
    let when = When { methods: vec![method("DELETE")], ..When::default() };
    let deletes = Rule { when, ..rule("deletes", "*", deny("closed"), Mode::Enforce) };
    let policy = Policy { rules: vec![deletes], ..policy(vec![route("a", "/a")]) };
    assert_eq!(of_nobody(&policy, &request("/a")).requirement, Requirement::Nothing);
    let overridden = request_with("/a", &[("x-http-method-override", Some("delete"))]);
    assert_eq!(of_nobody(&policy, &overridden).requirement, Requirement::Refusal(name("closed")));
}

#[test]
fn a_teams_rule_does_not_reach_what_the_core_took() {
    let team = || Some(name("payments"));
    let routes = vec![route("core", "/a/{*rest}"), Route { owner: team(), ..route("team", "/a/b") }];
    let rules = vec![Rule { owner: team(), ..rule("own", "*", require(0), Mode::Enforce) }];
    let policy = Policy { rules, ..policy(routes) };
    assert_eq!(of_nobody(&policy, &request("/a/b")).requirement, Requirement::Assurance(LevelId(0)));
    assert_eq!(of_nobody(&policy, &request("/a/c")).requirement, Requirement::Nothing);
    assert_eq!(of_nobody(&policy, &request("/elsewhere")).requirement, Requirement::Nothing);
}

#[test]
fn a_rule_looks_at_headers_and_kinds_of_the_call() {
    let when = When { kinds: vec![Kind::Agent], headers: vec![condition("x-a", &["1"])], ..When::default() };
    let rules = vec![Rule { when, ..rule("agents", "*", deny("closed"), Mode::Enforce) }];
    let policy = Policy { rules, ..policy(vec![route("a", "/a")]) };
    let agent = Identity { kind: Some(Kind::Agent), ..identity(None) };
    let facts = request_with("/a", &[("x-a", Some("1"))]);
    assert_eq!(classify(&policy, &facts, Some(&agent)).requirement, Requirement::Refusal(name("closed")));
    assert_eq!(classify(&policy, &facts, Some(&identity(None))).requirement, Requirement::Nothing);
    assert_eq!(classify(&policy, &request("/a"), Some(&agent)).requirement, Requirement::Nothing);
}
