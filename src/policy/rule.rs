//! Rules: when a combination asks for proof, or is refused. They have no order; the strictest that matches wins.

use super::{Fit, Glob, HeaderCondition, Kind, LevelId, Mode, Name, Privilege, Route, Sensitivity, UNMATCHED};
use crate::attestation::Claims;
use crate::context::{Anomaly, SignalSet, Unusual};
use crate::request::{Headers, Method};

/// The place of a rule in its policy. It says nothing about precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(pub(super) usize);

#[derive(Clone, Debug)]
pub struct Rule {
    pub name: Name,
    /// The team whose file it stands in: it then speaks of that team's routes only.
    pub owner: Option<Name>,
    pub when: When,
    pub effect: Effect,
    /// Whether it counts, or is only watched.
    pub mode: Mode,
    /// Framework controls that it implements, such as `OWASP-NHI5:2025`.
    pub controls: Vec<Box<str>>,
}

/// Conditions on what is touched, with how much privilege, by whom. All that stand must hold; a list holds where one of
/// its members does.
#[derive(Clone, Debug, Default)]
pub struct When {
    /// At least so sensitive.
    pub sensitivity: Option<Sensitivity>,
    /// Exactly so much, though what a request adds never takes it out of [`Privilege::Standard`].
    pub privilege: Option<Privilege>,
    /// Whether the route issues privilege.
    pub issues: Option<bool>,
    /// None named: any, also nobody's.
    pub kinds: Vec<Kind>,
    /// Names of routes.
    pub routes: Vec<Glob>,
    pub methods: Vec<Method>,
    pub headers: Vec<HeaderCondition>,
    pub claims: Vec<ClaimCondition>,
}

/// A claim of the caller's token that must have one of these values.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClaimCondition {
    pub name: Box<str>,
    pub values: Vec<Box<str>>,
}

/// What a rule does. What is unusual has no place in a refusal, and stands nowhere without what it is joined with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    Require(LevelId),
    /// Asks for proof where the call is also this unusual.
    RequireIf(Joined, LevelId),
    /// Refused, for this reason.
    Deny(Name),
}

/// How unusual a call must be, for a rule that also looks at what is touched or with how much privilege.
/// [`When::join`] alone makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Joined {
    anomaly: Option<Anomaly>,
    signals: Option<SignalSet>,
}

/// Why what is unusual may not stand in a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("anomaly alone never asks for proof")]
pub struct AnomalyAlone;

/// A condition that does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unmet<'r> {
    /// The rule is a team's, and the route is not.
    Owner,
    Anomaly,
    Signals,
    Sensitivity,
    Privilege,
    Issues,
    Kind,
    Method,
    Route,
    Header(&'r HeaderCondition),
    Claim(&'r ClaimCondition),
}

/// What the rules that matched ask for together.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Requirement {
    #[default]
    Nothing,
    Assurance(LevelId),
    /// For this reason; of several the last by name, so that the order of rules says nothing.
    Refusal(Name),
}

/// What rules look at: one reading of a request, and its caller.
#[derive(Clone, Copy, Debug)]
pub struct Considered<'a> {
    /// `None`: no route names the request.
    pub route: Option<&'a Route>,
    pub sensitivity: Sensitivity,
    pub privilege: Privilege,
    /// What it would be for what the route says alone. What a request asks for beside, what Envoy hints at and what can't be
    /// read raise privilege, and must not lift a call out of a rule for standard privilege.
    pub privilege_by_route: Privilege,
    pub method: &'a Method,
    pub headers: &'a Headers,
    pub kind: Option<Kind>,
    pub claims: Option<&'a Claims>,
    pub unusual: Unusual,
}

impl RuleId {
    pub const fn index(self) -> usize {
        self.0
    }
}

impl Rule {
    /// Whether it matches, else a condition of it that does not hold.
    pub fn check(&self, considered: &Considered<'_>) -> Result<(), Unmet<'_>> {
        let own = self.owner.is_none() || considered.route.is_some_and(|route| route.owner == self.owner);
        Unmet::Owner.unless(own)?;
        self.effect.check(considered.unusual)?;
        self.when.check(considered)
    }

    pub fn matches(&self, considered: &Considered<'_>) -> bool {
        self.check(considered).is_ok()
    }

    /// Whether some call of this sensitivity with elevated privilege could match it, and it counts.
    pub fn may_reach(&self, sensitivity: Sensitivity) -> bool {
        let When { sensitivity: least, privilege, .. } = &self.when;
        let fits =
            least.is_none_or(|least| sensitivity >= least) && privilege.is_none_or(|own| own == Privilege::Elevated);
        fits && self.mode == Mode::Enforce
    }

    /// Whether it speaks of this route, as far as owners and names of routes say.
    pub fn names(&self, route: &Route) -> bool {
        let own = self.owner.is_none() || self.owner == route.owner;
        own && (self.when.routes.is_empty() || self.when.names(Some(route)))
    }

    /// Whether some call that takes this route could match it, as far as the route says.
    pub fn may_concern(&self, route: &Route) -> bool {
        let (own, others) = (&self.when.methods, &route.selector.methods);
        let methods = own.is_empty() || others.is_empty() || own.iter().any(|method| others.contains(method));
        self.names(route) && methods && self.when.issues.is_none_or(|issues| issues == route.issues_privilege())
    }
}

impl Effect {
    fn check(&self, unusual: Unusual) -> Result<(), Unmet<'static>> {
        match self {
            Self::Require(_) | Self::Deny(_) => Ok(()),
            Self::RequireIf(joined, _) => joined.check(unusual),
        }
    }

