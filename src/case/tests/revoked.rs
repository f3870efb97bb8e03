//! What is revoked is void from the next step on, whatever was verified or remembered before.

use super::line;
use super::world::{Call, NOW, ORIGIN, REFUND, WEB, World, certificate};
use crate::attestation::Thumbprint;
use crate::case::{Case, Ground, Need, Step};
use crate::identity::{PeerCertificate, Principal};
use crate::mint::Jwt;
use crate::policy::Name;
use crate::revocation::{Revocations, Target};
use crate::store::Revoked;
use rstest::rstest;
use serde_json::json;

fn web() -> Target {
    Target::Principal(Principal::parse(WEB).unwrap())
}

fn issuer(name: &str) -> Target {
    Target::Attester(Name::parse(name).unwrap())
}

fn came_out(world: &World, call: &Call) -> String {
    line(&world.decide(call))
}

/// A refund whose bearer and attestation were issued so long after `NOW`.
fn refund(world: &World, bearer_at: u64, attestation_at: u64, now: u64) -> Call {
    let bearer = World::bearer(WEB, "payments:refund").issued(NOW + bearer_at, 600).sign(&world.idp).unwrap();
    let attestation = World::attestation(WEB, &world.web).claim("txn", "run-7").issued(NOW + attestation_at, 600);
    let proof =
        World::proof(&world.web, &bearer).claim("iat", NOW + now).claim("nonce", world.challenge(WEB, NOW + now));
    Call::new("POST", REFUND)
        .at(NOW + now)
        .with("authorization", format!("Bearer {bearer}"))
        .with("oauth-client-attestation", attestation.sign(&world.attester).unwrap())
        .with("dpop", proof.sign(&world.web).unwrap())
}

/// Bearer and attestation of second 0; one of them is newer.
#[rstest]
#[case::principal(web(), "deny credential_revoked", "step_up attestation_revoked")]
#[case::all(Target::All, "deny credential_revoked", "step_up attestation_revoked")]
#[case::bearer_issuer(issuer("idp"), "deny credential_revoked", "verified attested")]
#[case::attester(issuer("attester"), "step_up attestation_revoked", "step_up attestation_revoked")]
#[case::task(Target::Task { task: "run-7".into(), of: None }, "step_up attestation_revoked", "step_up attestation_revoked")]
#[case::other_task(Target::Task { task: "run-8".into(), of: None }, "verified attested", "verified attested")]
fn what_was_issued_by_then_is_void(#[case] target: Target, #[case] old: &str, #[case] newer_bearer: &str) {
    let world = World::new();
    world.revoke(target, NOW + 5);
    assert_eq!(came_out(&world, &refund(&world, 0, 0, 10)), old);
    assert_eq!(came_out(&world, &refund(&world, 5, 0, 10)), old, "of that very second");
    assert_eq!(came_out(&world, &refund(&world, 6, 0, 10)), newer_bearer);
    assert_eq!(came_out(&world, &refund(&world, 6, 6, 11)), "verified attested");
}

#[test]
fn a_bearer_that_does_not_say_when_it_was_issued_is_void_by_any_revocation() {
    let world = World::new();
    let bearer = World::bearer(WEB, "payments:read").without("iat").sign(&world.idp).unwrap();
    let call = Call::new("GET", "/v1/payments/7").with("authorization", format!("Bearer {bearer}"));
    assert_eq!(came_out(&world, &call), "allowed routine");
    world.revoke(web(), 1);
    assert_eq!(came_out(&world, &call), "deny credential_revoked");
}

#[test]
fn what_is_older_than_revocations_are_kept_is_refused() {
    let mut world = World::new();
    world.revoked = Revoked::none(crate::time::Ttl::from_secs(100));
    let call = |at: u64| {
        let bearer = World::bearer(WEB, "payments:read").sign(&world.idp).unwrap();
        Call::new("GET", "/v1/payments/7").at(NOW + at).with("authorization", format!("Bearer {bearer}"))
    };
    assert_eq!(came_out(&world, &call(100)), "allowed routine");
    assert_eq!(came_out(&world, &call(101)), "deny credential_revoked");
}

#[test]
fn a_key_takes_along_what_is_bound_to_it_and_what_it_signed() {
    let revoked = |key: &dyn Fn(&World) -> String| {
        let world = World::new();
        world.revoke(Target::Key(Thumbprint::parse(&key(&world)).unwrap()), NOW + 5);
        came_out(&world, &refund(&world, 0, 0, 10))
    };
    assert_eq!(revoked(&|world| world.web.public().thumbprint()), "step_up attestation_revoked");
    assert_eq!(revoked(&|world| world.attester.public().thumbprint()), "step_up attestation_revoked");
    assert_eq!(revoked(&|world| world.idp.public().thumbprint()), "deny credential_revoked");
    assert_eq!(revoked(&|world| world.thief.public().thumbprint()), "verified attested");
}

