//! What programs read, and what the exit code says.

use crate::support::{Folder, GOOD, changed, stderr, stdout};
use rstest::rstest;
use serde_json::{Value, json};

const BAD: &str = "routes:\n  - { name: café, match: { path: /a }, sensitivity: low }\n  - { name: b, match: { path: /b }, sensitivity: low, path: '50%, or: more' }";

fn bad() -> Folder {
    let folder = Folder::new();
    folder.write("poli cy,1.yaml", changed(BAD));
    folder
}

#[rstest]
#[case::text("text", false)]
#[case::json("json", true)]
#[case::sarif("sarif", true)]
#[case::github("github", true)]
fn people_read_stderr_and_programs_stdout(#[case] format: &str, #[case] on_stdout: bool) {
    let output = bad().check(&["--output", format, "."]);
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(stdout(&output).contains("SG0007"), on_stdout);
    assert_eq!(stderr(&output).contains("SG0007"), !on_stdout);
    assert!(stderr(&output).ends_with("the policy is refused: 2 errors\n"));
}

#[test]
fn json_has_one_object_a_problem() {
    let output = bad().check(&["--output", "json", "."]);
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    insta::assert_json_snapshot!("json", found);
}

#[test]
fn sarif_names_every_rule_and_places_every_result() {
    let output = bad().check(&["--output", "sarif", "."]);
    let mut log: Value = serde_json::from_slice(&output.stdout).unwrap();
    let run = &mut log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].take();
    let result = &run["results"][0];
    let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
    assert_eq!(rules[index]["id"], result["ruleId"]);
    run["tool"]["driver"]["version"] = json!("…");
    run["tool"]["driver"]["rules"] = json!("…");
    insta::assert_json_snapshot!("sarif", log);
}

#[test]
fn github_annotations_escape_what_would_end_them() {
    insta::assert_snapshot!("github", stdout(&bad().check(&["--output", "github", "."])));
}

#[rstest]
#[case("json", "[]\n")]
#[case("github", "")]
fn a_good_policy_has_nothing_to_report(#[case] format: &str, #[case] expected: &str) {
    let output = Folder::with(GOOD).check(&["--output", format, "policy.yaml"]);
    assert!(output.status.success());
    assert_eq!(stdout(&output), expected);
    assert!(stderr(&output).starts_with("the policy is good"));
}

#[test]
fn strict_makes_warnings_errors() {
    let folder = Folder::with(&changed("credentials:\n  mtls: { trust_domains: [example.org] }"));
    let lax = folder.check(&["--output", "json", "policy.yaml"]);
    let strict = folder.check(&["--output", "json", "--strict", "policy.yaml"]);
    assert_eq!((lax.status.code(), strict.status.code()), (Some(0), Some(3)));
    let severity = |output| serde_json::from_str::<Value>(&stdout(output)).unwrap()[0]["severity"].clone();
    assert_eq!((severity(&lax), severity(&strict)), (json!("warning"), json!("error")));
}

#[rstest]
#[case(&[])]
#[case(&["--output", "xml", "policy.yaml"])]
fn wrong_arguments_exit_2(#[case] arguments: &[&str]) {
    assert_eq!(Folder::with(GOOD).check(arguments).status.code(), Some(2));
}
