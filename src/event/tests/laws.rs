//! What holds for all tokens.

use super::*;
use proptest::prelude::*;

fn word() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["billing-web", "payroll", "spiffe://example.org/a", "compliant", "create", "LOW", ""])
}

fn payload() -> impl Strategy<Value = Value> {
    let key = prop::sample::select(vec!["event_timestamp", "change_type", "current_level", "current_status", "x"]);
    let value = prop_oneof![
        word().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<u32>().prop_map(Value::from)
    ];
    prop::collection::btree_map(key, value, 0..3).prop_map(|members| json!(members))
}

fn events() -> impl Strategy<Value = Value> {
    let kind =
        prop::sample::select(vec!["session-revoked", "credential-change", "risk-level-change", "session-presented"]);
    prop::collection::btree_map(kind.prop_map(|kind| format!("{CAEP}{kind}")), payload(), 0..3)
        .prop_map(|events| json!(events))
}

fn subject() -> impl Strategy<Value = Value> {
    let simple = (prop::sample::select(vec!["opaque", "uri", "iss_sub", "email"]), word())
        .prop_map(|(format, name)| json!({ "format": format, "id": name, "uri": name, "sub": name, "iss": IDP }))
        .boxed();
    let member = prop::sample::select(vec!["user", "device", "tenant", "session", "robot"]);
    let complex = prop::collection::btree_map(member, simple.clone(), 0..4).prop_map(|members| {
        let mut subject = json!(members);
        subject["format"] = json!("complex");
        subject
    });
    prop_oneof![simple, complex]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Nothing is ever revoked as of later than the token or the present, or for whom the transmitter may not speak.
    #[test]
    fn a_revocation_reaches_no_further_than_its_transmitter(
        iat in NOW - 100..NOW + 20, events in events(), sub_id in subject()
    ) {
        let gate = Gate::new();
        let Ok(received) = gate.take(&with(json!({ "iat": iat, "events": events, "sub_id": sub_id }))) else {
            return Ok(());
        };
        for revocation in &received.revocations {
            prop_assert!(revocation.not_before.as_secs() <= iat.min(NOW));
            let name = revocation.target.value().unwrap();
            prop_assert!(name.starts_with("billing-") || name.starts_with("spiffe://example.org/"), "{}", name);
            prop_assert!(sub_id.to_string().contains(&name));
        }
        let ids: std::collections::BTreeSet<_> = received.revocations.iter().map(|one| &one.id).collect();
        prop_assert_eq!(ids.len(), received.revocations.len());
    }
}
