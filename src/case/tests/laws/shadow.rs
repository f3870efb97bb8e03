//! What is only watched is told, and changes nothing.

use super::order::told;
use super::rules::rule;
use super::scene::{Verdict, scene};
use crate::decision::Decision;
use crate::policy::{Mode, Policy, Rule};
use proptest::prelude::*;

/// All that is told of a decision but what was watched.
fn counting(policy: &Policy, mut decision: Decision) -> String {
    decision.shadow = None;
    if let Some(class) = &mut decision.findings.classification {
        class.shadow_rules.clear();
    }
    told(policy, &decision)
}

proptest! {
    #[test]
    fn a_rule_that_is_only_watched_changes_nothing_else(scene in scene(), more in rule()) {
        let mut after = scene.clone();
        after.parts.rules.push(Rule { mode: Mode::Shadow, ..more });
        let (one, other) = (scene.parts.policy(), after.parts.policy());
        let before = scene.decide().map(|decision| counting(&one, decision));
        prop_assert_eq!(after.decide().map(|decision| counting(&other, decision)), before);
    }

    #[test]
    fn it_tells_what_would_be_if_it_counted(scene in scene()) {
        let Some(watched) = scene.decide() else { return Ok(()) };
        let mut counted = scene.clone();
        for rule in &mut counted.parts.rules {
            rule.mode = Mode::Enforce;
        }
        if let Some(shadow) = watched.shadow {
            prop_assert_eq!(Verdict::of(&shadow), counted.verdict());
        }
    }

    #[test]
    fn a_policy_that_is_only_watched_lets_everything_through(scene in scene()) {
        let mut watched = scene.clone();
        watched.parts.mode = Mode::Shadow;
        let (Some(decision), Some(enforced)) = (watched.decide(), scene.decide()) else { return Ok(()) };
        prop_assert_eq!(Verdict::of(&decision.outcome), Verdict::Allow);
        prop_assert_eq!(decision.shadow, Some(enforced.outcome));
    }
}
