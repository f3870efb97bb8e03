//! One good refund, and every way in which a thief would change it.

use super::line;
use super::world::{Call, NOW, ORIGIN, REFUND, THIEF, WEB, World, certificate, key};
use crate::mint::{Jwt, SigningKey, sign_verbatim};
use crate::policy::{Route, RouteTable, ScopeSet};
use crate::request::AskedIn;
use rstest::rstest;
use serde_json::{Value, json};

/// The refund with another bearer, and a proof that goes with it.
fn with_bearer(world: &World, bearer: &str) -> Call {
    let proof = World::proof(&world.web, bearer).sign(&world.web).unwrap();
    world.refund().with("authorization", format!("Bearer {bearer}")).with("dpop", proof)
}

fn with_attestation(world: &World, attestation: &Jwt) -> Call {
    world.refund().with("oauth-client-attestation", attestation.sign(&world.attester).unwrap())
}

fn with_proof(world: &World, change: impl FnOnce(Jwt) -> Jwt) -> Call {
    let call = world.refund();
    let proof = change(World::proof(&world.web, call.token())).sign(&world.web).unwrap();
    call.with("dpop", proof)
}

#[rstest]
#[case("iss", json!("https://evil.example"), "credential_unknown_issuer")]
#[case("iss", Value::Null, "credential_unknown_issuer")]
#[case("aud", json!("https://other.example.com"), "credential_audience_mismatch")]
#[case("aud", Value::Null, "credential_audience_mismatch")]
#[case("exp", json!(NOW - 11), "credential_expired")]
#[case("exp", Value::Null, "credential_without_expiry")]
#[case("exp", json!("tomorrow"), "credential_malformed")]
#[case("nbf", json!(NOW + 11), "credential_not_yet_valid")]
#[case("iat", json!(NOW + 11), "credential_not_yet_valid")]
#[case("sub", Value::Null, "credential_subject_mismatch")]
#[case("sub", json!("two words"), "credential_subject_mismatch")]
#[case("cnf", json!({"jkt": "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"}), "credential_binding_unproven")]
#[case("cnf", json!({"x5t#S256": "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"}), "credential_binding_unproven")]
#[case("cnf", json!({"kid": "x"}), "credential_binding_unproven")]
#[case("cnf", json!({}), "credential_binding_unproven")]
fn a_bearer_with_another_claim(#[case] name: &str, #[case] value: Value, #[case] reason: &str) {
    let world = World::new();
    let bearer = World::bearer(WEB, "payments:refund");
    let bearer = if value.is_null() { bearer.without(name) } else { bearer.claim(name, value) };
    let call = with_bearer(&world, &bearer.sign(&world.idp).unwrap());
    assert_eq!(line(&world.decide(&call)), format!("deny {reason}"));
}

#[rstest]
#[case("sub", json!(THIEF), "attestation_subject_mismatch")]
#[case("sub", Value::Null, "attestation_subject_mismatch")]
#[case("iss", json!("https://evil.example"), "attestation_unknown_issuer")]
#[case("aud", json!("https://other.example.com"), "attestation_audience_mismatch")]
#[case("exp", json!(NOW - 11), "attestation_expired")]
#[case("exp", Value::Null, "attestation_without_expiry")]
#[case("nbf", json!(NOW + 11), "attestation_not_yet_valid")]
#[case("iat", json!(NOW + 11), "attestation_not_yet_valid")]
#[case("iat", json!(NOW - 301), "attestation_too_old")]
#[case("iat", Value::Null, "attestation_too_old")]
#[case("cnf", Value::Null, "attestation_unbound")]
#[case("cnf", json!({}), "attestation_unbound")]
fn an_attestation_with_another_claim(#[case] name: &str, #[case] value: Value, #[case] reason: &str) {
    let world = World::new();
    let attestation = World::attestation(WEB, &world.web);
    let attestation = if value.is_null() { attestation.without(name) } else { attestation.claim(name, value) };
    assert_eq!(line(&world.decide(&with_attestation(&world, &attestation))), format!("step_up {reason}"));
}

