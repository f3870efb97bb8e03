//! What can't be explained is said, with what to do and an exit code that tells whose mistake it is.

use super::{Desk, stderr};
use rstest::rstest;

#[rstest]
#[case::a_member(r#"{ "method": "GET", "host": "h", "path": "/", "prinicpal": "x" }"#, "did you mean `principal`?")]
#[case::no_json("method: GET", "`-` is no JSON")]
#[case::no_object("[1]", "it is no JSON object")]
#[case::no_check_request(r#"{ "attributes": { "sorce": {} } }"#, "unknown field `sorce`")]
#[case::nothing_in_it("{}", "the request has no `method`")]
fn a_file_that_is_no_request(#[case] content: &str, #[case] said: &str) {
    let output = Desk::new().run(&["--request", "-"], content);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains(said) && output.stdout.is_empty(), "{}", stderr(&output));
}

#[rstest]
#[case::nothing(&[], "--path")]
#[case::both(&["--request", "-", "--path", "/"], "cannot be used with")]
#[case::a_header(&["--path", "/", "--header", "x-a"], "a colon and a value")]
#[case::a_header_name(&["--path", "/", "--header", "x a: 1"], "invalid HTTP header name")]
#[case::a_principal(&["--path", "/", "--principal", "a b"], "visible ASCII")]
#[case::a_scope(&["--path", "/", "--scope", "a b"], "a scope is")]
#[case::a_time(&["--path", "/", "--at", "yesterday"], "2026-11-23T10:00:00Z")]
#[case::a_file(&["--request", "nowhere.json"], "nowhere.json")]
fn arguments_that_say_nothing(#[case] arguments: &[&str], #[case] said: &str) {
    let output = Desk::new().run(arguments, "");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains(said), "{}", stderr(&output));
}

#[test]
fn without_a_resource_somebody_has_to_name_the_host() {
    let desk = Desk::new();
    let policy =
        "version: 1\ncredentials: { mtls: { trust_domains: [example.org], certificate: required } }\nroutes: []\n";
    desk.write("policy.yaml", policy);
    let output = desk.run(&["--path", "/"], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("`--host`"), "{}", stderr(&output));
    assert_eq!(desk.run(&["--path", "/", "--host", "h"], "").status.code(), Some(0));
}

#[test]
fn a_policy_that_is_refused() {
    let desk = Desk::new();
    desk.write("policy.yaml", "version: 2");
    let output = desk.run(&["--path", "/"], "");
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).contains("SG0006"));
}
