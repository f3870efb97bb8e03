//! Keys that are away, tied to a trust domain, or gone.

use super::line;
use super::world::{Call, WEB, World, key_set};
use crate::attestation::{KeySet, Keyring};
use crate::case::{Case, Ground, Need, Step};
use crate::identity::TrustDomain;
use crate::policy::{IssuerId, Mode};
use std::sync::Arc;

const BEARER: IssuerId = IssuerId(0);
const ATTESTER: IssuerId = IssuerId(1);

impl World {
    /// The same world, where this issuer's keys could not be fetched.
    fn without_keys_of(mut self, away: IssuerId) -> Self {
        let sets = [(BEARER, &self.idp), (ATTESTER, &self.attester)];
        let sets = sets.map(|(id, key)| (id != away).then(|| key_set(&[key])));
        self.keyring = Keyring::of_moment(sets.into(), 1);
        self
    }
}

fn reading(world: &World) -> Call {
    let token = World::bearer(WEB, "payments:read").sign(&world.idp).unwrap();
    Call::new("GET", "/v1/payments/7").with("authorization", format!("Bearer {token}"))
}

#[test]
fn what_needs_keys_that_are_away_is_neither_let_through_nor_called_forged() {
    let world = World::new().without_keys_of(BEARER);
    assert_eq!(line(&world.decide(&world.refund())), "deny keys_unavailable");
    let world = World::new().without_keys_of(ATTESTER);
    assert_eq!(line(&world.decide(&world.refund())), "deny keys_unavailable");
}

#[test]
fn what_needs_no_key_that_is_away_is_decided_as_ever() {
    let world = World::new().without_keys_of(ATTESTER);
    assert_eq!(line(&world.decide(&reading(&world))), "allowed routine");
}

#[test]
fn a_bundle_does_not_vouch_for_another_trust_domain() {
    let mut world = World::new();
    let keys = key_set(&[&world.idp]);
    let tied = |domain: &str| Arc::new(KeySet::of_trust_domains([(&TrustDomain::parse(domain).unwrap(), &*keys)]));
    let attester = key_set(&[&world.attester]);
    world.keyring = Keyring::new(vec![tied("example.org"), Arc::clone(&attester)]);
    assert_eq!(line(&world.decide(&reading(&world))), "allowed routine");
    world.keyring = Keyring::new(vec![tied("partner.example"), attester]);
    assert_eq!(line(&world.decide(&reading(&world))), "deny credential_unknown_key");
}

#[test]
fn a_key_that_nobody_knows_is_looked_for_once_and_never_for_what_is_only_watched() {
    let world = World::new();
    let stranger = super::world::key();
    let token = World::bearer(WEB, "payments:read").sign(&stranger).unwrap();
    let unknown = Call::new("GET", "/v1/payments/7").with("authorization", format!("Bearer {token}"));
    assert_eq!((looks(&world, &unknown), line(&world.decide(&unknown)).as_str()), (1, "deny credential_unknown_key"));
    let attestation = World::attestation(WEB, &world.web).sign(&stranger).unwrap();
    let call = world.refund().with("oauth-client-attestation", attestation);
    assert_eq!((looks(&world, &call), line(&world.decide(&call)).as_str()), (1, "step_up attestation_unknown_key"));
    assert_eq!(looks(&world, &world.refund()), 0);
    let mut watched = World::new();
    watched.policy.rules.iter_mut().for_each(|rule| rule.mode = Mode::Shadow);
    let call = watched.refund().with("oauth-client-attestation", call.header("oauth-client-attestation"));
    assert_eq!((looks(&watched, &call), line(&watched.decide(&call)).as_str()), (0, "allowed routine"));
}

/// How often a case asks for newer keys.
fn looks(world: &World, call: &Call) -> usize {
    let facts = call.facts();
    let ground = Ground { policy: &world.policy, keyring: &world.keyring, challenges: &world.challenges };
    let mut case = Case::open(ground, &facts);
    let mut looks = 0;
    while let Step::Needs(need) = world.step(&mut case, call.at) {
        looks += usize::from(matches!(need, Need::Keys(_)));
        case.supply(world.answer(need, call.at));
    }
    looks
}
