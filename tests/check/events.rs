//! Who is believed that something has happened.

use crate::support::{Folder, changed};
use stepgate::policy::IssuerId;

/// A name, and what is changed in the good policy.
pub(crate) const CASES: &[(&str, &str)] = &[
    ("transmitter_that_is_not_known", "events: { transmitters: [ipd], audiences: [stepgate] }"),
    ("transmitter_without_issuer", "events: { transmitters: [attester], audiences: [stepgate] }"),
    ("transmitter_named_twice", "events: { transmitters: [idp, idp], audiences: [stepgate] }"),
    ("transmitter_of_trust_domains", OF_TRUST_DOMAINS),
    ("transmitter_of_anybody", OF_ANYBODY),
    ("events_for_nobody", "events: { transmitters: [], audiences: [] }"),
    ("events_of_nobody", "events: { audience: stepgate }"),
];

const OF_TRUST_DOMAINS: &str = r#"
issuers:
  idp: { issuer: https://idp.example.com, audiences: [https://api.example.com], subjects: [a], algorithms: [ES256], keys: { file: keys/idp.jwks.json } }
  attester: { issuer: https://attest.example.com, subjects: [a], algorithms: [ES256], keys: { spiffe: "unix:/run/spire/agent.sock" } }
events: { transmitters: [attester], audiences: [stepgate] }
"#;

const OF_ANYBODY: &str = r"
issuers:
  idp: { issuer: https://idp.example.com, audiences: [https://api.example.com], subjects: [a], algorithms: [ES256], keys: { file: keys/idp.jwks.json } }
  attester: { issuer: https://attest.example.com, algorithms: [ES256], keys: { file: keys/attester.jwks.json } }
events: { transmitters: [attester], audiences: [stepgate] }
";

#[test]
fn transmitters_are_issuers_of_the_policy() {
    let loaded = Folder::with(&changed("events: { transmitters: [idp], audiences: [stepgate] }")).load().unwrap();
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
    let events = loaded.policy.events.unwrap();
    assert_eq!(events.transmitters, [IssuerId(1)]);
    assert!(events.is_named("stepgate") && !events.is_named("stepgate/"));
    assert!(Folder::with(&changed("events: gone")).load().unwrap().policy.events.is_none());
}
