//! Callers as Envoy reports them: by the claims of a token that its filter verified, and by the certificate that another
//! proxy has seen. What a caller can write itself names nobody.

use super::line;
use super::world::{Call, NOW, ORIGIN, THIEF, WEB, World, certificate};
use crate::attestation::json::Object;
use crate::decision::Decision;
use crate::identity::{PeerCertificate, TrustDomain};
use crate::mint::{Jwt, SigningKey};
use crate::policy::{IdentitySource, JwtAuthnCredential, NamePattern, XfccCredential};
use crate::request::Metadata;
use rstest::rstest;
use serde_json::{Value, json};

const READ: &str = "/v1/payments/7";
/// What Envoy has verified; nothing is read of it here but its digest.
const TOKEN: &str = "verified.by.envoy";

pub(super) fn jwt_authn() -> JwtAuthnCredential {
    JwtAuthnCredential {
        namespace: JwtAuthnCredential::DEFAULT_NAMESPACE.into(),
        key: "idp".into(),
        subject: "sub".into(),
        scopes: "scope".into(),
        subjects: Vec::new(),
    }
}

/// Callers are known by what Envoy verified, and by nothing else.
fn world() -> World {
    let mut world = World::new();
    let credentials = &mut world.policy.credentials;
    (credentials.bearer, credentials.mtls, credentials.jwt_authn) = (None, None, Some(jwt_authn()));
    credentials.identity = vec![IdentitySource::JwtAuthn];
    world
}

pub(super) fn claims() -> Value {
    json!({"sub": WEB, "scope": "payments:read", "exp": NOW + 600, "iat": NOW})
}

/// The claims with one changed, or taken out.
pub(super) fn claims_with(name: &str, value: &Value) -> Value {
    let mut claims = claims();
    let members = claims.as_object_mut().unwrap();
    members.remove(name);
    if !value.is_null() {
        members.insert(name.to_owned(), value.clone());
    }
    claims
}

/// The call with this as what Envoy verified.
pub(super) fn verified(call: Call, payload: Value) -> Call {
    let left = Object::from_iter([("idp".to_owned(), payload)]);
    Call { metadata: Metadata::from_iter([(JwtAuthnCredential::DEFAULT_NAMESPACE.into(), left)]), ..call }
}

fn read(payload: Value) -> Call {
    verified(Call::new("GET", READ), payload)
}

fn principal(decision: &Decision) -> Option<&str> {
    Some(decision.findings.caller.as_ref()?.principal.as_ref()?.as_str())
}

#[test]
fn whom_envoy_verified_is_the_caller_and_has_the_scopes_of_the_token() {
    let world = world();
    let decision = world.decide(&read(claims()));
    assert_eq!((line(&decision).as_str(), principal(&decision)), ("allowed routine", Some(WEB)));
    let other_scope = read(claims_with("scope", &json!("payments:refund")));
    assert_eq!(line(&world.decide(&other_scope)), "deny insufficient_scope");
}

#[rstest]
#[case("exp", json!(NOW - 10), "deny credential_expired")]
#[case("exp", json!("tomorrow"), "deny credential_malformed")]
#[case("nbf", json!(NOW + 11), "deny credential_not_yet_valid")]
#[case("iat", json!(NOW + 11), "deny credential_not_yet_valid")]
#[case("sub", Value::Null, "deny credential_subject_mismatch")]
#[case("sub", json!("two words"), "deny credential_subject_mismatch")]
#[case("sub", json!(""), "deny credential_subject_mismatch")]
#[case("sub", json!([WEB]), "deny credential_malformed")]
#[case("scope", json!({"payments:read": true}), "deny credential_malformed")]
#[case("scope", Value::Null, "deny insufficient_scope")]
#[case("cnf", json!("key"), "deny credential_malformed")]
#[case("cnf", json!({}), "deny credential_binding_unproven")]
#[case("cnf", json!({"kid": "x"}), "deny credential_binding_unproven")]
// Whom it was made for is Envoy's business.
#[case("aud", json!("https://other.example.com"), "allowed routine")]
// Envoy takes tokens without an end.
#[case("exp", Value::Null, "allowed routine")]
fn a_verified_token_with_another_claim(#[case] name: &str, #[case] value: Value, #[case] expected: &str) {
    assert_eq!(line(&world().decide(&read(claims_with(name, &value)))), expected);
}

#[rstest]
#[case("nbf")]
#[case("iat")]
fn a_verified_token_without_an_end_has_a_beginning_all_the_same(#[case] name: &str) {
    let mut claims = claims_with(name, &json!(NOW + 11));
    claims.as_object_mut().unwrap().remove("exp");
    assert_eq!(line(&world().decide(&read(claims))), "deny credential_not_yet_valid");
}

