//! Dynamic metadata: what Envoy's access log and later filters may know of a decision.
//!
//! It goes with every answer and always has the same members, so it is written as the bytes of a `google.protobuf.Struct`.

use super::fields::{DOUBLE_LEN, Fields, Key, delimited_len};
use super::render::Rendering;
use crate::decision::Outcome;
use crate::policy::{Classification, PrivilegeReason};

/// The metadata of one answer. Every member is there on every answer; what is not known is empty.
pub fn metadata(rendering: &Rendering<'_>) -> Vec<u8> {
    let decision = rendering.decision;
    let class = decision.findings.classification.as_ref();
    let principal = decision.findings.caller.as_ref().and_then(|caller| caller.principal.as_ref());
    let rules: Vec<_> = rendering.rule_names(class.map(|class| &*class.rules)).collect();
    let shadow_rules: Vec<_> = rendering.rule_names(class.map(|class| &*class.shadow_rules)).collect();
    let mut members = Members(Fields::with_capacity(TYPICAL_BYTES));
    members.text("decision", decision.outcome.as_str());
    members.text("reason", decision.reason().as_str());
    members.text("route", rendering.route_name());
    members.text("sensitivity", class.map_or("", |class| class.sensitivity.as_str()));
    members.text("privilege", class.map_or("", |class| class.privilege.as_str()));
    members.list("privilege_reasons", &privilege_reasons(class));
    members.number("anomaly", f64::from(decision.findings.unusual.anomaly.points()));
    members.list("signals", &rendering.signal_names().collect::<Vec<_>>());
    members.list("rules", &rules);
    members.list("shadow_rules", &shadow_rules);
    members.text("assurance", rendering.assurance_name());
    members.text("principal", principal.map_or("", |principal| principal.as_str()));
    // Only a task that was proven: what a caller merely shows, a later filter could take for granted.
    members.text("task", decision.task().unwrap_or_default());
    members.text("decision_id", rendering.decision_id);
    members.text("shadow_decision", decision.shadow.as_ref().map_or("", Outcome::as_str));
    members.0.into_bytes()
}

/// What most answers need, so that the bytes grow once.
const TYPICAL_BYTES: usize = 512;

fn privilege_reasons(class: Option<&Classification>) -> Vec<&'static str> {
    let reasons = class.map(|class| class.privilege_reasons.as_slice()).unwrap_or_default();
    reasons.iter().map(|reason| PrivilegeReason::as_str(*reason)).collect()
}

/// The members of a `google.protobuf.Struct`.
struct Members(Fields);

/// Fields of `Struct`, of an entry of its map, of `Value` and of `ListValue`.
mod key {
    use super::Key;
    pub(super) const STRUCT_FIELDS: Key = Key::delimited(1);
    pub(super) const ENTRY_KEY: Key = Key::delimited(1);
    pub(super) const ENTRY_VALUE: Key = Key::delimited(2);
    pub(super) const VALUE_NUMBER: Key = Key::fixed64(2);
    pub(super) const VALUE_STRING: Key = Key::delimited(3);
    pub(super) const VALUE_LIST: Key = Key::delimited(6);
    pub(super) const LIST_VALUES: Key = Key::delimited(1);
}

impl Members {
    fn text(&mut self, name: &str, text: &str) {
        self.open(name, delimited_len(text.len()));
        self.0.delimited(key::VALUE_STRING, text.as_bytes());
    }

    fn number(&mut self, name: &str, number: f64) {
        self.open(name, DOUBLE_LEN);
        self.0.double(key::VALUE_NUMBER, number);
    }

    fn list(&mut self, name: &str, texts: &[&str]) {
        let values: usize = texts.iter().map(|text| delimited_len(delimited_len(text.len()))).sum();
        self.open(name, delimited_len(values));
        self.0.open(key::VALUE_LIST, values);
        for text in texts {
            self.0.open(key::LIST_VALUES, delimited_len(text.len()));
            self.0.delimited(key::VALUE_STRING, text.as_bytes());
        }
    }

    /// Begins the map entry of a member, up to the value, which is to have so many bytes.
    fn open(&mut self, name: &str, value: usize) {
        self.0.open(key::STRUCT_FIELDS, delimited_len(name.len()) + delimited_len(value));
        self.0.delimited(key::ENTRY_KEY, name.as_bytes());
        self.0.open(key::ENTRY_VALUE, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use envoy_types::pb::google::protobuf::{ListValue, Struct, Value, value::Kind};
    use proptest::prelude::*;
    use prost::Message;

    fn value(kind: Kind) -> Value {
        Value { kind: Some(kind) }
    }

    proptest! {
        #[test]
        fn what_is_written_is_the_struct_that_prost_reads(
            name in ".{0,200}", text in ".{0,300}", texts in prop::collection::vec(".{0,150}", 0..4), number in any::<i32>(),
        ) {
            let mut members = Members(Fields::default());
            members.text(&format!("t{name}"), &text);
            members.list(&format!("l{name}"), &texts.iter().map(String::as_str).collect::<Vec<_>>());
            members.number(&format!("n{name}"), f64::from(number));
            let values = texts.into_iter().map(|text| value(Kind::StringValue(text))).collect();
            let expected = Struct { fields: [
                (format!("t{name}"), value(Kind::StringValue(text))),
                (format!("l{name}"), value(Kind::ListValue(ListValue { values }))),
                (format!("n{name}"), value(Kind::NumberValue(f64::from(number)))),
            ].into() };
            prop_assert_eq!(Struct::decode(members.0.into_bytes().as_slice()).unwrap(), expected);
        }
    }
}
