//! `context` and the sources of identity: what is wrong with them, and what is read where nothing is.

use crate::support::{Folder, changed};
use proptest::prelude::*;
use std::fs;
use std::path::{Path, PathBuf};
use stepgate::config::{Code, Diagnostics, Fingerprint, Loaded};
use stepgate::context::Signals;
use stepgate::policy::IdentitySource;

/// A name, and what is changed in the good policy.
pub(crate) const CASES: &[(&str, &str)] = &[
    ("context_of_other_words", "context:\n  signal: {}\n  learning: { before: 50 }\n  client_address: {}"),
    ("unknown_signal", "context:\n  signals: { new_netwrok: { points: 30 }, weather: { points: 1 } }"),
    ("signals_without_members", WITHOUT_MEMBERS),
    ("signals_of_bad_values", BAD_VALUES),
    ("signals_that_look_for_nothing_or_too_much", LOOKS),
    ("signals_of_taken_names", TAKEN_NAMES),
    ("signals_of_credentials", OF_CREDENTIALS),
    ("country_from_nowhere", "context:\n  signals: { new_country: { points: 30 } }"),
    ("country_from_two", "context:\n  signals: { new_country: { points: 30, header: x-geo, mmdb: a.mmdb } }"),
    ("no_database", "context:\n  signals: { new_country: { points: 30, mmdb: lost.mmdb } }"),
    ("database_of_another_form", "context:\n  signals: { new_country: { points: 30, mmdb: keys/idp.jwks.json } }"),
    ("bad_proxies", "context:\n  client_address: { trusted_proxies: [10.0.0.1/8, everybody, 0.0.0.0/0, \"::/0\"] }"),
    ("learning_from_nothing", "context:\n  learning: { after: 0, remember: 0s }"),
    ("forwarded_certificate", "credentials:\n  xfcc: { trust_domains: [example.org] }"),
    ("jwt_authn_of_bad_values", "credentials:\n  jwt_authn: { namespace: \"\", subject: a b, subjects: [] }"),
    ("delegated_as_text", "credentials:\n  bearer: { issuers: [idp], delegated: yes }"),
    ("unbounded_issuer_beside_jwt_authn", UNBOUNDED),
];

const WITHOUT_MEMBERS: &str = r"
context:
  signals:
    new_network: {}
    long_lived_credential: { points: 20 }
    shared_credential: { points: 40 }
    dormant_identity: { points: 30 }
    untrusted_device: { points: 40 }
    outside_hours: 20
  custom:
    - { present: true }
";

const BAD_VALUES: &str = r#"
context:
  signals:
    new_network: { points: 0 }
    new_country: { points: 101, header: x geo }
    outside_hours: { points: 1.5 }
    scope_jump: { points: "40" }
    long_lived_credential: { points: 20, lifetime: 0s }
    shared_credential: { points: 40, sources: 1, within: 25h }
    dormant_identity: { points: 30, after: 9999d }
    untrusted_device: { points: -1, header: x-device-posture, trusted: [] }
  custom:
    - { name: many, points: 1, header: x-a, values: [] }
    - { name: blank, points: 1, header: x-a, values: [" a"] }
    - { name: other, points: 1, header: x-a, matches: "caf\u00e9*" }
"#;

const LOOKS: &str = r#"
context:
  custom:
    - { name: nothing, points: 1, header: x-a }
    - { name: two, points: 1, header: x-a, absent: true, matches: "*" }
    - { name: not, points: 1, header: x-a, present: false }
    - { name: word, points: 1, header: x-a, present: yes }
"#;

const TAKEN_NAMES: &str = r"
context:
  signals:
    scope_jump: { points: 40 }
  custom:
    - { name: scope_jump, points: 1, header: x-a, present: true }
    - { name: new_network, points: 1, header: x-a, present: true }
    - { name: two words, points: 1, header: x-a, present: true }
    - { name: twice, points: 1, header: x-a, present: true }
    - { name: twice, points: 2, header: x-b, present: true }
";

