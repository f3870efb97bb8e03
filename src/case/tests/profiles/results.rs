//! Attestation results: what a verifier found.

use super::*;

fn ear(submodules: &Value) -> Jwt {
    let claims = Jwt::new("JWT").claim("sub", WEB).claim("aud", "stepgate").issued(NOW, 600);
    claims.claim("eat_profile", "tag:github.com,2023:veraison/ear").claim("submods", submodules.clone())
}

fn decided(tier: Tier, submodules: &Value) -> String {
    let world = world(Profile::Ear(tier), Possession::None);
    let call = certified(refund(&world));
    came_out(&world, &call.with("x-attestation", ear(submodules).sign(&world.attester).unwrap()))
}

#[rstest]
#[case("affirming", "affirming", "verified attested")]
#[case("affirming", "warning", "step_up attestation_tier_too_low")]
#[case("warning", "warning", "verified attested")]
#[case("warning", "affirming", "verified attested")]
#[case("warning", "none", "step_up attestation_tier_too_low")]
#[case("affirming", "contraindicated", "deny attestation_contraindicated")]
#[case("warning", "contraindicated", "deny attestation_contraindicated")]
fn every_part_of_the_workload_must_reach_the_tier(#[case] asked: &str, #[case] found: &str, #[case] then: &str) {
    let tier = if asked == "warning" { Tier::Warning } else { Tier::Affirming };
    for spelling in ["ear.status", "ear_status"] {
        let both = json!({ "kernel": { spelling: "affirming" }, "container": { spelling: found } });
        assert_eq!(decided(tier, &both), then, "{spelling}");
    }
}

#[test]
fn nothing_found_is_nothing_good() {
    assert!(decided(Tier::Warning, &json!({})).starts_with("step_up"));
}

#[test]
fn a_warning_about_the_workload_beats_whatever_is_shown_beside_it() {
    let mut world = world(Profile::Ear(Tier::Affirming), Possession::None);
    world.policy.attestations.push(crate::case::tests::world::attestation());
    level(&mut world, |level| level.accept = vec![AttestationId(1), AttestationId(0)]);
    let good = certified(world.refund());
    let warned = ear(&json!({ "kernel": { "ear.status": "contraindicated" } })).sign(&world.attester).unwrap();
    assert_eq!(came_out(&world, &good.clone().with("x-attestation", warned)), "deny attestation_contraindicated");
    assert_eq!(came_out(&world, &good), "verified attested");
}
