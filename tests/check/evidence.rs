//! Attestations and levels: what each profile takes, and what would let in more than it seems to.

use crate::support::{Folder, changed, stderr};
use rstest::rstest;
use stepgate::config::Code;

pub(crate) const CASES: &[(&str, &str)] = &[
    ("bad_attestations", BAD),
    ("attestation_without_audience", WITHOUT_AUDIENCE),
    ("shared_by_iss", SHARED_BY_ISS),
    ("attestation_in_the_header_of_bearers", IN_THE_HEADER_OF_BEARERS),
    ("laxer_in_every_member", LAXER),
    ("unprovable_attestation", UNPROVABLE),
    ("reusable_proofs", REUSABLE),
];

const BAD: &str = r#"
attestations:
  a: { profile: oauth-client-attestation, issuers: [attester], header: x-attestation, proof: mtls }
  b: { profile: wimse, issuers: [attester], proof: dpop, tier: affirming }
  c: { profile: jwt, issuers: [attester], proof: pop, header: authorization, audiences: [] }
  d: { profile: ear, issuers: [attester], tier: none, claims: { "/a/~2": [b], c: [] }, header: x-stepgate-ear }
  e: { profile: jtw, issuers: [attester] }
assurance: []
rules: []
"#;

const WITHOUT_AUDIENCE: &str = r"
attestations:
  ci: { profile: jwt, issuers: [attester] }
  tee: { profile: ear, issuers: [attester], audiences: [stepgate] }
assurance: []
rules: []
";

const SHARED_BY_ISS: &str = r"
issuers:
  idp: { issuer: https://idp.example.com, audiences: [https://api.example.com], algorithms: [ES256], subjects: [a], keys: { file: keys/idp.jwks.json } }
  attester: { issuer: https://idp.example.com, audiences: [https://api.example.com, stepgate], algorithms: [ES256], keys: { file: keys/attester.jwks.json } }
attestations:
  ci: { profile: jwt, issuers: [attester] }
  apart: { profile: jwt, issuers: [idp], audiences: [stepgate] }
assurance: []
rules: []
";

const IN_THE_HEADER_OF_BEARERS: &str = r"
credentials:
  bearer: { issuers: [idp], header: x-workload }
attestations:
  ci: { profile: jwt, issuers: [attester], audiences: [stepgate], header: X-Workload }
assurance: []
rules: []
";

const LAXER: &str = r"
assurance:
  - { name: strict, max_age: 60s, accept: [workload], challenge: required, single_use: true, scoped: required, task: required }
  - { name: lax, max_age: 60s, accept: [workload] }
rules: []
";

const UNPROVABLE: &str = r"
credentials:
  bearer: { issuers: [idp] }
attestations:
  ci: { profile: jwt, issuers: [attester], audiences: [stepgate], proof: none }
assurance:
  - { name: fresh, max_age: 5m, accept: [ci] }
  - { name: once, max_age: 5m, accept: [ci], challenge: required, single_use: true }
rules:
  - { name: elevated, when: { sensitivity: high, privilege: elevated }, require: fresh }
";

const REUSABLE: &str = r"
routes:
  - { name: token, match: { methods: [POST], path: /token }, sensitivity: high, issues: { scopes: { form: scope } } }
  - { name: tool, match: { path: /mcp, mcp: { method: tools/call } }, sensitivity: critical, scopes: [payments:refund] }
";

fn warned(change: &str) -> Vec<Code> {
    let loaded = Folder::with(&changed(change)).load().unwrap();
    loaded.warnings.iter().map(|problem| problem.code).collect()
}

#[rstest]
#[case::no_such_route("unmatched: { sensitivity: critical }")]
#[case::once(
    "assurance:\n  - { name: fresh, max_age: 5m, accept: [workload], single_use: true }\n  - { name: bound, max_age: 60s, accept: [workload], challenge: required, single_use: true }\nroutes:\n  - { name: token, match: { path: /token }, sensitivity: high, issues: { scopes: { form: scope } } }"
)]
#[case::certificates(
    "attestations:\n  workload: { profile: jwt, issuers: [attester], audiences: [stepgate], proof: none }"
)]
fn what_is_strong_enough_is_not_warned_about(#[case] change: &str) {
    let warned = warned(change);
    assert!(!warned.contains(&Code::ReusableProof) && !warned.contains(&Code::UnprovableAttestation), "{warned:?}");
}

/// A second name for who signs bearers does not make another of it: a stolen bearer would be an attestation, too.
#[rstest]
#[case::file("{ file: keys/idp.jwks.json }", "{ file: keys/idp.jwks.json }", "", true)]
#[case::url("{ url: \"https://a.example/k\" }", "{ url: \"https://a.example/k\", refresh: 1m }", "", true)]
#[case::socket("{ spiffe: \"unix:/run/a.sock\" }", "{ spiffe: \"unix:/run/a.sock\" }", "", true)]
#[case::other_keys("{ url: \"https://a.example/k\" }", "{ url: \"https://b.example/k\" }", "", false)]
#[case::other_iss("{ file: keys/idp.jwks.json }", "{ file: keys/idp.jwks.json }", "issuer: https://a.example,", false)]
fn who_signs_bearers_is_no_other_by_another_name(
    #[case] idp: &str,
    #[case] attester: &str,
    #[case] iss: &str,
    #[case] refused: bool,
) {
    let policy = format!(
        r"
issuers:
  idp: {{ issuer: https://idp.example.com, audiences: [https://api.example.com], algorithms: [ES256], subjects: [a], keys: {idp} }}
  attester: {{ {iss} audiences: [https://api.example.com], algorithms: [ES256], keys: {attester} }}
attestations:
  workload: {{ profile: jwt, issuers: [attester] }}
"
    );
    let loaded = Folder::with(&changed(&policy)).load();
    let problems = loaded.err().unwrap_or_default();
    let codes: Vec<_> = problems.iter().map(|problem| problem.code).collect();
    assert_eq!(codes.contains(&Code::SharedIssuer), refused, "{codes:?}");
    assert_eq!(codes.is_empty(), !refused, "{codes:?}");
}

/// Also where neither names it twice: one of them has it by default.
#[test]
fn bearers_and_attestations_never_share_a_header() {
    let policy = r"
credentials:
  bearer: { issuers: [idp], header: x-attestation }
attestations:
  workload: { profile: jwt, issuers: [attester], audiences: [stepgate] }
";
    let output = Folder::with(&changed(policy)).check(&["policy.yaml"]);
    assert!(!output.status.success() && stderr(&output).contains("bearer tokens come in `x-attestation` too"));
}

#[test]
fn every_profile_loads_with_all_that_it_takes() {
    let policy = r#"
attestations:
  workload: { profile: oauth-client-attestation, issuers: [attester], proof: pop, audiences: [a], task_claim: run, scope_claim: scp }
  wit: { profile: wimse, issuers: [attester], proof: any, subject: sub }
  ci: { profile: jwt, issuers: [attester], audiences: [a], header: x-ci, subject: sub, claims: { "/kubernetes.io/namespace": [billing] }, proof: none }
  tee: { profile: ear, issuers: [attester], audiences: [a], tier: warning, proof: mtls, forward: true }
assurance:
  - { name: fresh, max_age: 5m, accept: [workload, wit, ci, tee], carry: every_call, on_state_loss: deny }
  - { name: bound, max_age: 5m, accept: [workload, wit], challenge: required, single_use: true, scoped: required, task: required }
"#;
    let output = Folder::with(&changed(policy)).check(&["--strict", "policy.yaml"]);
    assert!(output.status.success(), "{}", stderr(&output));
}