#[rstest]
#[case(json!(null))]
#[case(json!(true))]
#[case(json!(7))]
#[case(json!("eyJzdWIiOiJ3ZWIifQ"))]
#[case(json!([claims()]))]
fn claims_that_are_no_object_are_refused_and_not_passed_over(#[case] payload: Value) {
    assert_eq!(line(&world().decide(&read(payload))), "deny credential_malformed");
}

#[test]
fn claims_under_another_name_are_nobodys() {
    let world = world();
    let under = |namespace: &str, key: &str| {
        let left = Object::from_iter([(key.to_owned(), claims())]);
        Call { metadata: Metadata::from_iter([(namespace.into(), left)]), ..Call::new("GET", READ) }
    };
    let namespace = JwtAuthnCredential::DEFAULT_NAMESPACE;
    for (namespace, key) in
        [(namespace, "other"), (namespace, "IDP"), (namespace, ""), ("envoy.filters.http.lua", "idp")]
    {
        assert_eq!(line(&world.decide(&under(namespace, key))), "deny credential_missing", "{namespace} {key}");
    }
}

#[test]
fn a_token_that_names_whom_it_may_not_is_refused() {
    let mut world = world();
    let subjects = ["billing-*", "spiffe://example.org/**"].map(|text| NamePattern::parse(text).unwrap());
    world.policy.credentials.jwt_authn.as_mut().unwrap().subjects = subjects.into();
    for (subject, expected) in [
        (WEB, "allowed routine"),
        ("billing-batch", "allowed routine"),
        ("admin", "deny credential_subject_mismatch"),
        ("spiffe://example.org.evil/ns/billing/sa/web", "deny credential_subject_mismatch"),
    ] {
        assert_eq!(line(&world.decide(&read(claims_with("sub", &json!(subject))))), expected, "{subject}");
    }
}

/// The call in the scheme for tokens that are bound to a key.
fn bound(world: &World) -> Call {
    let cnf = json!({"jkt": world.web.public().thumbprint()});
    let call = read(claims_with("cnf", &cnf)).with("authorization", format!("DPoP {TOKEN}"));
    call.with("dpop", proof(&world.web, TOKEN))
}

fn proof(key: &SigningKey, token: &str) -> String {
    let proof = Jwt::proof(key.public(), "GET", &format!("{ORIGIN}{READ}")).unwrap();
    proof.claim("iat", NOW).with_token(token).sign(key).unwrap()
}

#[test]
fn a_verified_token_that_is_bound_to_a_key_passes_once_with_each_proof() {
    let world = world();
    let call = bound(&world);
    assert_eq!(line(&world.decide(&call)), "allowed routine");
    assert_eq!(line(&world.decide(&call)), "deny proof_replayed");
}

#[test]
fn a_stolen_token_that_is_bound_to_a_key_is_worth_nothing() {
    let world = world();
    let call = || bound(&world);
    for (call, expected) in [
        (call().without("dpop"), "deny credential_binding_unproven"),
        (call().with("authorization", format!("Bearer {TOKEN}")), "deny credential_binding_unproven"),
        // In a header that only Envoy reads.
        (call().without("authorization"), "deny credential_binding_unproven"),
        (call().with("authorization", "DPoP"), "deny credential_malformed"),
        (call().with("dpop", proof(&world.thief, TOKEN)), "deny proof_key_mismatch"),
        (call().with("dpop", proof(&world.web, "another.token")), "deny proof_token_mismatch"),
        (call().and("dpop", proof(&world.web, TOKEN)), "deny proof_repeated"),
        (call().and("authorization", format!("Bearer {TOKEN}")), "deny repeated_authorization"),
    ] {
        assert_eq!(line(&world.decide(&call)), expected, "{:?}", call.headers);
    }
}

#[test]
fn the_scheme_for_bound_tokens_takes_no_other() {
    let world = world();
    let call = read(claims()).with("authorization", format!("DPoP {TOKEN}")).with("dpop", proof(&world.web, TOKEN));
    assert_eq!(line(&world.decide(&call)), "deny credential_binding_unproven");
}

/// A certificate as Envoy forwards it, and its digest as tokens have it.
pub(super) fn with_digest(id: &str) -> (Box<str>, String) {
    let pem = certificate(id);
    let digest = PeerCertificate::parse(&pem).unwrap().thumbprint.to_string();
    (pem.into(), digest)
}

#[test]
fn a_verified_token_that_is_bound_to_a_certificate_needs_that_very_one() {
    let world = world();
    let ((own, digest), (other, _)) = (with_digest(WEB), with_digest(WEB));
    let call = |certificate: Option<&str>| {
        let mut call = read(claims_with("cnf", &json!({"x5t#S256": digest})));
        call.peer.certificate = certificate.map(Into::into);
        call
    };
    assert_eq!(line(&world.decide(&call(Some(&own)))), "allowed routine");
    assert_eq!(line(&world.decide(&call(None))), "deny credential_binding_unproven");
    assert_eq!(line(&world.decide(&call(Some(&other)))), "deny credential_binding_unproven");
    assert_eq!(line(&world.decide(&call(Some("no certificate")))), "deny credential_binding_unproven");
    let in_the_header_of_a_proxy =
        call(None).with("x-forwarded-client-cert", format!("Hash=00;Cert=\"{own}\";URI={WEB}"));
    assert_eq!(line(&world.decide(&in_the_header_of_a_proxy)), "deny credential_binding_unproven");
}

