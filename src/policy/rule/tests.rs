//! Each condition of a rule alone, whose routes it speaks of, and how unusual a call must be for it.

use super::*;
use crate::attestation::{ClaimNames, Purpose, json};
use crate::context::SignalId;
use crate::policy::tests::samples::{condition, glob, headers, method, name, route, route_of};
use crate::request::AskedIn;
use rstest::rstest;

/// What a rule is held against.
struct Reading {
    route: Option<Route>,
    sensitivity: Sensitivity,
    privilege: Privilege,
    privilege_by_route: Privilege,
    method: Method,
    headers: Headers,
    kind: Option<Kind>,
    claims: Option<Claims>,
    unusual: Unusual,
}

impl Reading {
    /// Nobody reads a plain route of the core.
    fn plain() -> Self {
        Self {
            route: Some(route("refund", "/a")),
            sensitivity: Sensitivity::Low,
            privilege: Privilege::Standard,
            privilege_by_route: Privilege::Standard,
            method: method("GET"),
            headers: Headers::default(),
            kind: None,
            claims: None,
            unusual: Unusual::default(),
        }
    }

    fn check<'r>(&self, rule: &'r Rule) -> Result<(), Unmet<'r>> {
        rule.check(&Considered {
            route: self.route.as_ref(),
            sensitivity: self.sensitivity,
            privilege: self.privilege,
            privilege_by_route: self.privilege_by_route,
            method: &self.method,
            headers: &self.headers,
            kind: self.kind,
            claims: self.claims.as_ref(),
            unusual: self.unusual,
        })
    }
}

fn rule(when: When) -> Rule {
    let (name, effect) = (name("rule"), Effect::Require(LevelId(0)));
    Rule { name, owner: None, when, effect, mode: Mode::Enforce, controls: Vec::new() }
}

fn when() -> When {
    When::default()
}