const OF_CREDENTIALS: &str = r"
credentials:
  bearer: { issuers: [idp], header: X-Token }
context:
  signals:
    new_country: { points: 30, header: DPoP }
    untrusted_device: { points: 40, header: x-forwarded-client-cert, trusted: [managed] }
  custom:
    - { name: a, points: 1, header: Authorization, present: true }
    - { name: b, points: 1, header: x-token, absent: true }
    - { name: c, points: 1, header: workload-identity-token, present: true }
    - { name: d, points: 1, header: x-tokens, present: true }
";

const UNBOUNDED: &str = r"
issuers:
  idp: { issuer: https://idp.example.com, audiences: [https://api.example.com], algorithms: [ES256], keys: { file: keys/idp.jwks.json } }
  attester: { algorithms: [ES256], keys: { file: keys/attester.jwks.json } }
credentials:
  jwt_authn: { key: idp }
  bearer: { issuers: [idp] }
";

/// Everything that the section takes.
const CONTEXT: &str = r#"
context:
  client_address: { trusted_proxies: [10.0.0.0/8, "2001:db8::/32"] }
  learning: { after: 20, remember: 7d }
  signals:
    credential_in_url: { points: 30 }
    untrusted_device: { points: 40, header: X-Device-Posture, trusted: [managed, attested] }
    dormant_identity: { points: 30, after: 30d }
    shared_credential: { points: 40, sources: 3, within: 5m }
    long_lived_credential: { points: 20, lifetime: 1h }
    scope_jump: { points: 40 }
    outside_hours: { points: 20 }
    new_country: { points: 30, header: X-Geo-Country }
    new_network: { points: 100 }
  custom:
    - { name: odd-client, points: 10, header: User-Agent, matches: "curl/*" }
    - { name: break-glass, points: 50, header: x-break-glass, present: true }
    - { name: no-trace, points: 1, header: traceparent, absent: true }
    - { name: canary, points: 5, header: x-stage, values: [canary, beta] }
"#;

const DATABASE: &str = "context:\n  signals: { new_country: { points: 30, mmdb: geo/countries.mmdb } }";

/// More signals than there is room for, by so many.
pub(crate) fn too_many_signals(beyond: usize) -> String {
    let one = |index| format!("    - {{ name: own-{index}, points: 1, header: x-a, present: true }}\n");
    let own: String = (1..Signals::MAX + beyond).map(one).collect();
    format!("context:\n  signals: {{ scope_jump: {{ points: 1 }} }}\n  custom:\n{own}")
}

fn codes(problems: &Diagnostics) -> Vec<Code> {
    problems.iter().map(|problem| problem.code).collect()
}

fn names(loaded: &Loaded) -> Vec<&str> {
    loaded.policy.context.signals.iter().map(|(_, signal)| signal.name.as_str()).collect()
}

#[test]
fn every_signal_is_read_as_it_is_written() {
    let loaded = Folder::with(&changed(CONTEXT)).load().unwrap();
    assert_eq!(codes(&loaded.warnings), []);
    insta::assert_debug_snapshot!("context", loaded.policy.context);
}

#[test]
fn the_places_of_signals_are_the_same_whatever_the_order_of_the_file() {
    let turned: Vec<_> = CONTEXT.lines().filter(|line| line.starts_with("    - ")).rev().collect();
    let turned = format!("{}  custom:\n{}\n", CONTEXT.split("  custom:").next().unwrap(), turned.join("\n"));
    let (one, other) = (Folder::with(&changed(CONTEXT)), Folder::with(&changed(&turned)));
    let (one, other) = (one.load().unwrap(), other.load().unwrap());
    assert_eq!(names(&one), names(&other));
    assert!(names(&one).starts_with(&["new_network", "new_country"]));
    assert!(names(&one).ends_with(&["break-glass", "canary", "no-trace", "odd-client"]));
}

#[test]
fn without_a_context_nothing_is_unusual_and_no_proxy_is_believed() {
    let context = Folder::with(crate::support::GOOD).load().unwrap().policy.context;
    assert!(context.signals.is_empty() && context.trusted_proxies.is_empty());
}

#[test]
fn there_is_room_for_as_many_signals_as_a_set_holds() {
    let loaded = Folder::with(&changed(&too_many_signals(0))).load().unwrap();
    assert_eq!(names(&loaded).len(), Signals::MAX);
    let problems = Folder::with(&changed(&too_many_signals(1))).load().unwrap_err();
    assert_eq!(codes(&problems), [Code::TooManySignals]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_damaged_context_is_refused_or_good_and_never_a_crash(at in 0..CONTEXT.len(), length in 0..40_usize, text in "[-{}:,*&!#a-z0 \n\"']{0,4}") {
        let mut context = CONTEXT.to_owned();
        context.replace_range(at..(at + length).min(CONTEXT.len()), &text);
        let policy = format!("{}{context}", crate::support::GOOD);
        if let Err(problems) = Folder::with(&policy).load() {
            prop_assert!(problems.has_errors());
            prop_assert!(problems.iter().all(|problem| !problem.help.is_empty()));
        }
    }
}

/// With the database of countries beside the policy.
fn with_database() -> (Folder, PathBuf) {
    let folder = Folder::with(&changed(DATABASE));
    let path = folder.write("geo/countries.mmdb", fs::read(test_data("GeoLite2-Country-Test.mmdb")).unwrap());
    (folder, path)
}

fn test_data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/geo").join(name)
}

#[test]
fn a_database_of_countries_lies_beside_the_policy_and_is_followed_like_it() {
    let (folder, path) = with_database();
    let loaded = folder.load().unwrap();
    assert!(loaded.files.contains(&path));
    let before = Fingerprint::of(&[], &loaded.files);
    folder.write("geo/countries.mmdb", fs::read(test_data("MaxMind-DB-test-ipv4-24.mmdb")).unwrap());
    assert_ne!(before, Fingerprint::of(&[], &loaded.files));
    let problems = folder.load().unwrap_err();
    assert_eq!(codes(&problems), [Code::GeoDatabase]);
    assert!(problems.files().contains(&path));
}

#[test]
fn another_database_makes_another_policy() {
    let (folder, path) = with_database();
    let first = folder.load().unwrap().policy.hash;
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.windows(4).rposition(|word| word == b"fake").unwrap();
    bytes[at..at + 4].copy_from_slice(b"test");
    folder.write("geo/countries.mmdb", bytes);
    assert_ne!(first, folder.load().unwrap().policy.hash);
}

#[test]
fn sources_of_identity_count_in_one_order_where_none_is_said() {
    let credentials = "credentials:\n  bearer: { issuers: [idp], delegated: true }\n  jwt_authn: { key: idp, subjects: [\"billing-*\"] }\n  xfcc: { trust_domains: [example.org] }\n  mtls: { trust_domains: [example.org], certificate: required }";
    let loaded = Folder::with(&changed(credentials)).load().unwrap();
    assert_eq!(codes(&loaded.warnings), [Code::ForwardedCertificate]);
    let credentials = loaded.policy.credentials;
    assert_eq!(credentials.identity, IdentitySource::ALL);
    assert!(credentials.bearer.unwrap().delegated);
    let jwt_authn = credentials.jwt_authn.unwrap();
    assert_eq!(&*jwt_authn.namespace, "envoy.filters.http.jwt_authn");
    assert_eq!([&*jwt_authn.key, &*jwt_authn.subject, &*jwt_authn.scopes], ["idp", "sub", "scope"]);
    assert!(jwt_authn.may_name("billing-web") && !jwt_authn.may_name("admin"));
}

#[test]
fn an_order_that_is_said_counts() {
    let credentials = "credentials:\n  identity: [jwt_authn, mtls]\n  mtls: { trust_domains: [example.org] }\n  jwt_authn: { key: idp }";
    let loaded = Folder::with(&changed(credentials)).load().unwrap();
    assert_eq!(loaded.policy.credentials.identity, [IdentitySource::JwtAuthn, IdentitySource::Mtls]);
}
