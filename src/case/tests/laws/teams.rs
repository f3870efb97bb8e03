//! Whatever a team's file holds, it never loosens what the core says of a request that one of the core's routes names.

use super::routes::{floor, routes};
use super::rules::rules;
use super::scene::{Scene, scene};
use crate::policy::{Floor, Name, Route, Rule};
use proptest::prelude::*;

/// What a team's file may hold.
fn file() -> impl Strategy<Value = (Vec<Route>, Vec<Rule>, Vec<Floor>)> {
    let owner = || Some(Name::parse("team").unwrap());
    (routes("t", 4), rules("team-rule-", 3), prop::collection::vec(floor(), 0..2)).prop_map(
        move |(routes, rules, floors)| {
            (
                routes.into_iter().map(|route| Route { owner: owner(), ..route }).collect(),
                rules.into_iter().map(|rule| Rule { owner: owner(), ..rule }).collect(),
                floors.into_iter().map(|floor| Floor { owner: owner(), ..floor }).collect(),
            )
        },
    )
}

/// Whether the core names every reading of it.
fn is_named(scene: &Scene) -> bool {
    let policy = scene.parts.policy();
    let facts = scene.sketch.call().facts();
    facts.is_ok_and(|facts| policy.touch(&facts).iter().all(|taken| taken.route.is_some()))
}

proptest! {
    #[test]
    fn a_teams_file_never_loosens(scene in scene(), (routes, rules, floors) in file()) {
        if !is_named(&scene) {
            return Ok(());
        }
        let mut after = scene.clone();
        after.parts.routes.extend(routes);
        after.parts.rules.extend(rules);
        after.parts.floors.extend(floors);
        prop_assert!(after.verdict() >= scene.verdict());
    }
}
