//! A request by flags, its credentials as already verified.

use super::{AT, Desk, REFUND, WEB, fact};

#[test]
fn a_call_that_is_asked_for_proof() {
    let text = Desk::new().explain(&[
        "--method",
        "POST",
        "--path",
        "/v1/payments/7/refund?token=x",
        "--header",
        "x-api-version: 2",
        "--principal",
        WEB,
        "--scope",
        "payments:refund",
        "--source",
        "192.0.2.7",
        "--at",
        AT,
    ]);
    insta::assert_snapshot!(text);
}

#[test]
fn a_call_that_passes() {
    let text = Desk::new().explain(&[
        "--path",
        "/v1/payments/7",
        "--principal",
        WEB,
        "--scope",
        "payments:read",
        "--source",
        "10.20.1.4",
        "--header",
        "x-geo-country: DE",
        "--header",
        "x-device-posture: managed",
        "--at",
        AT,
    ]);
    insta::assert_snapshot!(text);
}

#[test]
fn a_suspended_caller_on_a_path_that_servers_read_differently() {
    let principal = "spiffe://example.org/ns/billing/sa/old";
    let text = Desk::new().explain(&["--path", "/admin/../x", "--principal", principal, "--at", AT]);
    insta::assert_snapshot!(text);
}

#[test]
fn nobody() {
    let text = Desk::new().explain(&["--path", "/v1/payments/7", "--at", AT]);
    assert_eq!((fact(&text, "caller"), fact(&text, "decision")), ("nobody", "deny: credential_missing"));
}

#[test]
fn a_request_that_cannot_be_judged() {
    let text = Desk::new().explain(&["--path", "/a%zz", "--at", AT]);
    insta::assert_snapshot!(text, @r"
    request     GET api.example.com/a%zz
    at          2026-11-23T10:00:00Z

    decision    deny: malformed_path
    answer      400

    to the caller
      cache-control  no-store
      content-type   application/problem+json
    ");
}

#[test]
fn the_time_decides_what_is_outside_of_hours() {
    let desk = Desk::new();
    let signal = |at| {
        let text = desk.explain(&["--path", REFUND, "--principal", WEB, "--at", at]);
        text.lines().find(|line| line.contains("outside_hours")).unwrap().trim().to_owned()
    };
    assert_eq!(signal(AT), "outside_hours          silent     declared hours: it is one of them");
    assert!(signal("2026-11-22T10:00:00Z").contains("fired +20"));
}

#[test]
fn of_two_readings_a_rule_matches_where_it_does_in_one() {
    let text = Desk::new().explain(&[
        "--path",
        "/v1/payments/7",
        "--header",
        "x-original-url: /admin/x",
        "--principal",
        WEB,
        "--at",
        AT,
    ]);
    assert!(text.contains("GET /admin/x        unmatched: high, floor critical"), "{text}");
    assert!(text.contains("matches on unmatched: requires fresh"), "{text}");
}
