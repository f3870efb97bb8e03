//! What is added to a policy only tightens it: rules, floors, and the word that somebody is suspended.

use super::identities::{PATTERNS, identity};
use super::one_of;
use super::routes::floor;
use super::rules::rule;
use super::scene::scene;
use crate::policy::{Identity, Privilege, Status};
use proptest::prelude::*;

/// Beside those that a generated policy may have already.
const MORE_PATTERNS: [&str; 4] = [
    "spiffe://example.org/ns/billing/**",
    "spiffe://example.org/ns/*/sa/web",
    "billing-*",
    "spiffe://example.org/ns/**",
];

fn suspended() -> impl Strategy<Value = Identity> {
    let pattern = one_of(&[&PATTERNS[..], &MORE_PATTERNS[..]].concat());
    let status = one_of(&[Status::Suspended, Status::Offboarded]);
    (pattern.prop_flat_map(identity), status).prop_map(|(identity, status)| Identity { status, ..identity })
}

proptest! {
    #[test]
    fn a_rule_never_loosens(scene in scene(), more in rule()) {
        let mut after = scene.clone();
        after.parts.rules.push(more);
        prop_assert!(after.verdict() >= scene.verdict());
    }

    #[test]
    fn a_floor_never_loosens(scene in scene(), more in floor()) {
        let mut after = scene.clone();
        after.parts.floors.push(more);
        prop_assert!(after.verdict() >= scene.verdict());
    }

    /// But for the first of all, which makes everybody else undeclared, and so takes them out of rules for standard
    /// privilege.
    #[test]
    fn a_suspended_identity_never_loosens(scene in scene(), more in suspended()) {
        let mut scene = scene;
        if scene.parts.identities.is_empty() {
            scene.parts.rules.retain(|rule| rule.when.privilege != Some(Privilege::Standard));
        }
        let mut after = scene.clone();
        after.parts.identities.retain(|other| other.pattern != more.pattern);
        after.parts.identities.push(more);
        prop_assert!(after.verdict() >= scene.verdict());
    }

    #[test]
    fn to_suspend_never_loosens(scene in scene(), which in any::<prop::sample::Index>()) {
        let mut after = scene.clone();
        if !after.parts.identities.is_empty() {
            which.get_mut(&mut after.parts.identities).status = Status::Suspended;
        }
        prop_assert!(after.verdict() >= scene.verdict());
    }
}
