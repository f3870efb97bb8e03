//! Policies that are wrong in one way each, and what is said about them.

use crate::support::{Folder, GOOD, JWKS, changed, stderr};
use crate::{context, events, evidence, keys, routes, rules, secrets, teams};
use rstest::rstest;
use std::collections::BTreeSet;
use stepgate::config::{Code, Diagnostics};
use stepgate::mint::{Algorithm, SigningKey, jwks};

/// A name, and what is changed in the good policy.
const CASES: &[(&str, &str)] = &[
    ("unknown_section", "ruels: []"),
    ("unknown_key", "credentials:\n  bearer: { issuers: [idp], haeder: authorization }"),
    ("unknown_key_unlike_any", "unmatched: { weather: fine }"),
    ("missing_version", "version: gone"),
    ("other_version", "version: 2"),
    ("version_as_text", "version: \"1\""),
    ("missing_keys", "routes:\n  - { name: read, match: {} }\n  - scopes: [a]"),
    ("no_map", "issuers: [idp]"),
    ("no_list", "routes: { read: low }"),
    ("nothing", "rules:"),
    ("number_for_text", "scopes:\n  elevated: [5]"),
    ("text_for_boolean", "routes:\n  - { name: read, match: { path: /a }, sensitivity: low, anonymous: yes }"),
    ("unknown_word", "unmatched: { sensitivity: hihg }"),
    ("bad_values", BAD_VALUES),
    ("bad_headers", BAD_HEADERS),
    ("empty_lists", "credentials:\n  bearer: { issuers: [] }\n  mtls: { trust_domains: [], certificate: required }"),
    ("leeway_too_long", "credentials:\n  bearer: { issuers: [idp] }\n  leeway: 10m"),
    ("bearer_in_the_header_of_proofs", "credentials:\n  bearer: { issuers: [idp], header: DPoP }"),
    ("unmatched_twice", "unmatched: { sensitivity: low, deny: true }"),
    ("unmatched_not_denied", "unmatched: { deny: false }"),
    ("no_challenges", "challenges: { per_minute: 0 }"),
    ("challenges_without_end", "challenges: { per_minute: 1001, per_hour: 5 }"),
    ("duplicate_key", "routes:\n  - { name: read, match: { path: /a }, sensitivity: low, name: write }"),
    ("duplicate_header", HEADER_TWICE),
    ("duplicate_section", "resource: https://a.example\nresource: https://b.example"),
    ("duplicate_name", DUPLICATE_NAMES),
    ("unknown_issuer", "credentials:\n  bearer: { issuers: [ipd] }"),
    ("unknown_attestation", "assurance:\n  - { name: fresh, max_age: 5m, accept: [wrkload] }\nrules: []"),
    ("unknown_level", "rules:\n  - { name: a, when: { sensitivity: low }, require: strongest }"),
    ("reserved_name", "routes:\n  - { name: unmatched, match: { path: /a }, sensitivity: low }"),
    ("algorithm_none", "issuers:\n  idp: { algorithms: [none, HS256, ES265], keys: { file: keys/idp.jwks.json } }"),
    ("no_key_file", "issuers:\n  idp: { algorithms: [ES256], keys: { file: keys/lost.jwks.json } }"),
    ("key_file_is_a_folder", "issuers:\n  idp: { algorithms: [ES256], keys: { file: keys } }"),
    ("weak_key", WEAK_KEY),
    ("key_set_of_another_form", "issuers:\n  idp: { algorithms: [ES256], keys: { inline: [] } }"),
    ("two_origins_of_keys", "issuers:\n  idp: { algorithms: [ES256], keys: { file: keys/idp.jwks.json, inline: {} } }"),
    ("no_fitting_key", "issuers:\n  idp: { algorithms: [RS256, EdDSA], keys: { file: keys/idp.jwks.json } }"),
    ("no_credentials", "credentials: gone"),
    ("no_source_of_identity", "credentials: { leeway: 5s }"),
    ("identity_not_configured", "credentials:\n  identity: [mtls, bearer, bearer]\n  bearer: { issuers: [idp] }"),
    (
        "bearer_issuer_without_name",
        "credentials:\n  bearer: { issuers: [attester] }\nattestations: {}\nassurance: []\nrules: []",
    ),
    ("two_bearer_issuers_of_one_name", TWO_OF_ONE_NAME),
    ("shared_issuer", "attestations:\n  workload: { profile: oauth-client-attestation, issuers: [idp] }"),
    ("same_selector", SAME_SELECTOR),
    ("narrowed_by_headers", NARROWED),
    ("narrowed_without_scope", WITHOUT_SCOPE),
    ("anonymous_at_high", "routes:\n  - { name: a, match: { path: /a }, sensitivity: high, anonymous: true }"),
    ("bad_identities", BAD_IDENTITIES),
    ("bad_whereabouts", BAD_WHEREABOUTS),
    ("identity_tie", IDENTITY_TIE),
    ("alias_of_pattern", "identities:\n  - { match: \"billing-*\", aliases: [batch] }"),
    ("alias_taken", ALIAS_TAKEN),
    ("undeclared_twice", "undeclared: { baseline: [], refuse: true }"),
    ("undeclared_not_refused", "undeclared: { refuse: false }"),
    ("no_resource", "resource: gone"),
    ("laxer_level", LAXER),
    ("laxer_memory", LAXER_MEMORY),
    (
        "grant_without_task",
        "assurance:\n  - { name: fresh, max_age: 5m, accept: [workload], carry: first_call }\nrules: []",
    ),
    ("no_effect", "rules:\n  - { name: a, when: { sensitivity: low } }"),
    ("two_effects", "rules:\n  - { name: a, when: { sensitivity: low }, require: fresh, deny: no }"),
    ("no_condition", "rules:\n  - { name: a, when: {}, require: fresh }"),
    ("unreached_scope", "scopes:\n  elevated: [\"payments:refnud\", \"payments:read\", \"*:write\"]"),
    ("no_rule_at_all", "rules: []"),
    ("principal_without_certificate", "credentials:\n  mtls: { trust_domains: [example.org] }"),
    ("unbounded_issuer", UNBOUNDED),
    ("syntax", "routes:\n  - { name: read, match: { path: /a }"),
    ("unknown_anchor", "scopes:\n  elevated: *nowhere"),
    ("merge_key", "unmatched:\n  <<: { sensitivity: high }"),
    ("alias_bomb", ALIAS_BOMB),
    ("two_documents", "unmatched: { deny: true }\n---\nversion: 1"),
];

