//! WIMSE: a workload identity token with its proof.

use super::*;

fn wimse() -> World {
    world(Profile::Wimse, Possession::Any)
}

fn wit(world: &World) -> Jwt {
    Jwt::new("wit+jwt").claim("sub", WEB).claim("cnf", json!({ "jwk": with_alg(&world.web) })).issued(NOW, 600)
}

fn wpt(wit: &str) -> Jwt {
    let proof = Jwt::new("wpt+jwt").claim("aud", TARGET).claim("exp", NOW + 30).claim("jti", "0123456789abcdef");
    proof.claim("wth", ath(wit))
}

fn call(world: &World, wit: &str, wpt: &str) -> Call {
    refund(world).with("workload-identity-token", wit).with("workload-proof-token", wpt)
}

#[test]
fn a_workload_identity_token_passes_with_its_proof_once() {
    let world = wimse();
    let wit = wit(&world).sign(&world.attester).unwrap();
    let bearer = refund(&world);
    let proof = wpt(&wit).with_token(bearer.token()).sign(&world.web).unwrap();
    let call = bearer.with("workload-identity-token", &wit).with("workload-proof-token", &proof);
    assert_eq!(came_out(&world, &call), "verified attested");
    assert_eq!(came_out(&world, &call), "step_up proof_replayed");
}

#[test]
fn the_proof_may_stand_in_authorization_where_no_token_does() {
    let world = wimse();
    let wit = wit(&world).sign(&world.attester).unwrap();
    let proof = wpt(&wit).sign(&world.web).unwrap();
    let mut world = world;
    world.policy.credentials.bearer = None;
    let call = certified(Call::new("POST", REFUND)).with("workload-identity-token", &wit);
    let shown = call.clone().with("authorization", format!("WPT {proof}"));
    assert_eq!(came_out(&world, &shown.clone().with("workload-proof-token", &proof)), "step_up proof_repeated");
    assert_eq!(came_out(&world, &shown), "verified attested");
    assert_eq!(came_out(&world, &call), "step_up proof_missing");
}

#[rstest]
#[case("aud", json!("https://api.example.com/v1/payments/8/refund"), "proof_target_mismatch")]
#[case("aud", json!(ORIGIN), "proof_target_mismatch")]
#[case("exp", json!(NOW + 600), "proof_stale")]
#[case("exp", json!(NOW - 30), "proof_stale")]
#[case("exp", Value::Null, "proof_malformed")]
#[case("jti", Value::Null, "proof_malformed")]
#[case("wth", json!(ath("another")), "proof_attestation_mismatch")]
#[case("wth", Value::Null, "proof_malformed")]
#[case("ath", Value::Null, "proof_token_mismatch")]
fn a_proof_that_is_not_for_this_call_proves_nothing(#[case] claim: &str, #[case] value: Value, #[case] why: &str) {
    let world = wimse();
    let wit = wit(&world).sign(&world.attester).unwrap();
    let good = wpt(&wit).with_token(refund(&world).token());
    let changed = if value.is_null() { good.without(claim) } else { good.claim(claim, value) };
    // Signatures of ECDSA differ each time, and so does the bearer: take the one that the proof is for.
    let bearer = refund(&world);
    let changed = if claim == "ath" { changed } else { changed.with_token(bearer.token()) };
    let call =
        bearer.with("workload-identity-token", &wit).with("workload-proof-token", changed.sign(&world.web).unwrap());
    assert_eq!(came_out(&world, &call), format!("step_up {why}"), "{claim}");
}

#[rstest]
#[case::none_of_either(None, &[], "verified attested")]
#[case::that_came(Some("of this call"), &["of this call"], "verified attested")]
#[case::that_is_not_named(None, &["of this call"], "step_up proof_token_mismatch")]
#[case::of_another_call(Some("another"), &["of this call"], "step_up proof_token_mismatch")]
#[case::that_did_not_come(Some("of this call"), &[], "step_up proof_token_mismatch")]
#[case::beside_another(Some("of this call"), &["of this call", "another"], "step_up proof_token_mismatch")]
#[case::twice_and_not_named(None, &["of this call", "another"], "step_up proof_token_mismatch")]
fn a_transaction_token_beside_the_proof_must_be_named_in_it(
    #[case] named: Option<&str>,
    #[case] came: &[&str],
    #[case] expected: &str,
) {
    let world = wimse();
    let wit = wit(&world).sign(&world.attester).unwrap();
    let bearer = refund(&world);
    let proof = wpt(&wit).with_token(bearer.token());
    let proof = named.into_iter().fold(proof, |proof, named| proof.claim("tth", ath(named)));
    let proof = proof.sign(&world.web).unwrap();
    let call = bearer.with("workload-identity-token", &wit).with("workload-proof-token", proof);
    let call = came.iter().fold(call, |call, token| call.and("txn-token", *token));
    assert_eq!(came_out(&world, &call), expected);
}

#[test]
fn a_key_that_says_no_algorithm_binds_nothing() {
    let world = wimse();
    let unbound = wit(&world).claim("cnf", json!({ "jwk": world.web.public().to_json() }));
    let unbound = unbound.sign(&world.attester).unwrap();
    let proof = wpt(&unbound).sign(&world.web).unwrap();
    assert_eq!(came_out(&world, &call(&world, &unbound, &proof)), "step_up attestation_unbound");
}

#[test]
fn somebody_elses_key_proves_nothing() {
    let world = wimse();
    let wit = wit(&world).sign(&world.attester).unwrap();
    let bearer = refund(&world);
    let proof = wpt(&wit).with_token(bearer.token()).sign(&world.thief).unwrap();
    let call = bearer.with("workload-identity-token", &wit).with("workload-proof-token", proof);
    assert_eq!(came_out(&world, &call), "step_up proof_bad_signature");
}
