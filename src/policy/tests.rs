//! Laws of classification: strictest wins, and nothing depends on order.

pub(super) mod samples;

use super::*;
use crate::context::Unusual;
use crate::request::{Headers, Method};
use proptest::prelude::*;

fn requirement_of(rules: &[Rule], sensitivity: Sensitivity, privilege: Privilege) -> Requirement {
    let (method, headers) = (Method::parse("GET").unwrap(), Headers::default());
    let considered = Considered {
        route: None,
        sensitivity,
        privilege,
        privilege_by_route: privilege,
        method: &method,
        headers: &headers,
        kind: None,
        claims: None,
        unusual: Unusual::default(),
    };
    let matching = rules.iter().filter(|rule| rule.matches(&considered));
    matching.map(|rule| rule.effect.requirement()).max().unwrap_or_default()
}

fn rule() -> impl Strategy<Value = Rule> {
    let sensitivity = prop::option::of(prop::sample::select(Sensitivity::ALL.to_vec()));
    let privilege = prop::option::of(prop::sample::select(Privilege::ALL.to_vec()));
    let effect = prop_oneof![
        (0..4_usize).prop_map(|level| Effect::Require(LevelId(level))),
        Just(Effect::Deny(Name::parse("closed").unwrap())),
    ];
    (sensitivity, privilege, effect).prop_map(|(sensitivity, privilege, effect)| Rule {
        name: Name::parse("rule").unwrap(),
        owner: None,
        when: When { sensitivity, privilege, ..When::default() },
        effect,
        mode: Mode::Enforce,
        controls: Vec::new(),
    })
}

/// How strict a requirement is, whichever rule it comes from.
fn strictness(requirement: &Requirement) -> usize {
    match requirement {
        Requirement::Nothing => 0,
        Requirement::Assurance(level) => 1 + level.0,
        Requirement::Refusal(_) => usize::MAX,
    }
}

proptest! {
    #[test]
    fn adding_a_rule_never_loosens(
        rules in prop::collection::vec(rule(), 0..6),
        more in rule(),
        sensitivity in prop::sample::select(Sensitivity::ALL.to_vec()),
        privilege in prop::sample::select(Privilege::ALL.to_vec()),
    ) {
        let before = strictness(&requirement_of(&rules, sensitivity, privilege));
        let after = strictness(&requirement_of(&[rules, vec![more]].concat(), sensitivity, privilege));
        prop_assert!(after >= before);
    }

    #[test]
    fn the_order_of_rules_never_matters(
        rules in prop::collection::vec(rule(), 0..6).prop_shuffle(),
        sensitivity in prop::sample::select(Sensitivity::ALL.to_vec()),
        privilege in prop::sample::select(Privilege::ALL.to_vec()),
    ) {
        let reversed: Vec<_> = rules.iter().rev().cloned().collect();
        let strict = |rules: &[Rule]| strictness(&requirement_of(rules, sensitivity, privilege));
        prop_assert_eq!(strict(&rules), strict(&reversed));
    }

    #[test]
    fn more_sensitivity_never_loosens(rules in prop::collection::vec(rule(), 0..6), privilege in prop::sample::select(Privilege::ALL.to_vec())) {
        let strictness: Vec<_> = Sensitivity::ALL.map(|s| strictness(&requirement_of(&rules, s, privilege))).into();
        prop_assert!(strictness.is_sorted());
    }
}
