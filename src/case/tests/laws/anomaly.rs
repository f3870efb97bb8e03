//! What is unusual asks for proof where a rule joins it with what is touched, and does nothing else.

use super::one_of;
use super::scene::{Scene, Verdict, scene};
use crate::context::Anomaly;
use crate::decision::Outcome;
use crate::policy::{Effect, Sensitivity, When};
use crate::reason::Reason;
use proptest::prelude::*;

/// The same call where nothing is unusual.
fn usual(scene: &Scene) -> Scene {
    let mut usual = scene.clone();
    usual.parts.signals.clear();
    usual
}

fn without_rules_that_join(mut scene: Scene) -> Scene {
    scene.parts.rules.retain(|rule| !matches!(rule.effect, Effect::RequireIf(..)));
    scene
}

proptest! {
    #[test]
    fn alone_it_changes_nothing(scene in scene().prop_map(without_rules_that_join), points in one_of(&[0, 1, 50, 100])) {
        let mut unusual = scene.clone();
        for signal in &mut unusual.parts.signals {
            signal.points = Anomaly::new(points).unwrap();
        }
        let outcome = |scene: &Scene| scene.decide().map(|decision| (decision.outcome, decision.shadow));
        prop_assert_eq!(outcome(&unusual), outcome(&usual(&scene)));
    }

    #[test]
    fn it_never_loosens(scene in scene()) {
        prop_assert!(scene.verdict() >= usual(&scene).verdict());
    }

    /// But where what it asks for can't be given: by nobody, and over a connection of which nothing else is seen.
    #[test]
    fn it_never_refuses(scene in scene()) {
        if scene.verdict() == Verdict::Deny && usual(&scene).verdict() != Verdict::Deny {
            let outcome = scene.decide().map(|decision| decision.outcome);
            let unable = [Reason::CredentialMissing, Reason::Unanswerable].map(|reason| Some(Outcome::Deny(reason)));
            prop_assert!(unable.contains(&outcome), "{outcome:?}");
        }
    }
}

#[test]
fn no_rule_looks_at_it_alone() {
    let alone =
        [When::default(), When { methods: vec![crate::request::Method::parse("GET").unwrap()], ..When::default() }];
    for when in alone {
        assert!(when.join(Some(Anomaly::MAX), None).is_err());
    }
    let joined = When { sensitivity: Some(Sensitivity::High), ..When::default() };
    assert!(joined.join(Some(Anomaly::MAX), None).is_ok());
}
