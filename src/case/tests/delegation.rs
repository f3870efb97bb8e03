//! Tokens that come beside another source of identity: whose they must be, and what they lend.

use super::line;
use super::reported::{claims, claims_with, jwt_authn, verified, with_digest};
use super::standing::identities;
use super::world::{Call, NOW, ORIGIN, REFUND, THIEF, WEB, World, certificate};
use crate::identity::TrustDomain;
use crate::mint::Jwt;
use crate::policy::{IdentitySource, ScopeSet, XfccCredential};
use rstest::rstest;
use serde_json::{Value, json};

const READ: &str = "/v1/payments/7";
/// For whom somebody else may act.
const ALICE: &str = "alice@example.com";

/// The workload's certificate, with a bearer.
fn call(world: &World, bearer: &Jwt) -> Call {
    let token = bearer.sign(&world.idp).unwrap();
    let mut call = Call::new("GET", READ).with("authorization", format!("Bearer {token}"));
    call.peer.certificate = Some(certificate(WEB).into());
    call
}

fn bearer(subject: &str) -> Jwt {
    World::bearer(subject, "payments:read")
}

#[rstest]
#[case(WEB, "allowed routine")]
#[case("billing-web", "allowed routine")]
#[case("Billing-Web", "deny credential_subject_mismatch")]
#[case("billing-batch", "deny credential_subject_mismatch")]
#[case(THIEF, "deny credential_subject_mismatch")]
#[case(ALICE, "deny credential_subject_mismatch")]
fn a_bearer_beside_a_certificate_must_be_its_owners_or_an_aliass(#[case] subject: &str, #[case] expected: &str) {
    let mut world = World::new();
    world.policy.identities = identities(&[
        "WEB=billing-web,web",
        "spiffe://example.org/ns/thief/sa/thief=billing-batch",
        "spiffe://example.org/**",
    ]);
    let decision = world.decide(&call(&world, &bearer(subject)));
    assert_eq!(line(&decision), expected);
    if let Some(caller) = &decision.findings.caller {
        assert_eq!(caller.principal.as_ref().unwrap().as_str(), WEB);
    }
}

/// Two names that one pattern matches are two callers.
#[test]
fn a_pattern_makes_nobody_an_alias_of_another() {
    let mut world = World::new();
    world.policy.identities = identities(&["spiffe://example.org/**"]);
    assert_eq!(line(&world.decide(&call(&world, &bearer(THIEF)))), "deny credential_subject_mismatch");
}

#[test]
fn a_bearer_that_is_bound_to_the_certificate_is_whoever_it_names() {
    let world = World::new();
    let ((own, digest), (other, _)) = (with_digest(WEB), with_digest(WEB));
    let bound = bearer(ALICE).claim("cnf", json!({"x5t#S256": digest}));
    let mut call = call(&world, &bound);
    call.peer.certificate = Some(own);
    let decision = world.decide(&call);
    assert_eq!(line(&decision), "allowed routine");
    assert_eq!(decision.findings.caller.unwrap().principal.unwrap().as_str(), WEB);
    call.peer.certificate = Some(other);
    assert_eq!(line(&world.decide(&call)), "deny credential_binding_unproven");
    call.peer.certificate = None;
    assert_eq!(line(&world.decide(&call)), "deny credential_binding_unproven");
}

/// It is the proxy's certificate that the token is bound to then, and not the caller's.
#[test]
fn a_bearer_that_is_bound_to_the_certificate_of_a_proxy_speaks_for_nobody_else() {
    let mut world = World::new();
    let credentials = &mut world.policy.credentials;
    credentials.xfcc = Some(XfccCredential { trust_domains: vec![TrustDomain::parse("example.org").unwrap()] });
    credentials.identity = vec![IdentitySource::Xfcc, IdentitySource::Mtls];
    let (proxy, digest) = with_digest("spiffe://example.org/edge");
    let bound = bearer(ALICE).claim("cnf", json!({"x5t#S256": digest}));
    let mut call = call(&world, &bound).with("x-forwarded-client-cert", format!("URI={WEB}"));
    call.peer.certificate = Some(proxy);
    assert_eq!(line(&world.decide(&call)), "deny credential_subject_mismatch");
}

const DELEGATED: &str = "allowed routine";
const REFUSED: &str = "deny credential_subject_mismatch";

