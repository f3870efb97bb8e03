//! What somebody would send who wants to be believed, or to revoke others.

use super::*;
use crate::case::tests::standing::identities;
use crate::case::tests::world::WEB as SPIFFE;
use rstest::rstest;

#[test]
fn a_revoked_session_revokes_its_caller() {
    let received = Gate::new().take(&revoked_session()).unwrap();
    assert_eq!((received.transmitter.as_str(), &*received.id), ("idp", "one"));
    assert_eq!(received.events, [EventType::SessionRevoked]);
    let [revocation] = &*received.revocations else { panic!("{received:?}") };
    assert_eq!(revocation.target, Target::Principal(crate::identity::Principal::parse(WEB).unwrap()));
    assert_eq!((revocation.not_before, revocation.source), (UnixTime::from_secs(NOW - 60), Source::Event));
    assert_eq!(revocation.reason.as_ref().map(Note::as_str), Some("session-revoked from idp"));
}

/// A caller that is revoked by one name must not call by another; and nobody is revoked whom its transmitter knows nothing of.
#[rstest]
#[case::both(&["billing-*", "spiffe://example.org/**"], &[WEB, SPIFFE])]
#[case::one(&["billing-*"], &[WEB])]
#[case::anybody(&[], &[WEB, SPIFFE])]
fn a_caller_is_revoked_by_all_names_that_its_transmitter_may_speak_for(
    #[case] subjects: &[&str],
    #[case] expected: &[&str],
) {
    let mut gate = Gate::believing(IDP, "stepgate", subjects);
    gate.policy.identities = identities(&["WEB=billing-web", "spiffe://example.org/**"]);
    assert_eq!(names(&gate.take(&revoked_session()).unwrap()), expected);
}

#[rstest]
#[case::jwt(json!("JWT"))]
#[case::access_token(json!("at+jwt"))]
#[case::logout(json!("logout+jwt"))]
#[case::half(json!("secevent"))]
#[case::longer(json!("secevent+jwt+x"))]
#[case::of_another_tree(json!("text/secevent+jwt"))]
#[case::empty(json!(""))]
fn a_token_of_another_type_is_no_event(#[case] typ: Value) {
    let gate = Gate::new();
    let header = json!({ "alg": "ES256", "typ": typ, "kid": gate.idp.kid() }).to_string();
    let token = sign_verbatim(&gate.idp, &header, &revoked_session().to_string()).unwrap();
    assert_eq!(gate.receive(&token), Err(Refused::Type));
}

#[rstest]
#[case::no_type(r#"{"alg":"ES256"}"#, Refused::Type)]
#[case::none(r#"{"alg":"none","typ":"secevent+jwt"}"#, Refused::Algorithm)]
#[case::shared_secret(r#"{"alg":"HS256","typ":"secevent+jwt"}"#, Refused::Algorithm)]
#[case::another_algorithm(r#"{"alg":"EdDSA","typ":"secevent+jwt"}"#, Refused::Algorithm)]
#[case::unknown_key(r#"{"alg":"ES256","typ":"secevent+jwt","kid":"x"}"#, Refused::Key)]
#[case::own_key(r#"{"alg":"ES256","typ":"secevent+jwt","jwk":{}}"#, Refused::ForbiddenHeader)]
#[case::key_from_elsewhere(
    r#"{"alg":"ES256","typ":"secevent+jwt","jku":"https://evil.example"}"#,
    Refused::ForbiddenHeader
)]
#[case::extension(r#"{"alg":"ES256","typ":"secevent+jwt","crit":["b64"],"b64":false}"#, Refused::ForbiddenHeader)]
#[case::two_types(r#"{"alg":"ES256","typ":"secevent+jwt","typ":"JWT"}"#, Refused::Malformed)]
fn a_header_of_an_attackers_making_is_refused(#[case] header: &str, #[case] refused: Refused) {
    let gate = Gate::new();
    let token = sign_verbatim(&gate.idp, header, &revoked_session().to_string()).unwrap();
    assert_eq!(gate.receive(&token), Err(refused));
}

#[rstest]
#[case("application/secevent+jwt")]
#[case("SECEVENT+JWT")]
fn a_type_has_two_forms_and_no_case(#[case] typ: &str) {
    let gate = Gate::new();
    let header = json!({ "alg": "ES256", "typ": typ }).to_string();
    assert!(gate.receive(&sign_verbatim(&gate.idp, &header, &revoked_session().to_string()).unwrap()).is_ok());
}

