//! What people and programs read.

use super::{Desk, stderr, stdout};
use serde_json::Value;

/// The first of the two tests expects what does not come.
fn failing() -> Desk {
    let other = "decision: allow, require: null, signals: [odd-client], anomaly: 7";
    Desk::new(&[("decision: step_up, require: fresh", other)])
}

#[test]
fn the_tests_of_the_documentation_pass() {
    let output = Desk::new(&[]).run(&[]);
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
    insta::assert_snapshot!(stdout(&output), @r"
    ok   a refund without attestation is challenged
    ok   … and passes with one
    2 tests passed
    ");
}

#[test]
fn a_failure_says_what_was_expected_and_where() {
    let output = failing().run(&[]);
    assert_eq!(output.status.code(), Some(4));
    insta::assert_snapshot!(stdout(&output), @r"
    FAIL a refund without attestation is challenged
         policy.yaml:56:15: decision: expected allow, got step_up
         policy.yaml:56:32: require: expected null, got fresh
         policy.yaml:56:47: signals: expected [odd-client], got [long_lived_credential, new_country, new_network, untrusted_device]
         policy.yaml:56:70: anomaly: expected 7, got 100
    ok   … and passes with one
    1 of 2 tests failed
    ");
}

#[test]
fn json_is_one_object() {
    let output = failing().run(&["--output", "json", "--coverage"]);
    assert_eq!(output.status.code(), Some(4));
    insta::assert_json_snapshot!(serde_json::from_slice::<Value>(&output.stdout).unwrap());
}

#[test]
fn junit_is_what_ci_systems_show() {
    let output = failing().run(&["--output", "junit"]);
    assert_eq!(output.status.code(), Some(4));
    insta::assert_snapshot!(stdout(&output));
}

#[test]
fn coverage_lists_what_no_test_reaches() {
    let output = Desk::new(&[]).run(&["--coverage"]);
    assert_eq!(output.status.code(), Some(0));
    insta::assert_snapshot!(stdout(&output), @r"
    ok   a refund without attestation is challenged
    ok   … and passes with one
    2 tests passed
    routes that no test reaches: issue-token, read-payment
    rules that no test reaches: agents-destroying, issuing-privilege, no-legacy-admin
    ");
}