fn met(holds: bool, otherwise: Unmet<'_>) -> Result<(), Unmet<'_>> {
    if holds { Ok(()) } else { Err(otherwise) }
}

#[test]
fn a_rule_without_conditions_is_about_everything() {
    let rule = rule(when());
    assert_eq!(Reading::plain().check(&rule), Ok(()));
    assert_eq!(Reading { route: None, ..Reading::plain() }.check(&rule), Ok(()));
}

#[rstest]
fn sensitivity_means_at_least(
    #[values(Sensitivity::Low, Sensitivity::Moderate, Sensitivity::High, Sensitivity::Critical)] least: Sensitivity,
    #[values(Sensitivity::Low, Sensitivity::Moderate, Sensitivity::High, Sensitivity::Critical)]
    sensitivity: Sensitivity,
) {
    let rule = rule(When { sensitivity: Some(least), ..when() });
    let expected = met(sensitivity >= least, Unmet::Sensitivity);
    assert_eq!(Reading { sensitivity, ..Reading::plain() }.check(&rule), expected);
}

#[rstest]
#[case(Privilege::Standard, Privilege::Standard, Privilege::Standard, true)]
#[case(Privilege::Standard, Privilege::Elevated, Privilege::Elevated, false)]
#[case(Privilege::Elevated, Privilege::Elevated, Privilege::Elevated, true)]
#[case(Privilege::Elevated, Privilege::Standard, Privilege::Standard, false)]
// What a request adds to its route takes it out of nothing, and into what it asks for.
#[case(Privilege::Standard, Privilege::Standard, Privilege::Elevated, true)]
#[case(Privilege::Elevated, Privilege::Standard, Privilege::Elevated, true)]
fn privilege_means_exactly(
    #[case] own: Privilege,
    #[case] privilege_by_route: Privilege,
    #[case] privilege: Privilege,
    #[case] holds: bool,
) {
    let rule = rule(When { privilege: Some(own), ..when() });
    let reading = Reading { privilege, privilege_by_route, ..Reading::plain() };
    assert_eq!(reading.check(&rule), met(holds, Unmet::Privilege));
}

#[rstest]
#[case::none_takes_it(None, false)]
#[case::plain(Some(route("a", "/a")), false)]
#[case::issuing(Some(Route { issues: Some(AskedIn::Query("scope".into())), ..route("a", "/a") }), true)]
fn issues_means_what_the_route_does(
    #[case] route: Option<Route>,
    #[case] does: bool,
    #[values(true, false)] own: bool,
) {
    let rule = rule(When { issues: Some(own), ..when() });
    assert_eq!(Reading { route, ..Reading::plain() }.check(&rule), met(own == does, Unmet::Issues));
}

#[rstest]
#[case(&[Kind::Agent], Some(Kind::Agent), true)]
#[case(&[Kind::Agent, Kind::Ci], Some(Kind::Ci), true)]
#[case(&[Kind::Agent], Some(Kind::Ci), false)]
#[case::of_an_entry_that_says_none(&[Kind::Agent], None, false)]
#[case(&[], None, true)]
fn kinds_are_the_callers(#[case] kinds: &[Kind], #[case] kind: Option<Kind>, #[case] holds: bool) {
    let rule = rule(When { kinds: kinds.to_vec(), ..when() });
    assert_eq!(Reading { kind, ..Reading::plain() }.check(&rule), met(holds, Unmet::Kind));
}

#[rstest]
#[case(&["refund"], Some("refund"), true)]
#[case(&["re*", "admin-*"], Some("refund"), true)]
#[case(&["admin-*", "refund"], Some("refund"), true)]
#[case(&["Refund"], Some("refund"), false)]
#[case(&["refund"], Some("refunds"), false)]
#[case(&["unmatched"], None, true)]
#[case(&["*"], None, true)]
#[case(&["refund"], None, false)]
fn routes_are_globs_over_names(#[case] globs: &[&str], #[case] named: Option<&str>, #[case] holds: bool) {
    let rule = rule(When { routes: globs.iter().map(|text| glob(text)).collect(), ..when() });
    let reading = Reading { route: named.map(|named| route(named, "/a")), ..Reading::plain() };
    assert_eq!(reading.check(&rule), met(holds, Unmet::Route));
}

#[rstest]
#[case(&["GET"], "GET", true)]
#[case(&["POST", "GET"], "GET", true)]
#[case(&["POST"], "GET", false)]
#[case::another_reading(&["GET"], "get", false)]
#[case(&[], "GET", true)]
fn methods_are_the_readings(#[case] methods: &[&str], #[case] own: &str, #[case] holds: bool) {
    let rule = rule(When { methods: methods.iter().map(|text| method(text)).collect(), ..when() });
    assert_eq!(Reading { method: method(own), ..Reading::plain() }.check(&rule), met(holds, Unmet::Method));
}

#[rstest]
#[case(&[("x-a", Some("1"))], true)]
#[case(&[("x-a", Some("2"))], true)]
#[case(&[("x-a", Some("3"))], false)]
#[case(&[("x-b", Some("1"))], false)]
#[case::joined(&[("x-a", Some("3,1"))], true)]
#[case::twice(&[("x-a", Some("3")), ("x-a", Some("3"))], true)]
#[case::no_text(&[("x-a", None)], true)]
fn headers_count_also_where_they_are_doubtful(#[case] pairs: &[(&str, Option<&str>)], #[case] holds: bool) {
    let own = condition("x-a", &["1", "2"]);
    let rule = rule(When { headers: vec![own.clone()], ..when() });
    let reading = Reading { headers: headers(pairs), ..Reading::plain() };
    assert_eq!(reading.check(&rule), met(holds, Unmet::Header(&own)));
}

#[rstest]
#[case(Some(r#"{"env":"prod"}"#), true)]
#[case(Some(r#"{"env":["test","prod"]}"#), true)]
#[case(Some(r#"{"env":"Prod"}"#), false)]
#[case(Some(r#"{"env":"test"}"#), false)]
#[case(Some(r#"{"env":{"prod":true}}"#), false)]
#[case(Some(r#"{"other":"prod"}"#), false)]
#[case(Some("{}"), false)]
#[case::without_a_token(None, false)]
fn claims_are_the_tokens(#[case] payload: Option<&str>, #[case] holds: bool) {
    let own = ClaimCondition { name: "env".into(), values: vec!["prod".into(), "live".into()] };
    let kept = ["env".into()];
    let names = ClaimNames { subject: "sub", scopes: "scope", task: "", purpose: Purpose::Token, kept: &kept };
    let claims = payload.map(|text| Claims::read(&json::object(text.as_bytes()).unwrap(), names).unwrap());
    let rule = rule(When { claims: vec![own.clone()], ..when() });
    assert_eq!(Reading { claims, ..Reading::plain() }.check(&rule), met(holds, Unmet::Claim(&own)));
}

#[test]
fn all_conditions_must_hold() {
    let both = vec![condition("x-a", &["1"]), condition("x-b", &["1"])];
    let rule = rule(When {
        sensitivity: Some(Sensitivity::High),
        methods: vec![method("GET")],
        headers: both.clone(),
        ..when()
    });
    let reading = || Reading {
        sensitivity: Sensitivity::High,
        headers: headers(&[("x-a", Some("1")), ("x-b", Some("1"))]),
        ..Reading::plain()
    };
    assert_eq!(reading().check(&rule), Ok(()));
    assert_eq!(Reading { sensitivity: Sensitivity::Low, ..reading() }.check(&rule), Err(Unmet::Sensitivity));
    assert_eq!(Reading { method: method("PUT"), ..reading() }.check(&rule), Err(Unmet::Method));
    let one = headers(&[("x-a", Some("1"))]);
    assert_eq!(Reading { headers: one, ..reading() }.check(&rule), Err(Unmet::Header(&both[1])));
}

#[rstest]
#[case::the_cores(None, Some(route("a", "/a")), true)]
#[case::the_cores_on_a_teams_route(None, Some(route_of("payments")), true)]
#[case::the_cores_where_no_route_is(None, None, true)]
#[case::a_teams_on_its_own(Some("payments"), Some(route_of("payments")), true)]
#[case::a_teams_on_another_teams(Some("payments"), Some(route_of("billing")), false)]
#[case::a_teams_on_the_cores(Some("payments"), Some(route("a", "/a")), false)]
#[case::a_teams_where_no_route_is(Some("payments"), None, false)]
fn a_teams_rule_speaks_of_its_own_routes(
    #[case] owner: Option<&str>,
    #[case] taken: Option<Route>,
    #[case] holds: bool,
) {
    let rule = Rule { owner: owner.map(name), ..rule(when()) };
    assert_eq!(Reading { route: taken, ..Reading::plain() }.check(&rule), met(holds, Unmet::Owner));
}

fn points(points: u8) -> Anomaly {
    Anomaly::new(points).unwrap()
}

fn signals(places: &[usize]) -> SignalSet {
    places.iter().filter_map(|place| SignalId::at(*place)).collect()
}

#[rstest]
#[case::below(Some(50), None, 49, &[0], Err(Unmet::Anomaly))]
#[case::at_least(Some(50), None, 50, &[0], Ok(()))]
#[case::above(Some(50), None, 100, &[0], Ok(()))]
#[case::nothing_unusual(Some(0), None, 0, &[], Ok(()))]
#[case::one_of_them(None, Some(&[1, 2][..]), 0, &[0, 2], Ok(()))]
#[case::none_of_them(None, Some(&[1, 2][..]), 100, &[0, 3], Err(Unmet::Signals))]
#[case::both(Some(50), Some(&[1][..]), 50, &[1], Ok(()))]
#[case::points_alone(Some(50), Some(&[1][..]), 50, &[0], Err(Unmet::Signals))]
#[case::a_signal_alone(Some(50), Some(&[1][..]), 40, &[1], Err(Unmet::Anomaly))]
fn what_is_joined_must_be_unusual_enough(
    #[case] least: Option<u8>,
    #[case] any_of: Option<&[usize]>,
    #[case] score: u8,
    #[case] fired: &[usize],
    #[case] expected: Result<(), Unmet<'_>>,
) {
    let when = When { sensitivity: Some(Sensitivity::High), ..when() };
    let joined = when.join(least.map(points), any_of.map(signals)).unwrap();
    let rule = Rule { effect: Effect::RequireIf(joined, LevelId(0)), ..rule(when) };
    let unusual = Unusual { signals: signals(fired), anomaly: points(score) };
    assert_eq!(Reading { unusual, sensitivity: Sensitivity::High, ..Reading::plain() }.check(&rule), expected);
    let harmless = Reading { unusual, ..Reading::plain() };
    assert!(harmless.check(&rule).is_err(), "however unusual, what is joined with it must hold");
}

#[rstest]
#[case(When { sensitivity: Some(Sensitivity::High), ..when() }, true)]
#[case(When { privilege: Some(Privilege::Elevated), ..when() }, true)]
#[case(When { issues: Some(true), ..when() }, true)]
#[case(When { routes: vec![glob("admin-*")], ..when() }, true)]
#[case(when(), false)]
#[case(When { kinds: vec![Kind::Agent], ..when() }, false)]
#[case(When { methods: vec![method("GET")], ..when() }, false)]
#[case(When { headers: vec![condition("x-a", &["1"])], ..when() }, false)]
#[case(When { claims: vec![ClaimCondition { name: "env".into(), values: Vec::new() }], ..when() }, false)]
fn what_is_unusual_is_joined_with_what_is_touched(#[case] when: When, #[case] joins: bool) {
    assert_eq!(when.join(Some(Anomaly::MAX), None).is_ok(), joins);
    assert_eq!(when.join(None, Some(signals(&[0]))).is_ok(), joins);
}

#[test]
fn deny_beats_step_up_and_the_later_level_the_earlier() {
    let refusal = |reason| Requirement::Refusal(name(reason));
    let rising = [
        Requirement::Nothing,
        Requirement::Assurance(LevelId(0)),
        Requirement::Assurance(LevelId(1)),
        refusal("barred"),
        refusal("closed"),
    ];
    assert!(rising.is_sorted());
    let mut strictest = Requirement::Nothing;
    for asked in rising.iter().rev() {
        strictest.raise_to(asked.clone());
    }
    assert_eq!(strictest, refusal("closed"));
}

#[rstest]
#[case(when(), Mode::Enforce, true)]
#[case(When { sensitivity: Some(Sensitivity::High), ..when() }, Mode::Enforce, true)]
#[case(When { sensitivity: Some(Sensitivity::Critical), ..when() }, Mode::Enforce, false)]
#[case(When { privilege: Some(Privilege::Elevated), ..when() }, Mode::Enforce, true)]
#[case(When { privilege: Some(Privilege::Standard), ..when() }, Mode::Enforce, false)]
#[case(when(), Mode::Shadow, false)]
fn a_rule_may_reach_elevated_calls_of_its_sensitivity(#[case] when: When, #[case] mode: Mode, #[case] reaches: bool) {
    assert_eq!(Rule { mode, ..rule(when) }.may_reach(Sensitivity::High), reaches);
}
