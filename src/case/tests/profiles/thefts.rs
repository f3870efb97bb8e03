//! What a thief, a relay or another proxy makes of attestations, and does not get through with.

use super::*;
use crate::case::tests::reported::jwt_authn;
use crate::case::tests::world::THIEF;
use crate::identity::TrustDomain;
use crate::policy::{IdentitySource, MtlsCredential, XfccCredential};

const GATEWAY: &str = "spiffe://example.org/ns/edge/sa/gateway";

fn statement() -> Jwt {
    let claims = Jwt::new("JWT").claim("sub", WEB).claim("aud", "stepgate").issued(NOW, 600);
    claims.claim("iss", "https://attest.example.com")
}

fn shown(world: &World, call: Call, statement: &Jwt) -> Call {
    call.with("x-attestation", statement.sign(&world.attester).unwrap())
}

fn unbound() -> World {
    world(Profile::Jwt, Possession::None)
}

/// A statement without proof counts once, for our challenge.
fn once() -> World {
    let mut world = unbound();
    level(&mut world, |level| (level.challenge_required, level.single_use) = (true, true));
    world
}

/// Everybody behind the gateway comes with its certificate, and is named by what it reports.
#[rstest]
#[case(&[IdentitySource::Xfcc, IdentitySource::Mtls], "step_up proof_missing")]
// Then it is the gateway that calls, and the statement is not about it.
#[case(&[IdentitySource::Mtls, IdentitySource::Xfcc], "deny credential_subject_mismatch")]
fn the_certificate_of_a_gateway_proves_nothing_of_who_comes_through_it(
    #[case] identity: &[IdentitySource],
    #[case] expected: &str,
) {
    let mut world = unbound();
    world.policy.credentials.xfcc =
        Some(XfccCredential { trust_domains: vec![TrustDomain::parse("example.org").unwrap()] });
    world.policy.credentials.identity = identity.into();
    let mut call = shown(&world, refund(&world), &statement());
    call.peer.certificate = Some(certificate(GATEWAY).into());
    let call = call.with("x-forwarded-client-cert", format!("By={GATEWAY};URI={WEB}"));
    assert_eq!(came_out(&world, &call), expected);
}

#[test]
fn a_name_that_envoy_tells_without_a_certificate_proves_nothing() {
    let mut world = unbound();
    let trust_domains = vec![TrustDomain::parse("example.org").unwrap()];
    world.policy.credentials.mtls = Some(MtlsCredential { trust_domains, certificate_required: false });
    let mut call = shown(&world, refund(&world), &statement());
    call.peer.principal = Some(WEB.into());
    assert_eq!(came_out(&world, &call), "step_up proof_missing");
    // Nor with a certificate that can't be read beside it.
    call.peer.certificate = Some("no certificate".into());
    assert_eq!(came_out(&world, &call), "step_up proof_missing");
}

#[test]
fn a_certificate_of_the_thiefs_own_makes_no_statement_of_the_victim_his() {
    let mut world = unbound();
    world.policy.credentials.identity = vec![IdentitySource::Bearer, IdentitySource::Mtls];
    let mut call = shown(&world, refund(&world), &statement());
    call.peer.certificate = Some(certificate(THIEF).into());
    assert_eq!(came_out(&world, &call), "step_up proof_missing");
}

/// Another service had the workload ask for a token in its own name, with our challenge in it.
#[test]
fn a_challenge_behind_the_name_of_another_is_passed_on() {
    let world = once();
    let challenge = world.challenge(WEB, NOW);
    let relayed = statement().claim("aud", json!(["stepgate", format!("another#{challenge}")]));
    let call = shown(&world, refund(&world), &relayed);
    assert_eq!(came_out(&world, &call), "step_up proof_challenge_missing");
    let own = statement().claim("aud", json!(["another", format!("stepgate#{challenge}")]));
    assert_eq!(came_out(&world, &shown(&world, refund(&world), &own)), "verified attested");
}

#[rstest]
#[case(&[0, 100], 100, 220)]
#[case(&[100, 0], 100, 220)]
fn a_statement_for_several_challenges_passes_once_while_any_of_them_is_good(
    #[case] issued: &[u64],
    #[case] first: u64,
    #[case] last: u64,
) {
    let mut world = once();
    level(&mut world, |level| level.max_age = crate::time::Ttl::from_secs(600));
    let challenges: Vec<_> = issued.iter().map(|at| world.challenge(WEB, NOW + at)).collect();
    let call = shown(&world, refund(&world), &statement().claim("eat_nonce", json!(challenges)));
    assert_eq!(came_out(&world, &call.clone().at(NOW + first)), "verified attested");
    for at in [first, first + 60, last] {
        assert_eq!(came_out(&world, &call.clone().at(NOW + at)), "step_up proof_replayed", "{at}");
    }
    assert_eq!(came_out(&world, &call.clone().at(NOW + last + 1)), "step_up proof_challenge_expired");
    // A clock that goes back brings nothing back.
    assert_eq!(came_out(&world, &call.at(NOW + first)), "step_up proof_replayed");
}