/// The proof was made before the key was revoked, the attestation after it.
#[test]
fn a_proof_of_before_does_not_go_with_an_attestation_of_after() {
    let world = World::new();
    let call = refund(&world, 0, 6, 5);
    world.revoke(Target::Key(Thumbprint::parse(&world.web.public().thumbprint()).unwrap()), NOW + 5);
    assert_eq!(came_out(&world, &call.at(NOW + 7)), "step_up attestation_revoked");
}

#[test]
fn a_revoked_certificate_names_nobody_and_a_newer_one_of_the_same_principal_does() {
    let world = World::new();
    let pem = certificate(WEB);
    let call = |pem: &str| {
        let bearer = World::bearer(WEB, "payments:read").sign(&world.idp).unwrap();
        let mut call = Call::new("GET", "/v1/payments/7").with("authorization", format!("Bearer {bearer}"));
        call.peer.certificate = Some(pem.into());
        call
    };
    world.revoke(Target::Key(PeerCertificate::parse(&pem).unwrap().thumbprint), NOW);
    assert_eq!(came_out(&world, &call(&pem)), "deny credential_revoked");
    assert_eq!(came_out(&world, &call(&certificate(WEB))), "allowed routine");
}

#[test]
fn a_bound_bearer_and_its_proof_are_void_by_their_key() {
    let world = World::new();
    let jkt = world.web.public().thumbprint();
    let call = |at: u64, id: &str| {
        let bearer = World::bearer(WEB, "payments:read").issued(NOW + at, 600).claim("cnf", json!({ "jkt": jkt }));
        let bearer = bearer.sign(&world.idp).unwrap();
        let url = format!("{ORIGIN}/v1/payments/7");
        let proof = Jwt::proof(world.web.public(), "GET", &url).unwrap().claim("iat", NOW + at).claim("jti", id);
        let proof = proof.with_token(&bearer).sign(&world.web).unwrap();
        let call = Call::new("GET", "/v1/payments/7").at(NOW + 8).with("authorization", format!("DPoP {bearer}"));
        call.with("dpop", proof)
    };
    assert_eq!(came_out(&world, &call(0, "1")), "allowed routine");
    world.revoke(Target::Key(Thumbprint::parse(&jkt).unwrap()), NOW + 5);
    assert_eq!(came_out(&world, &call(0, "2")), "deny credential_revoked");
    assert_eq!(came_out(&world, &call(6, "3")), "allowed routine");
}

/// The revocation comes while the proof is being spent: the last look is after that.
#[test]
fn what_is_revoked_while_a_case_waits_is_void_when_it_ends() {
    for target in [web(), issuer("attester"), Target::All] {
        let world = World::new();
        let facts = refund(&world, 0, 0, 0).facts();
        let ground = Ground { policy: &world.policy, keyring: &world.keyring, challenges: &world.challenges };
        let mut case = Case::open(ground, &facts);
        let decision = loop {
            match world.step(&mut case, NOW) {
                Step::Needs(need) => {
                    let spends = matches!(need, Need::Spend(_));
                    let answer = world.answer(need, NOW);
                    if spends {
                        world.revoke(target.clone(), NOW);
                    }
                    case.supply(answer);
                }
                Step::Decided(decision) => break decision,
            }
        };
        assert!(line(&decision).ends_with("_revoked"), "{target:?}: {}", line(&decision));
    }
}

#[test]
fn evidence_waits_until_all_revocations_are_known_and_routine_calls_do_not() {
    let mut world = World::new();
    world.revoked = Revoked::unread(Revocations::DEFAULT_KEEP);
    let bearer = World::bearer(WEB, "payments:read").sign(&world.idp).unwrap();
    let routine = Call::new("GET", "/v1/payments/7").with("authorization", format!("Bearer {bearer}"));
    assert_eq!(came_out(&world, &routine), "allowed routine");
    let refund = refund(&world, 0, 0, 0);
    assert_eq!(came_out(&world, &refund), "deny state_unavailable");
    world.revoke(web(), NOW);
    assert_eq!(came_out(&world, &routine), "deny credential_revoked", "what is known counts");
    world.revoked = Revoked::none(Revocations::DEFAULT_KEEP);
    assert_eq!(came_out(&world, &refund), "verified attested", "and nothing was spent");
}