const BAD_VALUES: &str = r#"
resource: api.example.com
issuers:
  i d p: { issuer: "", audiences: [a b], algorithms: [ES256], keys: { file: keys/idp.jwks.json } }
routes:
  - { name: two words, match: { hosts: ["*"], methods: [get, "G T"], path: v1 }, sensitivity: low, scopes: ["a b"] }
assurance:
  - { name: fresh, max_age: 5 minutes, accept: [workload] }
  - { name: never, max_age: 0s, accept: [workload] }
scopes:
  elevated: [""]
"#;

const BAD_HEADERS: &str = r#"
routes:
  - name: read
    match: { path: /a, headers: { "x y": ["1"], x-empty: [], x-space: [" 1"] } }
    sensitivity: low
"#;

const HEADER_TWICE: &str = r#"
routes:
  - { name: read, match: { path: /a, headers: { x-a: ["1"], X-A: ["2"] } }, sensitivity: low }
"#;

const DUPLICATE_NAMES: &str = r"
routes:
  - { name: a, match: { path: /a }, sensitivity: low }
  - { name: a, match: { path: /b }, sensitivity: low }
assurance:
  - { name: fresh, max_age: 5m, accept: [workload] }
  - { name: fresh, max_age: 5m, accept: [workload] }
rules:
  - { name: r, when: { sensitivity: low }, require: fresh }
  - { name: r, when: { sensitivity: low }, require: fresh }
";

const WEAK_KEY: &str = r"
issuers:
  idp: { algorithms: [RS256], keys: { inline: { keys: [{ kty: RSA, n: sXchDaQebHnPiGvy, e: AQAB }] } } }
";

const ALIAS_BOMB: &str = r"
rules:
  - &a [x, x, x, x, x, x, x, x, x, x]
  - &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]
  - &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]
  - &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]
  - &e [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]
  - &f [*e, *e, *e, *e, *e, *e, *e, *e, *e, *e]
";