#[test]
fn another_issuers_key_signs_for_nobody_else() {
    let gate = Gate::new();
    assert_eq!(gate.receive(&signed(&revoked_session(), &gate.other)), Err(Refused::Key));
    let header = json!({ "alg": "ES256", "typ": "secevent+jwt", "kid": gate.idp.kid() }).to_string();
    let token = sign_verbatim(&gate.other, &header, &revoked_session().to_string()).unwrap();
    assert_eq!(gate.receive(&token), Err(Refused::Signature));
    let claims = with(&json!({ "iss": OTHER }));
    assert_eq!(gate.receive(&signed(&claims, &gate.other)), Err(Refused::Issuer));
    assert_eq!(gate.receive(&signed(&claims, &gate.idp)), Err(Refused::Issuer));
}

#[test]
fn nobody_is_believed_by_keys_that_are_away_or_revoked() {
    let mut gate = Gate::new();
    let token = signed(&revoked_session(), &gate.idp);
    let thumbprint = Thumbprint::parse(&gate.idp.public().thumbprint()).unwrap();
    let now = UnixTime::from_secs(NOW);
    gate.revoked.add(&Revocation::new(Target::Key(thumbprint), now.minus(Ttl::from_secs(11)), Source::KeyRemoved));
    assert!(gate.receive(&token).is_ok(), "the key came back, and signed this since");
    gate.revoked.add(&Revocation::new(Target::Key(thumbprint), now.minus(Ttl::from_secs(10)), Source::KeyRemoved));
    assert_eq!(gate.receive(&token), Err(Refused::Key));
    gate.keyring = Keyring::of_moment(vec![None, None], 0);
    assert_eq!(gate.receive(&token), Err(Refused::KeysAway));
    gate.policy.events = None;
    assert_eq!(gate.receive(&token), Err(Refused::Off));
}

#[rstest]
#[case::no_issuer(json!({ "iss": null }), Refused::Issuer)]
#[case::issuer_with_a_slash(json!({ "iss": format!("{IDP}/") }), Refused::Issuer)]
#[case::two_issuers(json!({ "iss": [IDP] }), Refused::Malformed)]
#[case::no_audience(json!({ "aud": null }), Refused::Audience)]
#[case::another_audience(json!({ "aud": "https://sp.example.com" }), Refused::Audience)]
#[case::nearly_the_audience(json!({ "aud": ["Stepgate", "stepgate "] }), Refused::Audience)]
#[case::no_audience_in_a_list(json!({ "aud": [] }), Refused::Audience)]
#[case::audience_in_an_object(json!({ "aud": { "stepgate": true } }), Refused::Malformed)]
#[case::expiry(json!({ "exp": NOW + 60 }), Refused::Expiry)]
#[case::subject(json!({ "sub": WEB }), Refused::PlainSubject)]
#[case::no_name(json!({ "jti": null }), Refused::Id)]
#[case::empty_name(json!({ "jti": "" }), Refused::Id)]
#[case::number_for_a_name(json!({ "jti": 1 }), Refused::Id)]
#[case::undated(json!({ "iat": null }), Refused::IssuedAt)]
#[case::dated_in_words(json!({ "iat": "1800000000" }), Refused::IssuedAt)]
#[case::dated_beyond_time(json!({ "iat": 1e300 }), Refused::IssuedAt)]
#[case::dated_before_time(json!({ "iat": -1 }), Refused::IssuedAt)]
#[case::from_the_future(json!({ "iat": NOW + 11 }), Refused::IssuedAt)]
#[case::no_events(json!({ "events": null }), Refused::Events)]
#[case::empty_events(json!({ "events": {} }), Refused::Events)]
#[case::events_in_a_list(json!({ "events": [format!("{CAEP}session-revoked")] }), Refused::Events)]
#[case::event_without_object(json!({ "events": { format!("{CAEP}session-revoked"): true } }), Refused::Events)]
#[case::seventeen_events(json!({ "events": (0..17).map(|n| (format!("urn:a:{n}"), json!({}))).collect::<serde_json::Map<_, _>>() }), Refused::Events)]
#[case::event_of_no_name(json!({ "events": { "": {} } }), Refused::Events)]
fn claims_that_are_not_those_of_an_event_are_refused(#[case] changes: Value, #[case] refused: Refused) {
    assert_eq!(Gate::new().take(&with(&changes)), Err(refused));
}

#[test]
fn one_of_several_audiences_is_enough() {
    assert!(Gate::new().take(&with(&json!({ "aud": ["https://sp.example.com", "stepgate"] }))).is_ok());
}

