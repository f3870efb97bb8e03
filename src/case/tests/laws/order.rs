//! The order of what a policy holds decides nothing.

use super::policies::Parts;
use super::scene::{Scene, scene};
use crate::decision::Decision;
use crate::policy::{Policy, RouteId};
use proptest::prelude::*;

/// The same policy in another order, as if its files were read another way round.
fn another_way_round(scene: Scene) -> impl Strategy<Value = (Scene, Scene)> {
    let Parts { routes, rules, floors, identities, .. } = scene.parts.clone();
    let shuffled = (
        Just(routes).prop_shuffle(),
        Just(rules).prop_shuffle(),
        Just(floors).prop_shuffle(),
        Just(identities).prop_shuffle(),
    );
    shuffled.prop_map(move |(routes, rules, floors, identities)| {
        let parts = Parts { routes, rules, floors, identities, ..scene.parts.clone() };
        (scene.clone(), Scene { parts, ..scene.clone() })
    })
}

/// All of a decision, by names: places in lists differ where their order does.
pub(super) fn told(policy: &Policy, decision: &Decision) -> String {
    let class = decision.findings.classification.as_ref();
    let route = |id: Option<RouteId>| id.and_then(|id| policy.routes.get(id)).map(|route| route.name.as_str());
    let rules = |ids: &[crate::policy::RuleId]| {
        let mut names: Vec<_> = ids.iter().filter_map(|id| policy.rule(*id)).map(|rule| rule.name.as_str()).collect();
        names.sort_unstable();
        names.join(",")
    };
    let class = class.map(|class| {
        format!(
            "{:?} {:?} {:?} {:?} scopes {} elevated {} rules {} watched {}",
            class.touched().map(route).collect::<Vec<_>>(),
            class.sensitivity,
            class.privilege,
            class.privilege_reasons,
            class.scopes,
            class.elevated,
            rules(&class.rules),
            rules(&class.shadow_rules),
        )
    });
    let identity = decision.findings.identity.and_then(|id| policy.identities.get(id));
    let identity = identity.map(|identity| identity.pattern.as_str());
    format!("{:?} {:?} {:?} {class:?} {identity:?}", decision.outcome, decision.shadow, decision.findings.unusual)
}

fn all_of(scene: &Scene) -> Option<String> {
    let policy = scene.parts.policy();
    scene.decide().map(|decision| told(&policy, &decision))
}

proptest! {
    #[test]
    fn it_decides_nothing((one, other) in scene().prop_flat_map(another_way_round)) {
        prop_assert_eq!(all_of(&one), all_of(&other));
    }
}
