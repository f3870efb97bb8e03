//! Rules with every condition there is.

use super::routes::{header_conditions, methods, sensitivity};
use super::{one_of, some_of};
use crate::context::{Anomaly, SignalId, SignalSet};
use crate::policy::{
    ClaimCondition, Effect, Glob, Joined, Kind, LevelId, Mode, Name, Privilege, Rule, Sensitivity, When,
};
use proptest::prelude::*;

const ROUTES: [&str; 6] = ["r*", "r0", "r1", "t*", "*", "unmatched"];

fn when() -> impl Strategy<Value = When> {
    let seldom = |yes: f64| prop::bool::weighted(yes);
    let touched = (
        prop::option::weighted(0.5, sensitivity()),
        prop::option::weighted(0.4, one_of(&Privilege::ALL)),
        prop::option::weighted(0.2, any::<bool>()),
        (seldom(0.2), some_of(&ROUTES)),
    );
    let caller = ((seldom(0.2), some_of(&Kind::ALL)), (seldom(0.1), some_of(&["prod", "test"])));
    (touched, caller, (seldom(0.2), methods()), header_conditions()).prop_map(
        |((sensitivity, privilege, issues, routes), (kinds, claims), methods, headers)| When {
            sensitivity,
            privilege,
            issues,
            kinds: if kinds.0 { kinds.1 } else { Vec::new() },
            routes: if routes.0 {
                routes.1.iter().map(|glob| Glob::parse(glob).unwrap()).collect()
            } else {
                Vec::new()
            },
            methods: if methods.0 { methods.1 } else { Vec::new() },
            headers,
            claims: claims.0.then(|| claim(&claims.1)).into_iter().collect(),
        },
    )
}

fn claim(values: &[&str]) -> ClaimCondition {
    ClaimCondition { name: "env".into(), values: values.iter().map(|value| (*value).into()).collect() }
}

/// Signals by their places; a policy may have fewer.
fn unusual() -> impl Strategy<Value = (Option<Anomaly>, Option<SignalSet>)> {
    let signals = some_of(&[0, 1, 2, 3, 4, 5, 6, 7])
        .prop_map(|places| places.into_iter().filter_map(SignalId::at).collect::<SignalSet>());
    (
        prop::option::of((0..=100_u8).prop_map(|points| Anomaly::new(points).unwrap())),
        prop::option::weighted(0.3, signals),
    )
}

fn level() -> impl Strategy<Value = LevelId> {
    one_of(&[LevelId(0), LevelId(1)])
}

pub(super) fn rule() -> impl Strategy<Value = Rule> {
    let deny = one_of(&["closed", "barred"]).prop_map(|reason| Effect::Deny(Name::parse(reason).unwrap()));
    let require = level().prop_map(Effect::Require);
    let plain = prop_oneof![8 => require, 1 => deny];
    let mode = prop_oneof![4 => Just(Mode::Enforce), 1 => Just(Mode::Shadow)];
    (when(), plain, prop::option::weighted(0.4, (unusual(), level())), mode).prop_map(|(when, plain, joined, mode)| {
        let joined = joined.and_then(|((anomaly, signals), level)| Some((join(&when, anomaly, signals)?, level)));
        let effect = joined.map_or(plain, |(joined, level)| Effect::RequireIf(joined, level));
        Rule { name: Name::parse("unnamed").unwrap(), owner: None, when, effect, mode, controls: Vec::new() }
    })
}

fn join(when: &When, anomaly: Option<Anomaly>, signals: Option<SignalSet>) -> Option<Joined> {
    when.join(anomaly, signals).ok()
}

pub(super) fn rules(prefix: &'static str, at_most: usize) -> impl Strategy<Value = Vec<Rule>> {
    prop::collection::vec(rule(), 0..=at_most).prop_map(move |rules| {
        let named = |(index, rule)| Rule { name: Name::parse(&format!("{prefix}{index}")).unwrap(), ..rule };
        rules.into_iter().enumerate().map(named).collect()
    })
}

/// What is so unusual about what is sensitive asks for proof.
pub(super) fn unusual_on_sensitive(least: Anomaly) -> Rule {
    let when = When { sensitivity: Some(Sensitivity::High), ..When::default() };
    let effect = Effect::RequireIf(when.join(Some(least), None).unwrap(), LevelId(0));
    Rule { when, effect, ..critical() }
}

/// What is critical asks for proof.
pub(super) fn critical() -> Rule {
    Rule {
        name: Name::parse("critical").unwrap(),
        owner: None,
        when: When { sensitivity: Some(Sensitivity::Critical), ..When::default() },
        effect: Effect::Require(LevelId(0)),
        mode: Mode::Enforce,
        controls: Vec::new(),
    }
}