#[rstest]
#[case::of_a_claim(r#""jti":"one","jti":"two""#)]
#[case::of_an_event(r#""events":{"urn:a:b":{},"urn:a:b":{}}"#)]
#[case::of_a_payload(r#""events":{"urn:a:b":{"event_timestamp":1,"event_timestamp":2}}"#)]
fn what_two_readers_could_read_differently_is_refused(#[case] members: &str) {
    let gate = Gate::new();
    let header = r#"{"alg":"ES256","typ":"secevent+jwt"}"#;
    let claims = format!(r#"{{"iss":"{IDP}","aud":"stepgate","iat":{NOW},{members}}}"#);
    assert_eq!(gate.receive(&sign_verbatim(&gate.idp, header, &claims).unwrap()), Err(Refused::Malformed));
}

#[test]
fn depth_and_length_have_an_end() {
    let gate = Gate::new();
    let header = r#"{"alg":"ES256","typ":"secevent+jwt"}"#;
    let deep = format!(r#"{{"iss":"{IDP}","events":{}{}}}"#, r#"{"a":"#.repeat(10_000), "}".repeat(10_000));
    assert_eq!(gate.receive(&sign_verbatim(&gate.idp, header, &deep).unwrap()), Err(Refused::Malformed));
    let long = |bytes: usize| signed(&with(&json!({ "txn": "x".repeat(bytes) })), &gate.idp);
    assert!(gate.receive(&long(40_000)).is_ok());
    assert_eq!(gate.receive(&long(60_000)), Err(Refused::Malformed));
    for token in ["", ".", "..", "...", "e30.e30.", "not a token", "e30.e30.e30.e30.e30"] {
        assert!(gate.receive(token).is_err(), "{token}");
    }
}

fn at(timestamp: &Value) -> Result<u64, Refused> {
    let claims = with(&json!({ "events": { format!("{CAEP}session-revoked"): { "event_timestamp": timestamp } } }));
    Gate::new().take(&claims).map(|received| received.revocations[0].not_before.as_secs())
}

#[test]
fn the_time_of_an_event_is_held_to_that_of_its_token() {
    assert_eq!(at(&json!(NOW - 60)), Ok(NOW - 60));
    assert_eq!(at(&json!(1_799_999_940.9)), Ok(NOW - 60));
    assert_eq!(at(&json!(0)), Ok(0));
    // In milliseconds, as many write them, and beyond all dates.
    for late in [json!(NOW), json!(NOW * 1_000), json!(u64::MAX), json!(1e300)] {
        assert_eq!(at(&late), Ok(NOW - 10));
    }
    for wrong in [json!(-1), json!("1800000000"), json!([NOW]), json!(true), json!({})] {
        assert_eq!(at(&wrong), Err(Refused::Timestamp));
    }
}

#[test]
fn an_event_without_a_time_happened_when_its_token_was_issued() {
    let claims = |iat: u64| with(&json!({ "iat": iat, "events": { format!("{CAEP}session-revoked"): {} } }));
    let epoch = |iat: u64| Gate::new().take(&claims(iat)).unwrap().revocations[0].not_before.as_secs();
    assert_eq!([epoch(NOW - 10), epoch(NOW + 10)], [NOW - 10, NOW]);
}

#[test]
fn of_two_events_the_one_that_is_worse_counts() {
    let claims = with(&json!({ "events": {
        format!("{CAEP}credential-change"): { "change_type": "create", "event_timestamp": NOW - 20 },
        format!("{CAEP}risk-level-change"): { "current_level": "HIGH", "event_timestamp": NOW - 30 },
        format!("{CAEP}session-revoked"): { "event_timestamp": NOW - 40 },
        "urn:example:something": { "event_timestamp": NOW - 10 },
    } }));
    let received = Gate::new().take(&claims).unwrap();
    assert_eq!((received.events.len(), received.revocations.len()), (4, 1));
    assert_eq!(received.revocations[0].not_before.as_secs(), NOW - 30);
}

fn of(sub_id: &Value) -> Result<Vec<String>, Refused> {
    Gate::new().take(&with(&json!({ "sub_id": sub_id }))).map(|received| names(&received))
}

#[rstest]
#[case::of_the_transmitter(json!({ "format": "iss_sub", "iss": IDP, "sub": WEB }), &[WEB])]
#[case::of_another_issuer(json!({ "format": "iss_sub", "iss": OTHER, "sub": WEB }), &[WEB])]
#[case::workload(json!({ "format": "uri", "uri": "spiffe://example.org/ns/a/sa/b" }), &["spiffe://example.org/ns/a/sa/b"])]
#[case::opaque(json!({ "format": "opaque", "id": WEB }), &[WEB])]
#[case::user_and_application(json!({ "format": "complex",
    "user": { "format": "opaque", "id": WEB },
    "application": { "format": "uri", "uri": "spiffe://example.org/agent" } }), &[WEB, "spiffe://example.org/agent"])]
#[case::user_twice(json!({ "format": "complex",
    "user": { "format": "opaque", "id": WEB }, "device": { "format": "opaque", "id": WEB } }), &[WEB])]