#[rstest]
#[case("htm", json!("GET"), "proof_method_mismatch")]
#[case("htu", json!("https://api.example.com/v1/payments/8/refund"), "proof_target_mismatch")]
#[case("htu", json!("https://evil.example/v1/payments/7/refund"), "proof_target_mismatch")]
#[case("htu", json!("/v1/payments/7/refund"), "proof_target_mismatch")]
#[case("htu", json!("https://api.example.com/v1/payments/7/../7/refund"), "proof_target_mismatch")]
#[case("ath", json!("47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"), "proof_token_mismatch")]
#[case("ath", Value::Null, "proof_token_mismatch")]
#[case("iat", json!(NOW - 61), "proof_stale")]
#[case("iat", json!(NOW + 11), "proof_stale")]
#[case("iat", Value::Null, "proof_malformed")]
#[case("jti", Value::Null, "proof_malformed")]
#[case("jti", json!(""), "proof_malformed")]
#[case("jti", json!("x".repeat(257)), "proof_malformed")]
#[case("nonce", json!("v1.forged.challenge.mac"), "proof_challenge_foreign")]
fn a_proof_with_another_claim(#[case] name: &str, #[case] value: Value, #[case] reason: &str) {
    let world = World::new();
    let change = |proof: Jwt| if value.is_null() { proof.without(name) } else { proof.claim(name, value.clone()) };
    assert_eq!(line(&world.decide(&with_proof(&world, change))), format!("step_up {reason}"));
}

#[test]
fn a_challenge_of_another_caller_or_another_time() {
    let world = World::new();
    for (challenge, reason) in [
        (world.challenge(THIEF, NOW), "proof_challenge_foreign"),
        (world.challenge(WEB, NOW - 121), "proof_challenge_expired"),
    ] {
        let call = with_proof(&world, |proof| proof.claim("nonce", challenge.clone()));
        assert_eq!(line(&world.decide(&call)), format!("step_up {reason}"));
    }
}

#[test]
fn what_the_victim_sent_to_the_letter() {
    let world = World::new();
    let call = world.refund();
    assert_eq!(line(&world.decide(&call)), "verified attested");
    assert_eq!(line(&world.decide(&call)), "step_up proof_replayed");
}

#[test]
fn the_victims_attestation_with_a_proof_by_the_thief() {
    let world = World::new();
    let call = world.refund();
    let proof = World::proof(&world.thief, call.token()).sign(&world.thief).unwrap();
    assert_eq!(line(&world.decide(&call.with("dpop", proof))), "step_up proof_key_mismatch");
}

#[test]
fn the_thiefs_attestation_with_the_victims_bearer() {
    let world = World::new();
    let attestation = World::attestation(THIEF, &world.thief).sign(&world.attester).unwrap();
    let call = world.refund();
    let proof = World::proof(&world.thief, call.token()).sign(&world.thief).unwrap();
    let call = call.with("oauth-client-attestation", attestation).with("dpop", proof);
    assert_eq!(line(&world.decide(&call)), "step_up attestation_subject_mismatch");
}

#[test]
fn tokens_used_as_one_another() {
    let world = World::new();
    let call = world.refund();
    let swapped = call
        .clone()
        .with("authorization", format!("Bearer {}", call.header("oauth-client-attestation")))
        .with("oauth-client-attestation", call.token());
    assert_eq!(line(&world.decide(&swapped)), "deny credential_wrong_type");
    let bearer_as_attestation = call.clone().with("oauth-client-attestation", call.token());
    assert_eq!(line(&world.decide(&bearer_as_attestation)), "step_up attestation_wrong_type");
    let proof_as_attestation = call.clone().with("oauth-client-attestation", call.header("dpop"));
    assert_eq!(line(&world.decide(&proof_as_attestation)), "step_up attestation_forbidden_header");
    let attestation_as_proof = call.clone().with("dpop", call.header("oauth-client-attestation"));
    assert_eq!(line(&world.decide(&attestation_as_proof)), "step_up proof_wrong_type");
}

#[rstest]
#[case(json!({"alg": "none"}), "attestation_algorithm_not_allowed")]
#[case(json!({"alg": "HS256"}), "attestation_algorithm_not_allowed")]
#[case(json!({"alg": "ES384"}), "attestation_algorithm_not_allowed")]
#[case(json!({"alg": "ES256", "jku": "https://evil.example/jwks"}), "attestation_forbidden_header")]
#[case(json!({"alg": "ES256", "x5u": "https://evil.example/cert"}), "attestation_forbidden_header")]
#[case(json!({"alg": "ES256", "crit": ["exp"]}), "attestation_forbidden_header")]
#[case(json!({"alg": "ES256", "kid": "another"}), "attestation_unknown_key")]
#[case(json!({"alg": "ES256", "typ": "JWT"}), "attestation_wrong_type")]
fn a_header_that_chooses_how_it_is_verified(#[case] changes: Value, #[case] reason: &str) {
    let world = World::new();
    let mut header = json!({"typ": "oauth-client-attestation+jwt"});
    let changes = changes.as_object().unwrap().clone();
    header.as_object_mut().unwrap().extend(changes);
    let claims = json!({"sub": WEB, "exp": NOW + 600, "iat": NOW, "cnf": {"jwk": world.web.public().to_json()}});
    let forged = sign_verbatim(&world.attester, &header.to_string(), &claims.to_string()).unwrap();
    let call = world.refund().with("oauth-client-attestation", forged);
    assert_eq!(line(&world.decide(&call)), format!("step_up {reason}"));
}