#[test]
fn a_token_that_is_bound_to_a_key_and_a_certificate_needs_both() {
    let world = world();
    let (own, digest) = with_digest(WEB);
    let cnf = json!({"jkt": world.web.public().thumbprint(), "x5t#S256": digest});
    let call = |certificate: Option<&str>| {
        let mut call = Call { metadata: read(claims_with("cnf", &cnf)).metadata, ..bound(&world) };
        call.peer.certificate = certificate.map(Into::into);
        call
    };
    assert_eq!(line(&world.decide(&call(None))), "deny credential_binding_unproven");
    assert_eq!(line(&world.decide(&call(Some(&own)).without("dpop"))), "deny credential_binding_unproven");
    assert_eq!(line(&world.decide(&call(Some(&own)))), "allowed routine");
}

#[test]
fn where_nothing_is_configured_what_envoy_left_names_nobody() {
    assert_eq!(line(&World::new().decide(&read(claims()))), "deny credential_missing");
}

const ADMIN: &str = "spiffe://example.org/ns/admin/sa/root";

/// Callers are known by the certificate that another proxy has seen.
fn behind_a_proxy() -> World {
    let mut world = World::new();
    let credentials = &mut world.policy.credentials;
    (credentials.bearer, credentials.mtls) = (None, None);
    credentials.xfcc = Some(XfccCredential { trust_domains: vec![TrustDomain::parse("example.org").unwrap()] });
    credentials.identity = vec![IdentitySource::Xfcc];
    world
}

#[rstest]
#[case(&format!("By=spiffe://example.org/edge;Hash=ab;URI={WEB}"), Some(WEB))]
#[case(&format!("URI={ADMIN},By=spiffe://example.org/edge;Hash=ab;URI={WEB}"), Some(WEB))]
#[case(&format!("URI={ADMIN}, URI={ADMIN} , URI={WEB}"), Some(WEB))]
#[case(&format!("Subject=\"CN=x,URI={ADMIN}\";URI={WEB}"), Some(WEB))]
// Where the last proxy saw no such name, the caller's own words don't count.
#[case(&format!("URI={ADMIN},By=spiffe://example.org/edge;Hash=ab"), None)]
#[case(&format!("URI={ADMIN},"), None)]
#[case(&format!("URI={ADMIN},Subject=\"URI={WEB}"), None)]
#[case(&format!("URI={WEB};URI={ADMIN}"), None)]
#[case(&format!("DNS={WEB}"), None)]
#[case(&format!("By={WEB}"), None)]
#[case("URI=spiffe://evil.example/ns/billing/sa/web", None)]
#[case("URI=https://example.org", None)]
#[case("", None)]
#[case("spiffe://example.org/ns/billing/sa/web", None)]
fn only_what_the_last_proxy_saw_names_the_caller(#[case] header: &str, #[case] expected: Option<&str>) {
    let world = behind_a_proxy();
    let decision = world.decide(&Call::new("GET", READ).with("x-forwarded-client-cert", header));
    let reason = if expected.is_some() { "allowed routine" } else { "deny credential_missing" };
    assert_eq!((line(&decision).as_str(), principal(&decision)), (reason, expected));
}

#[test]
fn of_two_headers_nobody_can_tell_which_the_last_proxy_wrote() {
    let call = Call::new("GET", READ)
        .with("x-forwarded-client-cert", format!("URI={ADMIN}"))
        .and("x-forwarded-client-cert", format!("URI={WEB}"));
    assert_eq!(line(&behind_a_proxy().decide(&call)), "deny credential_missing");
}

#[test]
fn the_header_of_a_proxy_counts_only_where_the_policy_says_so() {
    let call = Call::new("GET", READ).with("x-forwarded-client-cert", format!("URI={WEB}"));
    assert_eq!(line(&World::new().decide(&call)), "deny credential_missing");
}

#[test]
fn the_certificate_of_the_connection_counts_before_one_that_is_reported() {
    let mut world = behind_a_proxy();
    let credentials = World::new().policy.credentials;
    world.policy.credentials.mtls = credentials.mtls;
    world.policy.credentials.identity = IdentitySource::ALL.into();
    let mut call = Call::new("GET", READ).with("x-forwarded-client-cert", format!("URI={ADMIN}"));
    call.peer.certificate = Some(certificate(THIEF).into());
    assert_eq!(principal(&world.decide(&call)), Some(THIEF));
}
