//! What platforms sign for their workloads.

use super::*;

/// As GitHub or a cluster signs it: bound to nothing.
fn statement() -> Jwt {
    let claims = Jwt::new("JWT").claim("sub", WEB).claim("aud", "stepgate").issued(NOW, 600);
    claims.claim("iss", "https://attest.example.com").claim("repository", "acme/deploy")
}

fn shown(world: &World, call: Call, statement: &Jwt) -> Call {
    call.with("x-attestation", statement.sign(&world.attester).unwrap())
}

fn unbound() -> World {
    world(Profile::Jwt, Possession::None)
}

#[test]
fn without_proof_it_counts_for_a_caller_with_a_certificate_as_long_as_it_is_fresh() {
    let world = unbound();
    let call = certified(shown(&world, refund(&world), &statement()));
    assert_eq!(came_out(&world, &call), "verified attested");
    assert_eq!(came_out(&world, &call.clone().at(NOW + 300)), "verified attested");
    assert_eq!(came_out(&world, &call.at(NOW + 301)), "step_up attestation_too_old");
}

#[test]
fn a_certificate_that_names_another_does_not_make_up_for_proof() {
    let world = unbound();
    let mut call = shown(&world, refund(&world), &statement());
    call.peer.certificate = Some(certificate("spiffe://example.org/gateway").into());
    let mut world = world;
    world.policy.credentials.identity = vec![crate::policy::IdentitySource::Bearer];
    assert_eq!(came_out(&world, &call), "step_up proof_missing");
}

#[test]
fn a_thief_of_the_statement_has_no_certificate() {
    let world = unbound();
    assert_eq!(came_out(&world, &shown(&world, refund(&world), &statement())), "step_up proof_missing");
}

fn once() -> World {
    let mut world = unbound();
    level(&mut world, |level| (level.challenge_required, level.single_use) = (true, true));
    world
}

#[rstest]
#[case("aud")]
#[case("nonce")]
#[case("eat_nonce")]
fn with_our_challenge_in_it_it_is_its_own_proof_and_passes_once(#[case] claim: &str) {
    let world = once();
    let challenge = world.challenge(WEB, NOW);
    let statement = match claim {
        "aud" => statement().claim("aud", json!([format!("stepgate#{challenge}")])),
        "eat_nonce" => statement().claim(claim, json!(["something of the platform's", challenge])),
        claim => statement().claim(claim, challenge),
    };
    let call = shown(&world, refund(&world), &statement);
    assert_eq!(came_out(&world, &call), "verified attested");
    assert_eq!(came_out(&world, &call), "step_up proof_replayed");
}

/// (r, n - s) is as good a signature as (r, s): with it, one statement is written in two ways.
#[test]
fn a_statement_does_not_pass_again_under_its_other_signature() {
    let world = once();
    let statement = statement().claim("nonce", world.challenge(WEB, NOW));
    let call = shown(&world, refund(&world), &statement);
    let other = call.clone().with("x-attestation", with_negated_s(call.header("x-attestation")));
    assert_ne!(call.header("x-attestation"), other.header("x-attestation"));
    assert_eq!(came_out(&world, &call), "verified attested");
    assert_eq!(came_out(&world, &other), "step_up proof_replayed");
}

