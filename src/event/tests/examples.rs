//! The examples of CAEP 1.0 and SSF 1.0 to the letter of their JSON, and what follows from each.

use super::*;
use rstest::rstest;

const SESSION_OPAQUE: &str = include_str!("../../../tests/data/events/caep-3.1-session-opaque.json");
const SESSION_COMPLEX: &str = include_str!("../../../tests/data/events/caep-3.1-session-complex.json");
const SESSION_DEVICE: &str = include_str!("../../../tests/data/events/caep-3.1-session-user-device.json");
const CLAIMS_JWT: &str = include_str!("../../../tests/data/events/caep-3.2-claims-jwt-id.json");
const CLAIMS_SAML: &str = include_str!("../../../tests/data/events/caep-3.2-claims-saml.json");
const CREDENTIAL: &str = include_str!("../../../tests/data/events/caep-3.3-credential-created.json");
const ASSURANCE_UP: &str = include_str!("../../../tests/data/events/caep-3.4-assurance-increase.json");
const ASSURANCE_CUSTOM: &str = include_str!("../../../tests/data/events/caep-3.4-assurance-custom.json");
const DEVICE: &str = include_str!("../../../tests/data/events/caep-3.5-device-not-compliant.json");
const ESTABLISHED: &str = include_str!("../../../tests/data/events/caep-3.6-session-established.json");
const PRESENTED: &str = include_str!("../../../tests/data/events/caep-3.7-session-presented.json");
const RISK: &str = include_str!("../../../tests/data/events/caep-3.8-risk-low.json");
const TWO_AUDIENCES: &str = include_str!("../../../tests/data/events/ssf-4.1.7-two-audiences.json");
const EMAIL: &str = include_str!("../../../tests/data/events/ssf-5-claims-email.json");
const RISC: &str = include_str!("../../../tests/data/events/ssf-5-account-disabled.json");
const COMPLEX: &str = include_str!("../../../tests/data/events/ssf-5-session-complex.json");
const VERIFICATION: &str = include_str!("../../../tests/data/events/ssf-8.1.4.1-verification.json");
const STREAM: &str = include_str!("../../../tests/data/events/ssf-8.1.5-stream-updated.json");

/// A gate that believes whoever the example is from, as whoever it is for.
fn read(example: &str) -> Result<Received, Refused> {
    let claims: Value = serde_json::from_str(example).unwrap();
    let audience = claims["aud"].as_str().or_else(|| claims["aud"][0].as_str()).unwrap();
    let mut gate = Gate::believing(claims["iss"].as_str().unwrap(), audience, &[]);
    // The provider that subjects of the examples are from, where it is not their transmitter.
    let provider = "https://idp.example.com/3957ea72-1b66-44d6-a044-d805712b9288/";
    gate.policy.issuers.push(issuer("provider", provider, &[]));
    gate.take(&claims)
}

#[rstest]
#[case::of_an_opaque_name(SESSION_OPAQUE, &["dMTlD|1600802906337.16|16008.16"])]
#[case::of_a_user_in_one_session(SESSION_COMPLEX, &["99beb27c-c1c2-4955-882a-e0dc4996fcbc"])]
#[case::of_a_user_and_a_device(SESSION_DEVICE, &["jane.smith@example.com", "e9297990-14d2-42ec-a4a9-4036db86509a"])]
#[case::of_another_scale(ASSURANCE_CUSTOM, &["jane.smith@example.com"])]
#[case::of_a_device(DEVICE, &["e9297990-14d2-42ec-a4a9-4036db86509a"])]
fn what_got_worse_revokes_as_of_when_it_happened(#[case] example: &str, #[case] expected: &[&str]) {
    let received = read(example).unwrap();
    assert_eq!(names(&received), expected);
    assert!(received.revocations.iter().all(|one| one.not_before == UnixTime::from_secs(1_615_304_991)));
}

/// SSF 1.0 §5: its time, of which the token itself says that it was yet to come, is held to that of the token.
#[test]
fn an_event_is_not_later_than_the_token_that_tells_of_it() {
    let received = read(COMPLEX).unwrap();
    assert_eq!(names(&received), ["jane.smith@example.com", "e9297990-14d2-42ec-a4a9-4036db86509a"]);
    assert!(received.revocations.iter().all(|one| one.not_before == UnixTime::from_secs(1_520_364_019)));
}

#[rstest]
#[case::a_new_credential(CREDENTIAL, "credential-change")]
#[case::a_higher_level(ASSURANCE_UP, "assurance-level-change")]
#[case::a_lower_risk(RISK, "risk-level-change")]
#[case::a_new_session(ESTABLISHED, "https://schemas.openid.net/secevent/caep/event-type/session-established")]
#[case::a_session_seen(PRESENTED, "https://schemas.openid.net/secevent/caep/event-type/session-presented")]
#[case::of_risc(RISC, "https://schemas.openid.net/secevent/risc/event-type/account-disabled")]
#[case::a_stream(STREAM, "https://schemas.openid.net/secevent/ssf/event-type/stream-updated")]
#[case::a_verification(VERIFICATION, "verification")]
#[case::a_verification_for_two(TWO_AUDIENCES, "verification")]
fn anything_else_is_taken_and_revokes_nothing(#[case] example: &str, #[case] event: &str) {
    let received = read(example).unwrap();
    assert_eq!(received.revocations, []);
    assert_eq!(received.events.iter().map(EventType::as_str).collect::<Vec<_>>(), [event]);
}

#[rstest]
#[case::a_token(CLAIMS_JWT)]
#[case::an_assertion(CLAIMS_SAML)]
#[case::an_address(EMAIL)]
fn a_subject_that_is_no_caller_is_refused_where_it_would_be_revoked(#[case] example: &str) {
    assert_eq!(read(example), Err(Refused::Subject));
}