const TWO_OF_ONE_NAME: &str = r"
issuers:
  idp: &idp { issuer: https://idp.example.com, audiences: [a], subjects: [a], algorithms: [ES256], keys: { file: keys/idp.jwks.json } }
  other: *idp
  attester: { algorithms: [ES256], keys: { file: keys/attester.jwks.json } }
credentials:
  bearer: { issuers: [idp, other] }
";

const SAME_SELECTOR: &str = r#"
routes:
  - { name: a, match: { hosts: [a.example, b.example], methods: [GET, PUT], path: "/x/{id}" }, sensitivity: low }
  - { name: b, match: { hosts: [b.example, c.example], methods: [PUT], path: "/x/{name}" }, sensitivity: low }
  - { name: c, match: { hosts: [b.example], path: "/x/{id}" }, sensitivity: low }
"#;

const WITHOUT_SCOPE: &str = r#"
routes:
  - { name: wide, match: { path: /x }, sensitivity: low, scopes: [payments:read] }
  - { name: lax, match: { path: /x, headers: { x-v: ["1"] } }, sensitivity: low }
"#;

const BAD_IDENTITIES: &str = r#"
identities:
  - { match: "a/**/b", kind: servise, owner: team billing, baseline: ["a b", 5], status: offbaorded, review_by: 2027-3-31 }
  - { match: web, aliases: ["web-*", "w w"], review_by: 2027-02-29, naem: web }
  - { kind: service }
undeclared: { baseline: payments:read }
"#;

const BAD_WHEREABOUTS: &str = r#"
identities:
  - { match: a, networks: [10.20.0.1/16, ten], countries: [XX, Germany], hours: { days: [monday], from: 7am, to: "24:01", zone: Berlin } }
  - { match: b, networks: [], countries: [], hours: { days: [], from: "07:00" } }
  - { match: c, hours: { from: "07:00", to: "07:00", zone: UTC } }
  - { match: d, hours: { from: "24:00", to: "07:00", zone: UTC, week: [mon] } }
"#;

const IDENTITY_TIE: &str = r#"
identities:
  - { match: "ns/*/sa/web-*" }
  - { match: "ns/*/sa/*-eu1" }
  - { match: "ns/*/sa/*-eu" }
  - { match: "ns/*/sa/api-*" }
  - { match: batch }
  - { match: batch, status: suspended }
"#;

const ALIAS_TAKEN: &str = r"
identities:
  - { match: api, aliases: [api, a1] }
  - { match: batch, aliases: [b1, b1, a1] }
  - { match: web, aliases: [batch] }
";

const UNBOUNDED: &str = r"
issuers:
  idp: { issuer: https://idp.example.com, audiences: [https://api.example.com], algorithms: [ES256], keys: { file: keys/idp.jwks.json } }
  attester: { algorithms: [ES256], keys: { file: keys/attester.jwks.json } }
";

const NARROWED: &str = r#"
routes:
  - { name: wide, match: { methods: [POST], path: /x }, sensitivity: high }
  - { name: lax, match: { path: /x, headers: { x-v: ["1"] } }, sensitivity: low }
  - { name: strict, match: { methods: [POST], path: /x, headers: { x-w: ["1"] } }, sensitivity: critical }
  - { name: elsewhere, match: { methods: [GET], path: /x, headers: { x-z: ["1"] } }, sensitivity: low }
"#;

const LAXER: &str = r"
attestations:
  workload: { profile: oauth-client-attestation, issuers: [attester] }
  other: { profile: oauth-client-attestation, issuers: [attester] }
assurance:
  - { name: fresh, max_age: 5m, accept: [workload], challenge: required }
  - { name: bound, max_age: 6m, accept: [workload, other] }
";

const LAXER_MEMORY: &str = r"
assurance:
  - { name: fresh, max_age: 5m, accept: [workload], single_use: true, task: required }
  - { name: bound, max_age: 5m, accept: [workload], single_use: true, task: required, carry: first_call, on_state_loss: local }
";

fn all_cases() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    let others = [
        context::CASES,
        events::CASES,
        evidence::CASES,
        keys::CASES,
        rules::CASES,
        routes::CASES,
        secrets::CASES,
        teams::CASES,
    ];
    CASES.iter().chain(others.into_iter().flatten())
}

fn rendered(name: &str, change: &str) -> String {
    let output = Folder::with(&changed(change)).check(&["policy.yaml"]);
    let text = stderr(&output);
    let refused = output.status.code() == Some(3);
    let warned = output.status.success() && text.contains('⚠');
    assert!(refused || warned, "{name}: {:?}\n{text}", output.status);
    text
}

#[test]
fn each_problem_is_shown_with_its_code_its_place_and_what_to_do() {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (name, change) in all_cases() {
        settings.set_description(change.trim());
        settings.bind(|| insta::assert_snapshot!(*name, rendered(name, change)));
    }
}

#[test]
fn every_code_is_earned_by_some_policy() {
    let mut earned = BTreeSet::new();
    let changes = all_cases().map(|(_, change)| (*change).to_owned());
    for change in changes.chain([context::too_many_signals(1)]) {
        let loaded = Folder::with(&changed(&change)).load();
        let found = loaded.map_or_else(|problems| problems, |loaded| loaded.warnings);
        earned.extend(found.iter().map(|problem| problem.code));
    }
    let missing: Vec<_> = Code::ALL.into_iter().filter(|code| !earned.contains(code)).collect();
    // What is wrong with files as such is shown with the layouts, and what lies outside of a team's space with the teams.
    assert_eq!(missing, [Code::Unreadable, Code::NoFile, Code::TooLarge, Code::OutsideSpace]);
}

#[test]
fn the_good_policy_is_good() {
    let output = Folder::with(GOOD).check(&["--strict", "policy.yaml"]);
    assert!(output.status.success());
    assert_eq!(stderr(&output), "the policy is good: 2 routes, 2 rules, 2 assurance levels\n");
}

#[test]
fn the_smallest_useful_policy_is_good_without_a_warning() {
    let folder = Folder::with(include_str!("../../examples/quickstart/policy.yaml"));
    for issuer in ["idp", "attester"] {
        folder.write(&format!("{issuer}.jwks.json"), JWKS);
    }
    let output = folder.check(&["--strict", "policy.yaml"]);
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn every_key_of_the_schema_is_known() {
    let folder = Folder::with(include_str!("../policies/complete.yaml"));
    let rsa = SigningKey::generate(Algorithm::Rs256).unwrap();
    folder.write("keys/github.jwks.json", jwks([&rsa]).to_string());
    folder.write("keys/veraison.jwks.json", JWKS);
    let loaded = folder.load().unwrap();
    insta::assert_snapshot!("warnings_of_all", lines(&loaded.warnings));
}

/// What each problem underlines.
fn lines(problems: &Diagnostics) -> String {
    let underlined = problems.iter().map(|problem| {
        let source = problems.source(problem.place.source).unwrap();
        let text = &source.text()[problem.place.start..problem.place.end];
        format!("{} {} {text}\n", problem.code, source.position(problem.place.start).line)
    });
    underlined.collect()
}

#[rstest]
#[case::methods("match: { methods: [GET], path: /x }", "match: { methods: [PUT], path: /x }")]
#[case::any_method_and_one("match: { methods: [GET], path: /x }", "match: { path: /x }")]
#[case::hosts("match: { hosts: [a.example], path: /x }", "match: { hosts: [b.example], path: /x }")]
#[case::host_and_wildcard("match: { hosts: [a.example], path: /x }", "match: { hosts: [\"*.example\"], path: /x }")]
#[case::headers("match: { path: /x, headers: { a: [\"1\"] } }", "match: { path: /x, headers: { a: [\"2\"] } }")]
#[case::tools(
    "match: { path: /x, mcp: { method: tools/call, tools: [a] } }",
    "match: { path: /x, mcp: { method: tools/call, tools: [b] } }"
)]
#[case::call_and_any("match: { path: /x }", "match: { path: /x, mcp: { method: tools/list } }")]
#[case::case_of_paths("match: { path: /x }", "match: { path: /X }")]
#[case::trailing_slash("match: { path: /x }", "match: { path: /x/ }")]
#[case::parameter_and_rest("match: { path: \"/x/{id}\" }", "match: { path: \"/x/{*rest}\" }")]
fn routes_that_differ_somewhere_stand_side_by_side(#[case] one: &str, #[case] other: &str) {
    let routes = format!(
        "routes:\n  - {{ name: a, {one}, sensitivity: low }}\n  - {{ name: b, {other}, sensitivity: low }}\nscopes: gone"
    );
    assert!(Folder::with(&changed(&routes)).load().is_ok());
}

#[test]
fn a_reference_to_what_is_defined_badly_is_not_reported_as_unknown() {
    let folder = Folder::with(&changed("issuers:\n  idp: {}\n  attester: 1"));
    let codes: BTreeSet<_> = folder.load().unwrap_err().iter().map(|problem| problem.code).collect();
    assert_eq!(codes, BTreeSet::from([Code::MissingKey, Code::WrongType]));
}
