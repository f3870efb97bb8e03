//! Where the keys of issuers come from, as a policy says it.

use crate::support::{Folder, changed};
use rcgen::{CertificateParams, KeyPair};
use rstest::rstest;
use stepgate::config::{Fingerprint, Loaded};
use stepgate::policy::{IssuerId, KeyOrigin, RemoteKeys};
use stepgate::time::Ttl;

/// A name, and what is changed in the good policy.
pub(crate) const CASES: &[(&str, &str)] = &[
    ("keys_that_anybody_on_the_way_could_change", REMOTE_PLAIN),
    ("keys_at_no_url", REMOTE_MALFORMED),
    ("keys_refreshed_too_often", REMOTE_OFTEN),
    ("keys_of_a_file_with_what_is_of_a_url", FILE_WITH_REFRESH),
    ("keys_from_two_places", TWO_REMOTE),
    ("keys_under_a_ca_that_is_none", NO_CA),
    ("keys_under_a_lost_ca", LOST_CA),
    ("keys_from_half_a_socket", HALF_A_SOCKET),
];

/// The good issuer, with its keys from somewhere else.
fn idp(keys: &str) -> String {
    format!(
        "issuers:\n  idp: {{ issuer: https://idp.example.com, audiences: [https://api.example.com], subjects: [a], algorithms: [ES256], keys: {keys} }}\n  attester: {{ algorithms: [ES256], keys: {{ file: keys/attester.jwks.json }} }}"
    )
}

const REMOTE_PLAIN: &str = r#"
issuers:
  idp: { algorithms: [ES256], keys: { url: "http://idp.example.com/jwks" } }
  attester: { algorithms: [ES256], keys: { file: keys/attester.jwks.json } }
"#;

const REMOTE_MALFORMED: &str = r#"
issuers:
  idp: { algorithms: [ES256], keys: { url: "https://user:secret@idp.example.com/jwks" } }
  attester: { algorithms: [ES256], keys: { file: keys/attester.jwks.json } }
"#;

const REMOTE_OFTEN: &str = r#"
issuers:
  idp: { algorithms: [ES256], keys: { url: "https://idp.example.com/jwks", refresh: 1s } }
  attester: { algorithms: [ES256], keys: { url: "https://idp.example.com/jwks", refresh: 2d } }
"#;

const FILE_WITH_REFRESH: &str = r"
issuers:
  idp: { algorithms: [ES256], keys: { file: keys/idp.jwks.json, refresh: 5m, ca: ca.pem } }
  attester: { algorithms: [ES256], keys: { file: keys/attester.jwks.json } }
";

const TWO_REMOTE: &str = r#"
issuers:
  idp: { algorithms: [ES256], keys: { url: "https://idp.example.com/jwks", spiffe: "unix:/run/spire/agent.sock" } }
  attester: { algorithms: [ES256], keys: { file: keys/attester.jwks.json } }
"#;

const NO_CA: &str = r#"
issuers:
  idp: { algorithms: [ES256], keys: { url: "https://idp.example.com/jwks", ca: keys/idp.jwks.json } }
  attester: { algorithms: [ES256], keys: { file: keys/attester.jwks.json } }
"#;

const LOST_CA: &str = r#"
issuers:
  idp: { algorithms: [ES256], keys: { url: "https://idp.example.com/jwks", ca: lost.pem } }
  attester: { algorithms: [ES256], keys: { file: keys/attester.jwks.json } }
"#;

const HALF_A_SOCKET: &str = r#"
issuers:
  idp: { algorithms: [ES256], keys: { spiffe: "unix:agent.sock" } }
  attester: { algorithms: [ES256], keys: { spiffe: "https://agent.example.com" } }
"#;

fn ca() -> String {
    let key = KeyPair::generate().unwrap();
    CertificateParams::default().self_signed(&key).unwrap().pem()
}

fn remote(loaded: &Loaded) -> &RemoteKeys {
    let idp = loaded.policy.issuers.iter().position(|issuer| issuer.name.as_str() == "idp").unwrap();
    match &loaded.keys[idp] {
        KeyOrigin::Remote(remote) => remote,
        KeyOrigin::Given(_) => panic!("{:?}", loaded.keys),
    }
}

/// `check`, `test` and `explain` see what loading sees.
#[test]
fn nothing_is_fetched_when_a_policy_is_loaded() {
    let folder = Folder::with(&changed(&idp("{ url: \"https://idp.example.com/jwks\" }")));
    let loaded = folder.load().unwrap();
    let away: Vec<_> = (0..2).map(|index| loaded.keyring.of(IssuerId(index)).is_none()).collect();
    assert_eq!(away, [false, true]);
    let RemoteKeys::Url { url, refresh, ca } = remote(&loaded) else { panic!() };
    assert_eq!((url.as_str(), *refresh, ca), ("https://idp.example.com/jwks", Ttl::from_secs(300), &None));
}

#[rstest]
#[case("unix:/run/spire/agent.sock")]
#[case("unix:///run/spire/agent.sock")]
fn a_socket_is_named_in_either_way(#[case] socket: &str) {
    let loaded = Folder::with(&changed(&idp(&format!("{{ spiffe: \"{socket}\" }}")))).load().unwrap();
    assert_eq!(*remote(&loaded), RemoteKeys::Spiffe { socket: "/run/spire/agent.sock".into() });
}

/// Else a process would go on trusting a CA that was taken back.
#[test]
fn another_ca_makes_another_policy() {
    let folder = Folder::with(&changed(&idp("{ url: \"https://idp.example.com/jwks\", ca: ca.pem }")));
    folder.write("ca.pem", ca());
    let first = folder.load().unwrap();
    let paths = [folder.path().to_owned()];
    let seen = Fingerprint::of(&paths, &first.files);
    folder.write("ca.pem", ca());
    assert_ne!(Fingerprint::of(&paths, &first.files), seen);
    let second = folder.load().unwrap();
    assert_ne!(first.policy.hash, second.policy.hash);
    assert_ne!(remote(&first), remote(&second));
}
