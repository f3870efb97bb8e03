//! A request in a file: what a policy's own test gives, what the decision log has, and what Envoy sends.

use super::support::issuers::{RESOURCE, proof};
use super::support::now;
use super::{AT, Desk, REFUND, WEB, fact};
use serde_json::{Value, json};
use stepgate::challenge::ChallengeKeys;
use stepgate::identity::Principal;
use stepgate::mint::{Algorithm, SigningKey};
use stepgate::policy::Origin;
use stepgate::time::UnixTime;

const CHALLENGE_KEY: &str = "0707070707070707070707070707070707070707070707070707070707070707";

fn request() -> Value {
    json!({
        "method": "POST", "host": "api.example.com", "path": REFUND, "source": "10.20.1.4", "principal": WEB,
        "headers": { "x-api-version": "2", "x-geo-country": "DE", "x-device-posture": "managed" },
        "scopes": ["payments:refund"], "credential_lifetime": "15m", "fired": ["scope_jump"],
        "attestation": { "by": "workload", "age": "2m", "task": "run-8841", "proof": "dpop", "challenge": true }
    })
}

#[test]
fn the_request_of_a_policys_own_test() {
    let desk = Desk::new();
    desk.write("request.json", &request().to_string());
    insta::assert_snapshot!(desk.explain(&["--request", "request.json", "--at", AT]));
}

#[test]
fn a_line_of_the_decision_log_is_explained_at_its_time() {
    let line = json!({ "time": "2026-11-22T10:00:00.123Z", "decision": "allow", "inputs": request() }).to_string();
    let text = Desk::new().explain_from(&["--request", "-"], &line);
    assert_eq!((fact(&text, "at"), fact(&text, "decision")), ("2026-11-22T10:00:00Z", "allow: attested"));
    assert!(text.contains("outside_hours          fired +20"), "{text}");
    let other = Desk::new().explain_from(&["--request", "-", "--at", AT], &line);
    assert_eq!(fact(&other, "at"), AT);
}

#[test]
fn names_that_the_policy_does_not_know_are_said() {
    let mut request = request();
    request["fired"] = json!(["scope_jmp"]);
    request["attestation"]["by"] = json!("tee");
    let output = Desk::new().run(&["--request", "-", "--at", AT], &request.to_string());
    let said = "stepgate explain: the policy has no signal `scope_jmp`: that says nothing to it\n\
                stepgate explain: the policy has no attestation `tee`: that says nothing to it\n";
    assert_eq!((output.status.code(), super::stderr(&output).as_str()), (Some(0), said));
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(fact(&text, "decision"), "step_up: attestation_missing");
}

/// A refund with all that it takes, as Envoy would tell of it.
fn check_request(desk: &Desk) -> Value {
    let key = SigningKey::generate(Algorithm::Es256).unwrap();
    let bearer = desk.issuers.bearer(WEB, "payments:refund").unwrap();
    let attestation = desk.issuers.attestation(WEB, key.public()).unwrap();
    let (keys, principal) = (ChallengeKeys::parse(CHALLENGE_KEY).unwrap(), Principal::parse(WEB).unwrap());
    let challenge = keys.issue(UnixTime::from_secs(now()), [1; 12], &Origin::parse(RESOURCE).unwrap(), &principal);
    let proof = proof(&key, "POST", REFUND, Some(&bearer), challenge.as_deref()).unwrap();
    json!({ "attributes": {
        "source": { "address": { "socketAddress": { "address": "10.20.1.4", "portValue": 1 } } },
        "request": { "http": { "method": "POST", "host": "api.example.com", "path": REFUND, "headers": {
            "authorization": format!("Bearer {bearer}"), "oauth-client-attestation": attestation, "dpop": proof,
            "x-api-version": "2", "x-geo-country": "DE"
        } } }
    } })
}

#[test]
fn the_tokens_of_a_check_request_are_verified() {
    let desk = Desk::new();
    desk.write("challenge.keys", CHALLENGE_KEY);
    let mut check = check_request(&desk);
    let explain = |check: &Value| {
        desk.explain_from(&["--request", "-", "--challenge-key-file", "challenge.keys"], &check.to_string())
    };
    let good = explain(&check);
    assert_eq!((fact(&good, "decision"), fact(&good, "caller")), ("allow: attested", WEB));
    assert_eq!(fact(&good, "evidence"), "workload, 0s old, proven, with a challenge");
    assert!(good.contains("long_lived_credential  silent     the credential lives 10m, 1h is the most"), "{good}");
    let headers = &mut check["attributes"]["request"]["http"]["headers"];
    headers["dpop"] = json!("a.b.c");
    assert_eq!(fact(&explain(&check), "decision"), "step_up: proof_malformed");
    check["attributes"]["request"]["http"]["headers"]["authorization"] = json!("Bearer a.b.c");
    let refused = explain(&check);
    assert_eq!(fact(&refused, "caller"), "refused: credential_malformed");
    assert!(refused.contains("POST /v1/payments/7/refund  refund: high"), "{refused}");
}

#[test]
fn without_its_keys_no_challenge_is_ours() {
    let desk = Desk::new();
    let output = desk.run(&["--request", "-"], &check_request(&desk).to_string());
    assert!(super::stderr(&output).contains("--challenge-key-file"));
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(fact(&text, "decision"), "step_up: proof_challenge_foreign");
}

/// Explaining fetches nothing.
#[test]
fn what_is_signed_by_keys_from_elsewhere_cannot_be_told() {
    let desk = Desk::new();
    let check = check_request(&desk);
    let policy = std::fs::read_to_string(desk.path().join("policy.yaml")).unwrap();
    let elsewhere = policy.replace("{ file: idp.jwks.json }", "{ url: \"https://127.0.0.1:1/jwks\" }");
    assert_ne!(elsewhere, policy);
    desk.write("policy.yaml", &elsewhere);
    let text = desk.explain_from(&["--request", "-"], &check.to_string());
    assert_eq!(fact(&text, "decision"), "deny: keys_unavailable");
}

#[test]
fn what_envoy_sent_is_explained_at_the_time_that_it_says() {
    let desk = Desk::new();
    let recorded = super::repository("tests/data/checkrequests/mtls_agent.json");
    let text = desk.explain(&["--request", recorded.to_str().unwrap()]);
    assert_eq!((fact(&text, "at"), fact(&text, "address")), ("2026-11-23T16:53:06Z", "127.0.0.1"));
}
