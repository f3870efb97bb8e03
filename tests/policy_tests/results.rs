//! What a test can give, and what comes of it.

use super::{Desk, stderr, stdout};
use rstest::rstest;

const WEB: &str = "spiffe://example.org/ns/billing/sa/web";

/// A read of the usual caller, with more members, and what is expected of it.
fn read(members: &str, expect: &str) -> String {
    let request = "method: GET, host: api.example.com, path: /v1/payments/7, scopes: [payments:read]";
    format!("{{ name: a, request: {{ {request}, principal: \"{WEB}\" {members} }}, expect: {{ {expect} }} }}")
}

/// Nothing about this one is unusual, but for what is said.
const USUAL: &str =
    ", source: 10.20.1.4, credential_lifetime: 15m, headers: { x-geo-country: DE, x-device-posture: managed }";

fn passes(test: &str) {
    let output = Desk::with_test(test).run(&[]);
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
}

#[rstest]
#[case::routine(
    "",
    "decision: allow, require: null, reason: routine, route: read-payment, sensitivity: moderate, privilege: standard, signals: [], anomaly: 0, rules: [], shadow_decision: null"
)]
#[case::fired(", fired: [scope_jump]", "signals: [scope_jump], anomaly: 40")]
#[case::hinted(", hints: { scopes: [admin:x] }", "decision: deny, reason: insufficient_scope, privilege: elevated")]
#[case::expired(", fault: credential_expired", "decision: deny, reason: credential_expired")]
fn a_usual_call(#[case] members: &str, #[case] expect: &str) {
    passes(&read(&format!("{USUAL}{members}"), expect));
}

/// What a caller did before is said by its outcome.
#[rstest]
#[case::that_is_asked(
    "scopes: [payments:refund]",
    "decision: deny, reason: challenge_loop, rules: [elevated-on-sensitive]"
)]
#[case::that_may_not("scopes: []", "decision: deny, reason: insufficient_scope")]
fn a_caller_that_left_too_many_challenges_unanswered(#[case] members: &str, #[case] expect: &str) {
    let request = "method: POST, host: api.example.com, path: /v1/payments/7/refund, headers: { x-api-version: '2' }";
    passes(&format!(
        "{{ name: a, request: {{ {request}, principal: \"{WEB}\", {members}, fault: challenge_loop }}, expect: {{ {expect} }} }}"
    ));
}

#[rstest]
#[case::unusual("", "signals: [untrusted_device, new_country, long_lived_credential, new_network], anomaly: 100")]
#[case::but_its_country(", country: DE", "signals: [untrusted_device, long_lived_credential, new_network]")]
fn a_call_of_which_little_can_be_told(#[case] members: &str, #[case] expect: &str) {
    passes(&read(members, expect));
}

#[test]
fn a_credential_in_the_query_is_one() {
    let request = "method: GET, host: api.example.com, path: /v1/payments/7?token=x";
    passes(&format!(
        "{{ name: a, request: {{ {request}, principal: \"{WEB}\", scopes: [payments:read], source: 10.20.1.4 }}, expect: {{ route: read-payment, anomaly: 100 }} }}"
    ));
}

#[rstest]
#[case::in_its_body(
    "headers: { content-type: application/x-www-form-urlencoded }, body: scope=admin:x",
    "privilege: elevated, require: bound"
)]
#[case::as_it_was_read("asks: [payments:read]", "privilege: standard, require: null")]
#[case::that_cannot_be_told("asks: unreadable", "privilege: elevated, require: bound, reason: attestation_missing")]
fn an_issuing_route_is_asked_for_scopes(#[case] members: &str, #[case] expect: &str) {
    let request = "method: POST, host: api.example.com, path: /oauth2/token";
    passes(&format!(
        "{{ name: a, request: {{ {request}, principal: \"{WEB}\", scopes: [], {members} }}, expect: {{ {expect} }} }}"
    ));
}

#[test]
fn a_connection_can_answer_nothing() {
    passes(&format!(
        "{{ name: a, request: {{ layer: network, principal: \"{WEB}\" }}, expect: {{ decision: deny, reason: unanswerable, route: unmatched }} }}"
    ));
}

#[test]
fn the_clock_is_what_the_test_says() {
    let sunday = |at: &str, signals| {
        read(USUAL, &format!("signals: {signals}")).replace("name: a", &format!("name: a, at: {at}"))
    };
    passes(&sunday("2026-11-22T10:00:00Z", "[outside_hours]"));
    passes(&sunday("2026-11-23T10:00:00+01:00", "[]"));
}

#[test]
fn the_tests_of_a_teams_file_are_run_too() {
    let desk = Desk::new(&[(
        "floors:",
        "owners:\n  team-billing: { hosts: [api.example.com], paths: [\"/billing/{*rest}\"] }\nfloors:",
    )]);
    desk.write(
        "team.yaml",
        "version: 1\nowner: team-billing\nroutes:\n  - { name: bill, match: { hosts: [api.example.com], path: /billing/a }, sensitivity: low }\ntests:\n  - name: bills\n    request: { method: GET, host: api.example.com, path: /billing/a }\n    expect: { route: bill, sensitivity: high }\n",
    );
    let output = desk.run(&[]);
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    assert!(stdout(&output).contains("team.yaml:8:28: sensitivity: expected high, got low"), "{}", stdout(&output));
}

#[test]
fn a_policy_without_tests_fails_none_and_says_so() {
    let desk = Desk::new(&[]);
    let policy = std::fs::read_to_string(desk.0.path().join("policy.yaml")).unwrap();
    desk.write("policy.yaml", policy.split("\ntests:").next().unwrap());
    let output = desk.run(&[]);
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(0), "0 tests passed\n"));
    assert_eq!(stderr(&output), "stepgate test: the policy has no `tests`\n");
}
