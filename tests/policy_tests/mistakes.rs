//! A test that says nothing, or speaks of what is not there, is a mistake in the policy.

use super::{Desk, stderr};
use rstest::rstest;

#[rstest]
#[case::key("requst: {}", "unknown key `requst` in the test `a`", "did you mean `request`?")]
#[case::member("request: { metod: GET }", "unknown key `metod` in the request", "did you mean `method`?")]
#[case::expectation("expect: { decison: deny }", "unknown key `decison` in `expect`", "did you mean `decision`?")]
#[case::nothing("expect: {}", "the test expects nothing", "a test that expects nothing never fails")]
#[case::decision(
    "expect: { decision: denied }",
    "`denied` is not taken here",
    "use one of `allow`, `step_up`, `deny`, `challenge`"
)]
#[case::reason(
    "expect: { reason: legacy_identiy }",
    "`legacy_identiy` is not taken here",
    "did you mean `legacy_identity`?"
)]
#[case::level("expect: { require: fesh }", "there is no assurance level `fesh`", "did you mean `fresh`?")]
#[case::route("expect: { route: refnd }", "there is no route `refnd`", "did you mean `refund`?")]
#[case::rule("expect: { rules: [issuing] }", "there is no rule `issuing`", "use one of")]
#[case::signal("expect: { signals: [new_netwrk] }", "there is no signal `new_netwrk`", "did you mean `new_network`?")]
#[case::anomaly("expect: { anomaly: 101 }", "101", "0 to 100")]
#[case::attestation(
    "request: { attestation: { by: workloads } }",
    "there is no attestation `workloads`",
    "did you mean `workload`?"
)]
#[case::fired("request: { fired: [scope_jmp] }", "there is no signal `scope_jmp`", "did you mean `scope_jump`?")]
#[case::at("at: yesterday", "`yesterday` is not taken here", "2026-11-23T10:00:00Z")]
#[case::null("expect: { route: null }", "here stands nothing", "a text")]
fn what_is_wrong_is_said_with_what_to_do(#[case] members: &str, #[case] message: &str, #[case] help: &str) {
    let output = Desk::with_test(&format!("{{ name: a, {members} }}")).run(&[]);
    let said = stderr(&output).split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
    assert_eq!((output.status.code(), output.stdout.len()), (Some(3), 0));
    assert!(said.contains(message) && said.contains(help), "{}", stderr(&output));
}

#[test]
fn a_name_stands_once() {
    let test = "{ name: … and passes with one, request: { layer: network }, expect: { decision: deny } }";
    let output = Desk::with_test(test).run(&[]);
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).contains("is defined twice"), "{}", stderr(&output));
}