#[test]
fn a_key_that_the_token_brings_along() {
    let world = World::new();
    let header = json!({"typ": "oauth-client-attestation+jwt", "alg": "ES256", "jwk": world.thief.public().to_json()});
    let claims = json!({"sub": WEB, "exp": NOW + 600, "iat": NOW, "cnf": {"jwk": world.thief.public().to_json()}});
    let forged = sign_verbatim(&world.thief, &header.to_string(), &claims.to_string()).unwrap();
    let call = world.refund().with("oauth-client-attestation", forged);
    assert_eq!(line(&world.decide(&call)), "step_up attestation_forbidden_header");
}

#[test]
fn an_hmac_under_the_public_key() {
    let world = World::new();
    let public = world.attester.public().to_json().to_string();
    let part = |value: Value| base64(value.to_string().as_bytes());
    let unsigned = format!(
        "{}.{}",
        part(json!({"typ": "oauth-client-attestation+jwt", "alg": "HS256", "kid": world.attester.kid()})),
        part(json!({"sub": WEB, "exp": NOW + 600, "iat": NOW, "cnf": {"jwk": world.thief.public().to_json()}})),
    );
    let mac = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, public.as_bytes());
    let tag = base64(aws_lc_rs::hmac::sign(&mac, unsigned.as_bytes()).as_ref());
    let call = world.refund().with("oauth-client-attestation", format!("{unsigned}.{tag}"));
    assert_eq!(line(&world.decide(&call)), "step_up attestation_algorithm_not_allowed");
}

#[rstest]
#[case(r#"{"sub":"SUB","sub":"SUB","exp":1800000600,"iat":1800000000}"#)]
#[case(r#"{"sub":"SUB","exp":1800000600,"iat":1800000000,"cnf":{"jkt":"a","jkt":"a"}}"#)]
fn duplicate_members(#[case] claims: &str) {
    let world = World::new();
    let header = json!({"typ": "oauth-client-attestation+jwt", "alg": "ES256"});
    let forged = sign_verbatim(&world.attester, &header.to_string(), &claims.replace("SUB", WEB)).unwrap();
    let call = world.refund().with("oauth-client-attestation", forged);
    assert_eq!(line(&world.decide(&call)), "step_up attestation_malformed");
}

#[test]
fn signatures_by_somebody_else() {
    let world = World::new();
    let stranger = |own: &SigningKey| key().with_kid(own.kid());
    let bearer = World::bearer(WEB, "payments:refund").sign(&stranger(&world.idp)).unwrap();
    assert_eq!(line(&world.decide(&with_bearer(&world, &bearer))), "deny credential_bad_signature");
    let attestation = World::attestation(WEB, &world.web).sign(&stranger(&world.attester)).unwrap();
    let call = world.refund().with("oauth-client-attestation", attestation);
    assert_eq!(line(&world.decide(&call)), "step_up attestation_bad_signature");
    let proof = Jwt::proof(world.web.public(), "POST", &format!("{ORIGIN}{REFUND}")).unwrap().claim("iat", NOW);
    let call = world.refund();
    let proof = proof.with_token(call.token()).sign(&world.thief).unwrap();
    assert_eq!(line(&world.decide(&call.with("dpop", proof))), "step_up proof_bad_signature");
}

#[test]
fn headers_that_stand_twice() {
    let world = World::new();
    let call = world.refund();
    for (name, line_expected) in [
        ("oauth-client-attestation", "step_up attestation_repeated"),
        ("dpop", "step_up proof_repeated"),
        ("authorization", "deny repeated_authorization"),
    ] {
        let twice = call.clone().and(name, call.header(name));
        assert_eq!(line(&world.decide(&twice)), line_expected);
    }
}