/// The same issuer signs both, and nothing but the profile in it tells them apart.
#[rstest]
#[case("affirming")]
#[case("contraindicated")]
fn attestation_results_pass_only_where_their_verdict_is_read(#[case] status: &str) {
    let world = unbound();
    for dotted in [true, false] {
        let name = if dotted { "ear.status" } else { "ear_status" };
        let results = Jwt::results(dotted).claim("submods", json!({ "kernel": { name: status } }));
        let results = results.header("typ", "JWT").claim("sub", WEB).claim("aud", "stepgate").issued(NOW, 600);
        let call = certified(shown(&world, refund(&world), &results));
        assert_eq!(came_out(&world, &call), "step_up attestation_wrong_type", "{dotted}");
    }
}

/// The upstream could take either of two, and the proof speaks of neither.
#[test]
fn a_proof_that_names_no_transaction_token_does_not_pass_beside_two() {
    let world = world(Profile::Wimse, Possession::Any);
    let wit = Jwt::new("wit+jwt").claim("sub", WEB).claim("cnf", json!({ "jwk": with_alg(&world.web) }));
    let wit = wit.issued(NOW, 600).sign(&world.attester).unwrap();
    let call = refund(&world).with("workload-identity-token", &wit);
    let proof = Jwt::wpt(&wit, TARGET).unwrap().claim("exp", NOW + 30).with_token(call.token());
    let call = call.with("workload-proof-token", proof.sign(&world.web).unwrap());
    let beside = call.clone().and("txn-token", "a.b.c");
    assert_eq!(came_out(&world, &beside), "step_up proof_token_mismatch");
    assert_eq!(came_out(&world, &beside.and("txn-token", "a.b.c")), "step_up proof_token_mismatch");
    assert_eq!(came_out(&world, &call.clone().with("txn-token", "!")), "step_up proof_token_mismatch");
    assert_eq!(came_out(&world, &call), "verified attested");
}

/// Whatever the kind, an identifier is used up with its key.
#[test]
fn two_kinds_of_proof_by_one_key_share_their_identifiers() {
    let world = World::new();
    let attested = |id: &str| {
        let call = refund(&world);
        let attestation = World::attestation(WEB, &world.web).sign(&world.attester).unwrap();
        let pop = Jwt::pop(ORIGIN, "POST", TARGET).unwrap().claim("iat", NOW).claim("jti", id).with_token(call.token());
        let dpop = World::proof(&world.web, call.token()).claim("jti", id);
        let call = call.with("oauth-client-attestation", attestation);
        let [pop, dpop] = [pop, dpop].map(|proof| proof.sign(&world.web).unwrap());
        (call.clone().with("oauth-client-attestation-pop", pop), call.with("dpop", dpop))
    };
    let (own, dpop) = attested("one");
    assert_eq!(came_out(&world, &own), "verified attested");
    assert_eq!(came_out(&world, &dpop), "step_up proof_replayed");
    let (own, dpop) = attested("two");
    assert_eq!(came_out(&world, &dpop), "verified attested");
    assert_eq!(came_out(&world, &own), "step_up proof_replayed");
}

/// Where bearers have a header of their own, what Envoy has verified comes in `authorization` all the same.
#[test]
fn a_token_that_envoy_verified_is_named_by_its_proof_also_where_bearers_come_elsewhere() {
    let mut world = World::new();
    let credentials = &mut world.policy.credentials;
    credentials.jwt_authn = Some(jwt_authn());
    credentials.bearer.as_mut().unwrap().header = "x-token".into();
    credentials.identity = vec![IdentitySource::JwtAuthn];
    let cnf = json!({ "jkt": world.web.public().thumbprint() });
    let claims = json!({ "sub": WEB, "scope": "payments:read", "exp": NOW + 600, "iat": NOW, "cnf": cnf });
    let call = crate::case::tests::reported::verified(Call::new("GET", "/v1/payments/7"), claims);
    let call = call.with("authorization", "DPoP verified.by.envoy");
    let proof = Jwt::proof(world.web.public(), "GET", &format!("{ORIGIN}/v1/payments/7")).unwrap().claim("iat", NOW);
    let shown = |proof: &Jwt| call.clone().with("dpop", proof.sign(&world.web).unwrap());
    assert_eq!(came_out(&world, &shown(&proof)), "deny proof_token_mismatch");
    assert_eq!(came_out(&world, &shown(&proof.with_token("verified.by.envoy"))), "allowed routine");
}
