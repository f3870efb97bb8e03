//! What an attestation was made for.

use super::*;

/// Proven by DPoP, saying this much of what it is for.
fn saying(world: &World, claims: &[(&str, Value)]) -> Call {
    let attestation = claims
        .iter()
        .fold(World::attestation(WEB, &world.web), |attestation, (name, value)| attestation.claim(name, value.clone()));
    world.refund().with("oauth-client-attestation", attestation.sign(&world.attester).unwrap())
}

#[rstest]
#[case("payments:refund", "verified attested")]
#[case("admin:wipe payments:refund", "verified attested")]
#[case("payments:*", "step_up attestation_scope_mismatch")]
#[case("payments:read", "step_up attestation_scope_mismatch")]
#[case("", "step_up attestation_scope_mismatch")]
fn a_scoped_level_wants_the_elevated_scopes_named(#[case] scopes: &str, #[case] expected: &str) {
    let mut world = World::new();
    level(&mut world, |level| level.scoped = true);
    assert_eq!(came_out(&world, &saying(&world, &[("scope", json!(scopes))])), expected);
}

#[test]
fn no_scope_covers_a_route_that_nobody_knows() {
    let mut world = World::new();
    level(&mut world, |level| level.scoped = true);
    let bearer = World::bearer(WEB, "payments:refund").sign(&world.idp).unwrap();
    let attestation = World::attestation(WEB, &world.web).claim("scope", "payments:refund");
    let call = Call::new("POST", "/unknown")
        .with("authorization", format!("Bearer {bearer}"))
        .with("oauth-client-attestation", attestation.sign(&world.attester).unwrap());
    assert_eq!(came_out(&world, &call), "step_up attestation_scope_mismatch");
}

#[rstest]
#[case(json!("run-8841"), "verified attested")]
#[case(json!(""), "step_up attestation_without_task")]
#[case(Value::Null, "step_up attestation_without_task")]
fn a_level_may_want_a_task(#[case] task: Value, #[case] expected: &str) {
    let mut world = World::new();
    level(&mut world, |level| level.task_required = true);
    let claims: &[_] = if task.is_null() { &[] } else { &[("txn", task)] };
    assert_eq!(came_out(&world, &saying(&world, claims)), expected);
}

#[rstest]
#[case(json!([{ "type": "stepgate", "actions": ["refund"] }]), "verified attested")]
#[case(json!([{ "type": "stepgate", "actions": ["wipe"] }, { "type": "stepgate", "actions": ["refund"] }]), "verified attested")]
#[case(json!([{ "type": "payment" }]), "verified attested")]
#[case(json!([{ "type": "stepgate", "actions": ["wipe"] }]), "step_up attestation_intent_mismatch")]
#[case(json!([{ "type": "stepgate", "locations": ["other.example.com"] }]), "step_up attestation_intent_mismatch")]
#[case(json!([{ "type": "stepgate", "actions": ["refund"], "locations": ["api.example.com"] }]), "verified attested")]
#[case(json!([{ "type": "stepgate", "actions": ["refund"], "privileges": ["some"] }]), "step_up attestation_intent_mismatch")]
#[case(json!("stepgate"), "step_up attestation_malformed")]
fn an_attestation_for_one_intent_does_not_open_another(#[case] details: Value, #[case] expected: &str) {
    let world = World::new();
    assert_eq!(came_out(&world, &saying(&world, &[("authorization_details", details)])), expected);
}