#[test]
fn headers_joined_by_a_comma() {
    let world = World::new();
    let call = world.refund();
    for (name, line_expected) in [
        ("oauth-client-attestation", "step_up attestation_malformed"),
        ("dpop", "step_up proof_malformed"),
        ("authorization", "deny repeated_authorization"),
    ] {
        let joined = call.clone().with(name, format!("{0},{0}", call.header(name)));
        assert_eq!(line(&world.decide(&joined)), line_expected);
    }
}

#[rstest]
#[case("Basic eA==, Bearer a.b.c", "deny repeated_authorization")]
#[case("Basic eA==,dpop a.b.c", "deny repeated_authorization")]
#[case("Bearer\ta.b.c", "deny credential_malformed")]
#[case("bearer", "deny credential_malformed")]
#[case("Bearer ", "deny credential_malformed")]
#[case("DPoP", "deny credential_malformed")]
#[case("Basic eA==", "allowed routine")]
fn a_header_that_only_looks_like_a_token(#[case] value: &str, #[case] expected: &str) {
    let world = World::new();
    assert_eq!(line(&world.decide(&Call::new("GET", "/status").with("authorization", value))), expected);
}

#[test]
fn an_issuer_that_names_whom_it_may_not_speak_for() {
    let mut world = World::new();
    world.policy.issuers[0].subjects = vec![crate::policy::NamePattern::parse("billing-*").unwrap()];
    assert_eq!(line(&world.decide(&world.refund())), "deny credential_subject_mismatch");
    let mut world = World::new();
    world.policy.issuers[1].subjects = vec![crate::policy::NamePattern::parse("billing-*").unwrap()];
    assert_eq!(line(&world.decide(&world.refund())), "step_up attestation_subject_mismatch");
}

#[test]
fn a_method_in_lower_case() {
    let world = World::new();
    let call = Call { method: "post", ..world.refund().without("dpop").without("oauth-client-attestation") };
    assert_eq!(line(&world.decide(&call)), "step_up attestation_missing");
}

#[test]
fn a_proof_for_a_host_that_the_caller_chose() {
    let mut world = World::new();
    world.policy.resource = None;
    assert_eq!(line(&world.decide(&world.refund())), "verified attested");
    let elsewhere = Call { path: "/v2/unknown", host: "other.example.com", ..world.refund() };
    assert_eq!(line(&world.decide(&elsewhere)), "deny unmatched_route");
}

#[test]
fn tokens_that_are_too_long() {
    let world = World::new();
    let long = "a".repeat(80 * 1024);
    let call = world.refund();
    for (name, value, line_expected) in [
        ("oauth-client-attestation", long.clone(), "step_up attestation_oversize"),
        ("dpop", long.clone(), "step_up proof_oversize"),
        ("authorization", format!("Bearer {long}"), "deny credential_oversize"),
    ] {
        assert_eq!(line(&world.decide(&call.clone().with(name, value))), line_expected);
    }
}

#[test]
fn a_principal_by_envoys_word_alone_where_a_certificate_is_required() {
    let world = World::new();
    let mut call = world.refund().without("authorization");
    call.peer.principal = Some(WEB.into());
    assert_eq!(line(&world.decide(&call)), "deny credential_missing");
}

#[test]
fn a_certificate_of_one_with_the_bearer_of_another() {
    let world = World::new();
    let mut call = world.refund();
    call.peer.certificate = Some(certificate(THIEF).into());
    assert_eq!(line(&world.decide(&call)), "deny credential_subject_mismatch");
    call.peer.certificate = Some(certificate(WEB).into());
    assert_eq!(line(&world.decide(&call)), "verified attested");
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

/// The token endpoint behind us may know no case in scopes, or split them at commas.
#[rstest]
#[case("payments:read", "allowed routine")]
#[case("payments:refund", "step_up attestation_missing")]
#[case("Payments:REFUND", "step_up attestation_missing")]
#[case("payments:read,payments:refund", "step_up attestation_missing")]
fn an_elevated_scope_asked_for_in_other_letters(#[case] asked: &'static str, #[case] expected: &str) {
    let mut world = World::new();
    let issues = AskedIn::Header("x-scope".into());
    let routes = world.policy.routes.iter().map(|(_, route)| Route {
        issues: (route.name.as_str() == "refund").then(|| issues.clone()),
        scopes: ScopeSet::default(),
        elevated: ScopeSet::default(),
        ..route.clone()
    });
    world.policy.routes = RouteTable::new(routes.collect(), false);
    let call = world.refund().without("oauth-client-attestation").with("x-scope", asked);
    assert_eq!(line(&world.decide(&call)), expected);
}