    /// What it asks for.
    pub(super) fn requirement(&self) -> Requirement {
        match self {
            Self::Require(level) | Self::RequireIf(_, level) => Requirement::Assurance(*level),
            Self::Deny(reason) => Requirement::Refusal(reason.clone()),
        }
    }
}

impl When {
    /// Joins these conditions with what is unusual, if they look at what is touched or with how much privilege.
    pub fn join(&self, anomaly: Option<Anomaly>, signals: Option<SignalSet>) -> Result<Joined, AnomalyAlone> {
        let joined =
            self.sensitivity.is_some() || self.privilege.is_some() || self.issues.is_some() || !self.routes.is_empty();
        if joined { Ok(Joined { anomaly, signals }) } else { Err(AnomalyAlone) }
    }

    /// Cheap conditions first.
    fn check(&self, considered: &Considered<'_>) -> Result<(), Unmet<'_>> {
        Unmet::Sensitivity.unless(self.sensitivity.is_none_or(|least| considered.sensitivity >= least))?;
        let privileges = [considered.privilege, considered.privilege_by_route];
        Unmet::Privilege.unless(self.privilege.is_none_or(|own| privileges.contains(&own)))?;
        let issues = considered.route.is_some_and(Route::issues_privilege);
        Unmet::Issues.unless(self.issues.is_none_or(|own| own == issues))?;
        Unmet::Kind.unless(self.kinds.is_empty() || considered.kind.is_some_and(|kind| self.kinds.contains(&kind)))?;
        Unmet::Method.unless(self.methods.is_empty() || self.methods.contains(considered.method))?;
        Unmet::Route.unless(self.routes.is_empty() || self.names(considered.route))?;
        // Where servers may read a header either way, the rule counts: it can only tighten.
        let mut headers = self.headers.iter();
        let header = headers.find(|condition| condition.holds(considered.headers) == Fit::No);
        header.map_or(Ok(()), |condition| Err(Unmet::Header(condition)))?;
        let claim = self.claims.iter().find(|condition| !condition.holds(considered.claims));
        claim.map_or(Ok(()), |condition| Err(Unmet::Claim(condition)))
    }

    /// What no route names goes by the name that logs and metrics call it.
    fn names(&self, route: Option<&Route>) -> bool {
        let name = route.map_or(UNMATCHED, |route| route.name.as_str());
        self.routes.iter().any(|glob| glob.matches(name))
    }
}

impl Joined {
    fn check(self, unusual: Unusual) -> Result<(), Unmet<'static>> {
        Unmet::Anomaly.unless(self.anomaly.is_none_or(|least| unusual.anomaly >= least))?;
        Unmet::Signals.unless(self.signals.is_none_or(|any| any.meets(unusual.signals)))
    }

    pub const fn anomaly(self) -> Option<Anomaly> {
        self.anomaly
    }

    pub const fn signals(self) -> Option<SignalSet> {
        self.signals
    }
}

impl Unmet<'_> {
    const fn unless(self, holds: bool) -> Result<(), Self> {
        if holds { Ok(()) } else { Err(self) }
    }
}

impl ClaimCondition {
    fn holds(&self, claims: Option<&Claims>) -> bool {
        let mut values = claims.into_iter().flat_map(|claims| claims.values(&self.name));
        values.any(|value| self.values.iter().any(|own| **own == *value))
    }
}

impl Requirement {
    /// Takes the stricter of the two. Deny beats step-up; the later level beats the earlier.
    pub(super) fn raise_to(&mut self, other: Self) {
        if other > *self {
            *self = other;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attestation::{ClaimNames, json};
    use crate::context::SignalId;
    use crate::policy::tests::samples::{condition, glob, headers, method, name, route};
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

    fn met<'r>(holds: bool, otherwise: Unmet<'r>) -> Result<(), Unmet<'r>> {
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
        let names = ClaimNames { subject: "sub", scopes: "scope", task: "", actors: false, kept: &kept };
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
    #[case::the_cores(None, Some(None), true)]
    #[case::the_cores_on_a_teams_route(None, Some(Some("payments")), true)]
    #[case::the_cores_where_no_route_is(None, None, true)]
    #[case::a_teams_on_its_own(Some("payments"), Some(Some("payments")), true)]
    #[case::a_teams_on_another_teams(Some("payments"), Some(Some("billing")), false)]
    #[case::a_teams_on_the_cores(Some("payments"), Some(None), false)]
    #[case::a_teams_where_no_route_is(Some("payments"), None, false)]
    fn a_teams_rule_speaks_of_its_own_routes(
        #[case] owner: Option<&str>,
        #[case] taken: Option<Option<&str>>,
        #[case] holds: bool,
    ) {
        let rule = Rule { owner: owner.map(name), ..rule(when()) };
        let taken = taken.map(|owner| Route { owner: owner.map(name), ..route("a", "/a") });
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
    fn a_rule_may_reach_elevated_calls_of_its_sensitivity(
        #[case] when: When,
        #[case] mode: Mode,
        #[case] reaches: bool,
    ) {
        assert_eq!(Rule { mode, ..rule(when) }.may_reach(Sensitivity::High), reaches);
    }
}