#[case::user_of_a_tenant(json!({ "format": "complex", "user": { "format": "opaque", "id": WEB },
    "tenant": { "format": "opaque", "id": "123456789" }, "session": { "format": "email", "email": "a@b.example" } }), &[WEB])]
#[case::group(json!({ "format": "complex", "group": { "format": "opaque", "id": "billing-all" } }), &["billing-all"])]
fn a_subject_is_revoked_by_the_names_that_a_caller_may_have(#[case] sub_id: Value, #[case] expected: &[&str]) {
    assert_eq!(of(&sub_id).unwrap(), expected);
}

#[rstest]
#[case::somebody_else(json!({ "format": "iss_sub", "iss": IDP, "sub": "payroll" }))]
#[case::of_an_issuer_that_is_not_known(json!({ "format": "iss_sub", "iss": "https://evil.example", "sub": WEB }))]
#[case::another_trust_domain(json!({ "format": "uri", "uri": "spiffe://other.example/web" }))]
#[case::one_of_two(json!({ "format": "complex",
    "user": { "format": "opaque", "id": WEB }, "application": { "format": "opaque", "id": "payroll" } }))]
#[case::a_tenant_alone(json!({ "format": "complex", "tenant": { "format": "opaque", "id": "payroll" } }))]
fn nobody_is_revoked_whom_the_transmitter_may_not_speak_for(#[case] sub_id: Value) {
    assert_eq!(of(&sub_id), Err(Refused::NotTheirs));
}

#[rstest]
#[case::text(json!(WEB))]
#[case::no_format(json!({ "iss": IDP, "sub": WEB }))]
#[case::email(json!({ "format": "email", "email": "billing-web@example.com" }))]
#[case::phone(json!({ "format": "phone_number", "phone_number": "+12065550100" }))]
#[case::account(json!({ "format": "account", "uri": "acct:billing-web@example.com" }))]
#[case::did(json!({ "format": "did", "url": "did:example:123456" }))]
#[case::aliases(json!({ "format": "aliases", "identifiers": [{ "format": "opaque", "id": WEB }] }))]
#[case::capitals(json!({ "format": "OPAQUE", "id": WEB }))]
#[case::no_name(json!({ "format": "iss_sub", "iss": IDP }))]
#[case::no_issuer(json!({ "format": "iss_sub", "sub": WEB }))]
#[case::empty_name(json!({ "format": "opaque", "id": "" }))]
#[case::invisible_name(json!({ "format": "opaque", "id": "billing-\u{200b}web" }))]
#[case::long_name(json!({ "format": "opaque", "id": "billing-".repeat(300) }))]
#[case::empty_complex(json!({ "format": "complex" }))]
#[case::complex_of_nothing_known(json!({ "format": "complex", "robot": { "format": "opaque", "id": WEB } }))]
#[case::complex_in_complex(json!({ "format": "complex", "user": { "format": "complex", "user": { "format": "opaque", "id": WEB } } }))]
#[case::complex_of_email(json!({ "format": "complex",
    "user": { "format": "email", "email": "a@b.example" }, "device": { "format": "opaque", "id": WEB } }))]
#[case::complex_of_a_text(json!({ "format": "complex", "user": WEB }))]
fn what_names_no_caller_is_refused(#[case] sub_id: Value) {
    assert_eq!(of(&sub_id), Err(Refused::Subject));
}

/// SSF 1.0 §3.1: earlier drafts had it in the event; `sub_id` is what counts since.
#[test]
fn a_subject_in_the_event_is_not_read() {
    let event = json!({ "subject": { "format": "opaque", "id": WEB } });
    let claims =
        |sub_id: Value| with(&json!({ "sub_id": sub_id, "events": { format!("{CAEP}session-revoked"): event } }));
    assert_eq!(Gate::new().take(&claims(Value::Null)), Err(Refused::Subject));
    let other = json!({ "format": "opaque", "id": "billing-api" });
    assert_eq!(names(&Gate::new().take(&claims(other)).unwrap()), ["billing-api"]);
}

#[test]
fn a_token_means_the_same_whenever_it_is_sent_again() {
    let gate = Gate::new();
    let late = json!({ "event_timestamp": u64::MAX });
    let token = signed(&with(&json!({ "events": { format!("{CAEP}session-revoked"): late } })), &gate.idp);
    assert_eq!(gate.receive(&token), gate.receive_at(NOW + 40 * 86_400, &token));
    let id = |jti: &str| gate.take(&with(&json!({ "jti": jti }))).unwrap().revocations[0].id.clone();
    assert_eq!(id("one"), id("one"));
    assert_ne!(id("one"), id("two"));
}
