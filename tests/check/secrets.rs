//! Private keys that stand in a policy by mistake: whatever is said about them, they are not shown.

use crate::support::{Folder, changed};
use assert_cmd::Command;
use rstest::rstest;
use std::process::Output;

/// A name, and what is changed in the good policy.
pub(crate) const CASES: &[(&str, &str)] = &[
    ("private_key", IN_BLOCKS),
    ("private_key_that_stands_twice", TWICE),
    ("private_key_beside_another_problem", ON_ONE_LINE),
    ("private_key_in_place_of_a_file", AS_FILE),
    ("private_key_in_what_is_no_yaml", NO_YAML),
];

/// Nothing of it may be seen, not even a part.
const SECRET: &str = "bm9ib2R5LW1heS1zZWUtdGhpcy1rZXktYW55d2hlcmU";
const SEEN: usize = 6;

const IN_BLOCKS: &str = r"
issuers:
  idp:
    algorithms: [EdDSA]
    keys:
      inline:
        keys:
          - { kid: a, kty: OKP, crv: Ed25519, x: 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo }
          - { kid: b, kty: OKP, crv: Ed25519, d: bm9ib2R5LW1heS1zZWUtdGhpcy1rZXktYW55d2hlcmU }
";

const TWICE: &str = r"
issuers:
  idp:
    algorithms: [EdDSA]
    keys:
      inline:
        keys:
          - kty: OKP
            d:
            d: bm9ib2R5LW1heS1zZWUtdGhpcy1rZXktYW55d2hlcmU
";

const ON_ONE_LINE: &str = r"
issuers:
  idp: { algorithms: [none], keys: { inline: { keys: [{ kty: oct, k: bm9ib2R5LW1heS1zZWUtdGhpcy1rZXktYW55d2hlcmU }] } } }
";

const AS_FILE: &str = r"
issuers:
  idp:
    algorithms: [ES256]
    keys:
      file: |
        -----BEGIN PRIVATE KEY-----
        bm9ib2R5LW1heS1zZWUtdGhpcy1rZXktYW55d2hlcmU=
        -----END PRIVATE KEY-----
";

const NO_YAML: &str = r"
issuers:
  idp:
    algorithms: [ES256]
    keys: { inline: { keys: [{ kty: oct, k: bm9ib2R5LW1heS1zZWUtdGhpcy1rZXktYW55d2hlcmU }] }
";

const UNDER_A_WRONG_KEY: &str = r"
issuers:
  idp: { algorithms: [ES256], kyes: { inline: { kty: EC, crv: P-256, d: bm9ib2R5LW1heS1zZWUtdGhpcy1rZXktYW55d2hlcmU } } }
";

const ON_TWO_LINES: &str = r#"
issuers:
  idp: { algorithms: [ES256], keys: { inline: { keys: [{ kty: EC, d: "bm9ib2R5LW1heS1zZWUtdG
    hpcy1rZXktYW55d2hlcmU", crv: 5, crv: 6 }] } } }
"#;

const FOLDED: &str = r"
issuers:
  idp:
    algorithms: [ES256]
    keys:
      inline: { keys: [] }
      d: >-
        bm9ib2R5LW1heS1zZWUtdG
        hpcy1rZXktYW55d2hlcmU
";

const AS_JSON: &str = r#"
issuers:
  idp: { algorithms: [ES256], keys: { inline: '{"keys":[{"kty":"oct","k":"bm9ib2R5LW1heS1zZWUtdGhpcy1rZXktYW55d2hlcmU"}]}' } }
"#;

const AS_URL: &str = r#"
issuers:
  idp: { algorithms: [ES256], keys: { url: '{"kty":"oct","k":"bm9ib2R5LW1heS1zZWUtdGhpcy1rZXktYW55d2hlcmU"}' } }
"#;

const IN_A_LIST: &str = r"
issuers:
  idp:
    algorithms: [ES256]
    keys:
      - -----BEGIN EC PRIVATE KEY-----
        bm9ib2R5LW1heS1zZWUtdGhpcy1rZXktYW55d2hlcmU=
        -----END EC PRIVATE KEY-----
";

const BY_AN_ALIAS: &str = r"
issuers:
  idp: { algorithms: [&key bm9ib2R5LW1heS1zZWUtdGhpcy1rZXktYW55d2hlcmU], keys: { inline: { keys: [{ kty: oct, k: *key }] } } }
";

const PEM_THAT_IS_NO_YAML: &str = r"
issuers:
  idp: { algorithms: [ES256], keys: { inline:
-----BEGIN PRIVATE KEY-----
bm9ib2R5LW1heS1zZWUtdGhpcy1rZXktYW55d2hlcmU=
-----END PRIVATE KEY-----
";

fn said(output: &Output) -> String {
    String::from_utf8([output.stdout.as_slice(), &output.stderr].concat()).unwrap()
}

fn refused_start(folder: &Folder) -> Output {
    let mut command = Command::cargo_bin("stepgate").unwrap();
    command.args(["serve", "--policy", "policy.yaml"]).current_dir(folder.path()).output().unwrap()
}

#[rstest]
#[case::in_blocks(IN_BLOCKS)]
#[case::twice(TWICE)]
#[case::on_one_line(ON_ONE_LINE)]
#[case::as_file(AS_FILE)]
#[case::no_yaml(NO_YAML)]
#[case::under_a_wrong_key(UNDER_A_WRONG_KEY)]
#[case::on_two_lines(ON_TWO_LINES)]
#[case::folded(FOLDED)]
#[case::as_json(AS_JSON)]
#[case::as_url(AS_URL)]
#[case::in_a_list(IN_A_LIST)]
#[case::by_an_alias(BY_AN_ALIAS)]
#[case::pem_that_is_no_yaml(PEM_THAT_IS_NO_YAML)]
fn nothing_of_a_private_key_is_shown_in_any_format(#[case] change: &str) {
    let folder = Folder::with(&changed(change));
    let checks = ["text", "json", "sarif", "github"].map(|format| folder.check(&["--output", format, "policy.yaml"]));
    for output in checks.into_iter().chain([refused_start(&folder)]) {
        let said = said(&output);
        assert!(!output.status.success() && said.contains("SG00"), "{said}");
        let seen = SECRET.as_bytes().windows(SEEN).any(|part| said.contains(std::str::from_utf8(part).unwrap()));
        assert!(!seen, "{said}");
    }
}

/// Else nobody would see what is wrong with them.
#[test]
fn public_keys_are_shown() {
    let folder = Folder::with(&changed(&ON_ONE_LINE.replace("kty: oct, k:", "kty: RSA, e: AQAB, n:")));
    assert!(said(&folder.check(&["policy.yaml"])).contains(SECRET));
}
