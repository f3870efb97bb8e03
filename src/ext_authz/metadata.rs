//! Dynamic metadata: what Envoy's access log and later filters may know of a decision.

use super::render::Rendering;
use crate::policy::{Classification, PrivilegeReason};
use envoy_types::pb::google::protobuf::{ListValue, Struct, Value, value::Kind};

/// The metadata of one answer. Every member is there on every answer; what is not known is empty.
pub fn metadata(rendering: &Rendering<'_>) -> Struct {
    let decision = rendering.decision;
    let class = decision.findings.classification.as_ref();
    let attestation = decision.findings.attestation.as_ref().map(|(_, appraised)| appraised);
    let principal = decision.findings.caller.as_ref().and_then(|caller| caller.principal.as_ref());
    let fields = [
        ("decision", text(decision.outcome.as_str())),
        ("reason", text(decision.reason().as_str())),
        ("route", text(rendering.route_name())),
        ("sensitivity", text(class.map_or("", |class| class.sensitivity.as_str()))),
        ("privilege", text(class.map_or("", |class| class.privilege.as_str()))),
        ("privilege_reasons", list(privilege_reasons(class))),
        ("anomaly", Value { kind: Some(Kind::NumberValue(0.0)) }),
        ("signals", list(std::iter::empty())),
        ("rules", list(rendering.rule_names())),
        ("shadow_rules", list(std::iter::empty())),
        ("assurance", text(rendering.assurance_name())),
        ("principal", text(principal.map_or("", |principal| principal.as_str()))),
        ("task", text(attestation.and_then(|appraised| appraised.task.as_deref()).unwrap_or_default())),
        ("decision_id", text(rendering.decision_id)),
        ("shadow_decision", text("")),
    ];
    Struct { fields: fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect() }
}

fn privilege_reasons(class: Option<&Classification>) -> impl Iterator<Item = &'static str> {
    let reasons = class.map(|class| class.privilege_reasons.as_slice()).unwrap_or_default();
    reasons.iter().map(|reason| PrivilegeReason::as_str(*reason))
}

fn text(text: &str) -> Value {
    Value { kind: Some(Kind::StringValue(text.to_owned())) }
}

fn list<'a>(texts: impl Iterator<Item = &'a str>) -> Value {
    Value { kind: Some(Kind::ListValue(ListValue { values: texts.map(self::text).collect() })) }
}