#[rstest]
#[case("act", json!({"sub": WEB}), DELEGATED)]
#[case("act", json!({"sub": "billing-web"}), DELEGATED)]
#[case("azp", json!(WEB), DELEGATED)]
#[case("client_id", json!(WEB), DELEGATED)]
#[case("client_id", json!("billing-web"), DELEGATED)]
#[case("act", json!({"sub": THIEF}), REFUSED)]
#[case("act", json!({"client_id": WEB}), REFUSED)]
// Who acted before is history, and not who acts now (RFC 8693 §4.1).
#[case("act", json!({"sub": THIEF, "act": {"sub": WEB}}), REFUSED)]
#[case("azp", json!(THIEF), REFUSED)]
#[case("client_id", json!(""), REFUSED)]
#[case("may_act", json!({"sub": WEB}), REFUSED)]
#[case("aud", json!([ORIGIN, WEB]), REFUSED)]
#[case("act", json!(WEB), "deny credential_malformed")]
#[case("azp", json!([WEB]), "deny credential_malformed")]
fn a_bearer_for_somebody_else_counts_for_whom_it_was_given_to(
    #[case] claim: &str,
    #[case] value: Value,
    #[case] expected: &str,
    #[values(true, false)] delegated: bool,
) {
    let mut world = World::new();
    world.policy.identities = identities(&["WEB=billing-web"]);
    world.policy.credentials.bearer.as_mut().unwrap().delegated = delegated;
    let decision = world.decide(&call(&world, &bearer(ALICE).claim(claim, value)));
    assert_eq!(line(&decision), if delegated { expected } else { REFUSED });
}

#[test]
fn a_delegated_bearer_lends_its_scopes_and_nothing_else() {
    let mut world = World::new();
    world.policy.identities = identities(&["WEB", ALICE]);
    world.policy.credentials.bearer.as_mut().unwrap().delegated = true;
    let token = World::bearer(ALICE, "payments:refund").claim("azp", WEB).sign(&world.idp).unwrap();
    let refund = |attested: &str| {
        let proof =
            World::proof(&world.web, &token).claim("nonce", world.challenge(WEB, NOW)).sign(&world.web).unwrap();
        let attestation = World::attestation(attested, &world.web).sign(&world.attester).unwrap();
        let mut call = Call::new("POST", REFUND)
            .with("authorization", format!("Bearer {token}"))
            .with("oauth-client-attestation", attestation)
            .with("dpop", proof);
        call.peer.certificate = Some(certificate(WEB).into());
        call
    };
    let decision = world.decide(&refund(WEB));
    assert_eq!(line(&decision), "verified attested");
    let caller = decision.findings.caller.unwrap();
    assert_eq!(caller.principal.unwrap().as_str(), WEB);
    assert_eq!(caller.granted, ScopeSet::parse("payments:refund").ok());
    let described = world.policy.identities.get(decision.findings.identity.unwrap()).unwrap();
    assert_eq!(described.pattern.as_str(), WEB);
    // Proof by whom the token speaks for is no proof by the caller.
    assert_eq!(line(&world.decide(&refund(ALICE))), "step_up attestation_subject_mismatch");
}

/// A token alone is its subject's, whomever it was given to.
#[test]
fn a_delegated_bearer_alone_makes_nobody_the_one_it_was_given_to() {
    let mut world = World::new();
    world.policy.credentials.bearer.as_mut().unwrap().delegated = true;
    let mut call = call(&world, &bearer(ALICE).claim("azp", WEB));
    call.peer.certificate = None;
    let decision = world.decide(&call);
    assert_eq!(line(&decision), "allowed routine");
    assert_eq!(decision.findings.caller.unwrap().principal.unwrap().as_str(), ALICE);
}

/// Callers are known by what Envoy verified, and may bring a bearer with it.
fn with_two_tokens(header: &str) -> World {
    let mut world = World::new();
    let credentials = &mut world.policy.credentials;
    credentials.jwt_authn = Some(jwt_authn());
    credentials.identity = vec![IdentitySource::JwtAuthn, IdentitySource::Bearer];
    credentials.bearer.as_mut().unwrap().header = header.into();
    world
}

