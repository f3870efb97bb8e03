use crate::inputs::{Bound, GivenCall, Inputs};
use crate::reason::Reason;
use crate::request::{Asked, Layer};
use rstest::rstest;
use serde_json::{Value, json};
use std::path::Path;

/// What is read, or what is wrong and what to do about it.
fn read(json: &Value) -> Result<Inputs, Vec<String>> {
    Inputs::from_json(json.as_object().unwrap(), Path::new("x"))
        .map_err(|problems| problems.iter().map(|problem| format!("{}: {}", problem.message, problem.help)).collect())
}

/// A request with one more member.
fn with(member: &str, value: Value) -> Result<Inputs, Vec<String>> {
    let mut request = json!({ "method": "POST", "host": "api.example.com", "path": "/v1" });
    request[member] = value;
    read(&request)
}

#[test]
fn a_request_is_its_members() {
    let inputs = read(&json!({
        "method": "POST", "host": "api.example.com", "path": "/v1?a=b", "layer": "http", "body": "scope=a",
        "headers": { "X-Api-Version": "2", "x-two": ["a", "b"], "x-odd": null },
        "source": "10.20.1.4", "principal": "spiffe://example.org/web", "scopes": ["b", "a"], "credential_lifetime": "15m",
        "claims": { "team": ["a", "b"], "level": 3, "human": false }, "bound": ["key", "certificate"],
        "asks": ["c"], "mcp": { "method": "tools/call", "tool": "delete_user" }, "country": "DE", "fired": ["scope_jump"],
        "hints": { "sensitivity": "critical", "scopes": ["d"], "unreadable": true }, "fault": "proof_stale",
        "attestation": { "by": "workload", "age": "2m", "task": "run-1", "scopes": ["a"], "proof": "dpop", "challenge": true }
    }))
    .unwrap();
    let headers: Vec<_> = inputs.headers.iter().map(|(name, value)| (&**name, value.as_deref())).collect();
    assert_eq!(headers, [("x-api-version", Some("2")), ("x-odd", None), ("x-two", Some("a")), ("x-two", Some("b"))]);
    assert_eq!((inputs.layer, &*inputs.path, inputs.body.as_deref()), (Layer::Http, "/v1?a=b", Some("scope=a")));
    assert_eq!(inputs.scopes.unwrap().to_string(), "a b");
    assert_eq!(inputs.bound, Bound { key: true, certificate: true });
    assert_eq!(inputs.mcp, Some(GivenCall { method: "tools/call".into(), tool: Some("delete_user".into()) }));
    assert_eq!(inputs.fault.as_ref().map(Reason::as_str), Some("proof_stale"));
    assert!(inputs.hints.unreadable && inputs.claims.unwrap().len() == 3);
    let attestation = inputs.attestation.unwrap();
    assert_eq!((attestation.by.unwrap().as_str(), attestation.age.unwrap().as_secs()), ("workload", 120));
    assert!(attestation.challenge && attestation.proof.is_some());
}

#[test]
fn what_is_not_given_is_not_there() {
    let inputs = read(&json!({ "method": "GET", "host": "h", "path": "/" })).unwrap();
    assert!(inputs.principal.is_none() && inputs.scopes.is_none() && inputs.attestation.is_none());
    assert!(inputs.mcp.is_none() && inputs.asks.is_none() && inputs.fired.is_empty());
}

#[test]
fn some_members_can_say_that_nothing_can_be_told() {
    assert_eq!(with("asks", json!("unreadable")).unwrap().asks, Some(Asked::Unreadable));
    assert_eq!(with("mcp", json!("unclear")).unwrap().mcp, None);
    assert_eq!(with("attestation", json!({ "by": "tee", "proof": "none" })).unwrap().attestation.unwrap().proof, None);
    let unknown = with("attestation", json!({ "fault": "attestation_bad_signature" })).unwrap();
    assert_eq!(unknown.attestation.unwrap().by, None);
}

#[test]
fn a_connection_needs_no_method_and_no_path() {
    let inputs = read(&json!({ "layer": "network" })).unwrap();
    assert_eq!((inputs.layer, &*inputs.method, &*inputs.host), (Layer::Network, "", ""));
}

#[rstest]
#[case("prinicpal", json!("x"), "unknown key `prinicpal` in the request: did you mean `principal`?")]
#[case("layer", json!("tcp"), "`tcp` is not taken here: use one of `http`, `network`")]
#[case("source", json!("10.20.1"), "`10.20.1` is not taken here: write an IP address, such as 10.20.1.4")]
#[case("scopes", json!("a"), "here stands a text: this key takes a list")]
#[case("asks", json!([]), "the list is empty: name at least one; where the key may be left out, leaving it out means any")]
#[case("asks", json!("unread"), "`unread` is not taken here: use `unreadable`")]
#[case("bound", json!(["cert"]), "`cert` is not taken here: use one of `key`, `certificate`")]
#[case("claims", json!({ "a": { "b": 1 } }), "here stands a map: this key takes a text, a number, `true`, `false`, or a list of these")]
#[case("headers", json!({ "x a": "1" }), "`x a` is no name of a header: write the name of an HTTP header, such as `x-api-version`")]
#[case("headers", json!({ "x-a": 2 }), "here stands a number: this key takes a text: write it in quotes")]
#[case("fault", json!("credential_expird"), "`credential_expird` is not taken here: did you mean `credential_expired`?")]
#[case("fired", json!(["outside_hours"]), "`outside_hours` is not taken here: say the time of the call (`at`) instead: the signal follows from it")]
#[case("attestation", json!({ "age": "5m" }), "`attestation` has no `by`: add `by`: nothing is assumed where it is missing")]
#[case("attestation", json!({ "by": "a", "prof": "dpop" }), "unknown key `prof` in `attestation`: did you mean `proof`?")]
#[case("attestation", json!({ "fault": "attestation_expird" }), "`attestation_expird` is not taken here: did you mean `attestation_expired`?")]
fn what_is_wrong_is_said_with_what_to_do(#[case] member: &str, #[case] value: Value, #[case] said: &str) {
    assert_eq!(with(member, value).unwrap_err(), [said]);
}

#[test]
fn an_attestation_has_no_fault_of_a_credential() {
    assert!(with("attestation", json!({ "fault": "credential_expired" })).is_err());
    assert!(with("fault", json!("attestation_expired")).is_err() && with("fault", json!("routine")).is_err());
}

#[test]
fn everything_wrong_is_said_at_once() {
    let wrong = read(&json!({ "method": 7, "path": "/", "scopes": ["a b", "c d"] })).unwrap_err();
    assert_eq!(wrong.len(), 4, "{wrong:?}");
}