fn with_negated_s(token: &str) -> String {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    const ORDER: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad,
        0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let mut signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let mut borrow = 0;
    for at in (0..32).rev() {
        let difference = i16::from(ORDER[at]) - i16::from(signature[32 + at]) - borrow;
        borrow = i16::from(difference < 0);
        signature[32 + at] = u8::try_from(difference.rem_euclid(256)).unwrap();
    }
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[rstest]
#[case(None, "proof_challenge_missing")]
#[case(Some("v1.a.b.c"), "proof_challenge_foreign")]
fn a_statement_that_was_not_made_for_our_challenge_does_not_pass(#[case] nonce: Option<&str>, #[case] why: &str) {
    let world = once();
    let statement = nonce.into_iter().fold(statement(), |statement, nonce| statement.claim("nonce", nonce));
    assert_eq!(came_out(&world, &shown(&world, refund(&world), &statement)), format!("step_up {why}"));
}

#[test]
fn somebody_elses_challenge_is_not_ours() {
    let world = once();
    let statement = statement().claim("nonce", world.challenge(crate::case::tests::world::THIEF, NOW));
    let call = shown(&world, refund(&world), &statement);
    assert_eq!(came_out(&world, &call), "step_up proof_challenge_foreign");
}

#[test]
fn what_it_is_bound_to_must_be_proven_also_where_none_is_asked_for() {
    let world = unbound();
    let bound = statement().claim("cnf", json!({ "jkt": world.web.public().thumbprint() }));
    let call = certified(shown(&world, refund(&world), &bound));
    assert_eq!(came_out(&world, &call), "step_up proof_missing");
    let proof = World::proof(&world.web, call.token()).sign(&world.web).unwrap();
    assert_eq!(came_out(&world, &call.with("dpop", proof)), "verified attested");
}

#[rstest]
#[case(Possession::Any, "verified attested")]
#[case(Possession::Mtls, "verified attested")]
#[case(Possession::None, "verified attested")]
#[case(Possession::Dpop, "step_up attestation_binding_unproven")]
fn bound_to_the_clients_certificate_it_may_be_shown_again(#[case] possession: Possession, #[case] expected: &str) {
    let world = world(Profile::Jwt, possession);
    let call = certified(refund(&world));
    let cnf = json!({ "x5t#S256": certificate_of(&call) });
    let call = shown(&world, call, &statement().claim("cnf", cnf));
    assert_eq!(came_out(&world, &call), expected);
    assert_eq!(came_out(&world, &call), expected);
    let thief = certified(call);
    assert_eq!(came_out(&world, &thief), "step_up attestation_binding_unproven");
}

#[rstest]
#[case(json!("stepgate"), true)]
#[case(json!(["another", "stepgate"]), true)]
#[case(json!("stepgate#whatever it was made for"), true)]
#[case(json!("another"), false)]
#[case(json!("another#stepgate"), false)]
#[case(json!("stepgate "), false)]
#[case(json!(ORIGIN), false)]
#[case(Value::Null, false)]
fn it_must_be_made_for_one_of_our_audiences(#[case] audience: Value, #[case] passes: bool) {
    let world = unbound();
    let statement = if audience.is_null() { statement().without("aud") } else { statement().claim("aud", audience) };
    let call = certified(shown(&world, refund(&world), &statement));
    let expected = if passes { "verified attested" } else { "step_up attestation_audience_mismatch" };
    assert_eq!(came_out(&world, &call), expected);
}

#[rstest]
#[case("repository", &["acme/deploy", "acme/infra"], true)]
#[case("repository", &["acme/infra"], false)]
#[case("repository", &["acme/*"], false)]
#[case("environment", &["acme/deploy"], false)]
fn claims_that_the_policy_asks_for_must_be_there(#[case] name: &str, #[case] values: &[&str], #[case] met: bool) {
    let mut world = unbound();
    let values = values.iter().map(|value| (*value).into()).collect();
    world.policy.attestations[0].claims = RequiredClaims::new(vec![ClaimCondition { name: name.into(), values }]);
    let call = certified(shown(&world, refund(&world), &statement()));
    let expected = if met { "verified attested" } else { "step_up attestation_claim_mismatch" };
    assert_eq!(came_out(&world, &call), expected);
}

#[rstest]
#[case("at+jwt")]
#[case("dpop+jwt")]
#[case("wit+jwt")]
#[case("oauth-client-attestation+jwt")]
#[case("logout+jwt")]
fn a_token_of_another_type_is_none(#[case] typ: &str) {
    let world = unbound();
    let call = certified(shown(&world, refund(&world), &statement().header("typ", typ)));
    assert_eq!(came_out(&world, &call), "step_up attestation_wrong_type");
}
