//! A client attestation with the proof of its own profile.

use super::*;

fn pop(world: &World, bearer: &str) -> Jwt {
    let proof = Jwt::new("oauth-client-attestation-pop+jwt").claim("aud", ORIGIN).claim("iat", NOW);
    let proof = proof.claim("jti", "0123456789abcdef").claim("htm", "POST").claim("htu", TARGET);
    proof.claim("challenge", world.challenge(WEB, NOW)).with_token(bearer)
}

fn attested(world: &World) -> Call {
    refund(world).with("oauth-client-attestation", World::attestation(WEB, &world.web).sign(&world.attester).unwrap())
}

fn shown(call: Call, proof: &Jwt, key: &SigningKey) -> Call {
    call.with("oauth-client-attestation-pop", proof.sign(key).unwrap())
}

#[test]
fn a_client_attestation_passes_with_its_own_proof_once() {
    let world = World::new();
    let call = attested(&world);
    let call = shown(call.clone(), &pop(&world, call.token()), &world.web);
    assert_eq!(came_out(&world, &call), "verified attested");
    assert_eq!(came_out(&world, &call), "step_up proof_replayed");
}

#[rstest]
#[case("aud", json!("https://other.example.com"), "proof_target_mismatch")]
#[case("htu", json!("https://api.example.com/v1/payments/8/refund"), "proof_target_mismatch")]
#[case("htu", Value::Null, "proof_malformed")]
#[case("htm", json!("GET"), "proof_method_mismatch")]
#[case("htm", Value::Null, "proof_malformed")]
#[case("iat", json!(NOW - 61), "proof_stale")]
#[case("iat", json!(NOW + 11), "proof_stale")]
#[case("iat", Value::Null, "proof_malformed")]
#[case("jti", Value::Null, "proof_malformed")]
#[case("ath", Value::Null, "proof_token_mismatch")]
#[case("challenge", json!("v1.a.b.c"), "proof_challenge_foreign")]
fn a_proof_that_is_not_for_this_call_proves_nothing(#[case] claim: &str, #[case] value: Value, #[case] why: &str) {
    let world = World::new();
    let call = attested(&world);
    let good = pop(&world, call.token());
    let changed = if value.is_null() { good.without(claim) } else { good.claim(claim, value) };
    assert_eq!(came_out(&world, &shown(call, &changed, &world.web)), format!("step_up {why}"), "{claim}");
}

#[test]
fn beside_a_bad_proof_of_its_own_a_good_one_for_the_token_does_not_count() {
    let world = World::new();
    let call = world.refund();
    let bad = shown(call.clone(), &pop(&world, call.token()), &world.thief);
    assert_eq!(came_out(&world, &bad), "step_up proof_bad_signature");
    assert_eq!(came_out(&world, &call), "verified attested");
}

#[rstest]
#[case(Possession::Dpop)]
#[case(Possession::Pop)]
fn a_policy_may_take_one_kind_only(#[case] possession: Possession) {
    let world = world(Profile::OauthClientAttestation, possession);
    let by_dpop = world.refund();
    let call = attested(&world);
    let by_pop = shown(call.clone(), &pop(&world, call.token()), &world.web);
    let (taken, other) = if possession == Possession::Dpop { (by_dpop, by_pop) } else { (by_pop, by_dpop) };
    assert_eq!(came_out(&world, &taken), "verified attested");
    assert_eq!(came_out(&world, &other), "step_up proof_missing");
}

#[test]
fn an_attestation_without_the_key_itself_binds_nothing() {
    let world = World::new();
    let cnf = json!({ "jkt": world.web.public().thumbprint() });
    let attestation = World::attestation(WEB, &world.web).claim("cnf", cnf).sign(&world.attester).unwrap();
    let call = world.refund().with("oauth-client-attestation", attestation);
    assert_eq!(came_out(&world, &call), "step_up attestation_unbound");
}