#[rstest]
#[case("payments:read", "payments:read", "allowed routine")]
#[case("payments:read payments:refund", "payments:read", "allowed routine")]
#[case("payments:read", "payments:read payments:refund", "allowed routine")]
#[case("payments:read", "payments:refund", "deny insufficient_scope")]
#[case("payments:refund", "payments:read", "deny insufficient_scope")]
#[case("payments:read", "", "deny insufficient_scope")]
#[case("", "payments:read", "deny insufficient_scope")]
fn of_two_tokens_both_must_grant(#[case] by_envoy: &str, #[case] own: &str, #[case] expected: &str) {
    let world = with_two_tokens("authorization");
    let token = World::bearer(WEB, own).sign(&world.idp).unwrap();
    let call = Call::new("GET", READ).with("authorization", format!("Bearer {token}"));
    assert_eq!(line(&world.decide(&verified(call, claims_with("scope", &json!(by_envoy))))), expected);
}

#[rstest]
#[case("sub", json!(THIEF), "deny credential_subject_mismatch")]
#[case("sub", Value::Null, "deny credential_subject_mismatch")]
#[case("exp", json!(NOW - 10), "deny credential_expired")]
#[case("act", json!({"sub": THIEF}), "allowed routine")]
fn two_tokens_must_both_be_good_and_the_callers(
    #[case] claim: &str,
    #[case] value: Value,
    #[case] expected: &str,
    #[values(true, false)] envoys_is_other: bool,
) {
    let world = with_two_tokens("authorization");
    let own = bearer(WEB);
    let own = match (&value, envoys_is_other) {
        (_, true) => own,
        (Value::Null, false) => own.without(claim),
        (value, false) => own.claim(claim, value.clone()),
    };
    let by_envoy = if envoys_is_other { claims_with(claim, &value) } else { claims() };
    let token = own.sign(&world.idp).unwrap();
    let call = Call::new("GET", READ).with("authorization", format!("Bearer {token}"));
    assert_eq!(line(&world.decide(&verified(call, by_envoy))), expected);
}

#[test]
fn what_envoy_verified_is_never_delegated() {
    let mut world = with_two_tokens("authorization");
    world.policy.credentials.bearer.as_mut().unwrap().delegated = true;
    world.policy.credentials.identity = vec![IdentitySource::Mtls];
    let mut claims = claims_with("sub", &json!(ALICE));
    claims["azp"] = json!(WEB);
    let mut call = verified(Call::new("GET", READ), claims);
    call.peer.certificate = Some(certificate(WEB).into());
    assert_eq!(line(&world.decide(&call)), "deny credential_subject_mismatch");
}

/// A thief has a token of the victim's that is bound to a key, and another that is not. The second must not hide that
/// nobody has shown the key of the first.
#[test]
fn a_bearer_does_not_stand_in_for_the_proof_of_another_token() {
    let world = with_two_tokens("x-token");
    let by_envoy = claims_with("cnf", &json!({"jkt": world.web.public().thumbprint()}));
    let token = bearer(WEB).sign(&world.idp).unwrap();
    let call = Call::new("GET", READ).with("authorization", "DPoP verified.by.envoy").with("x-token", &*token);
    assert_eq!(line(&world.decide(&verified(call.clone(), by_envoy.clone()))), "deny credential_binding_unproven");

    // Nor does one that is bound to the thief's own key, with a proof by that.
    let bound = bearer(WEB).claim("cnf", json!({"jkt": world.thief.public().thumbprint()})).sign(&world.idp).unwrap();
    let proof = Jwt::proof(world.thief.public(), "GET", &format!("{ORIGIN}{READ}")).unwrap();
    let proof = proof.claim("iat", NOW).with_token(&bound).sign(&world.thief).unwrap();
    let call = call.with("x-token", format!("DPoP {bound}")).with("dpop", proof);
    assert_eq!(line(&world.decide(&verified(call, by_envoy))), "deny credential_binding_unproven");
}

#[test]
fn one_token_that_both_verify_needs_one_proof() {
    let world = with_two_tokens("authorization");
    let cnf = json!({"jkt": world.web.public().thumbprint()});
    let token = bearer(WEB).claim("cnf", cnf.clone()).sign(&world.idp).unwrap();
    let proof = Jwt::proof(world.web.public(), "GET", &format!("{ORIGIN}{READ}")).unwrap();
    let proof = proof.claim("iat", NOW).with_token(&token).sign(&world.web).unwrap();
    let call = Call::new("GET", READ).with("authorization", format!("DPoP {token}")).with("dpop", proof);
    assert_eq!(line(&world.decide(&verified(call, claims_with("cnf", &cnf)))), "allowed routine");
}
