//! A revocation as JSON: how it is kept, shared, and listed for operators.

use super::{Note, Revocation, RevocationId, Source, Target, TaskOwner};
use crate::attestation::Thumbprint;
use crate::identity::Principal;
use crate::policy::Name;
use crate::time::UnixTime;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Why a record is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its {0} is none")]
pub struct RecordError(&'static str);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record<'a> {
    id: Cow<'a, str>,
    kind: Cow<'a, str>,
    value: Option<Cow<'a, str>>,
    /// Whose the task is, where it is one principal's by one attester.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    principal: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    attester: Option<Cow<'a, str>>,
    not_before: UnixTime,
    source: Cow<'a, str>,
    reason: Option<Cow<'a, str>>,
}

/// As long as a claim that names a task may be.
pub(super) const MAX_TASK_BYTES: usize = 2_048;

impl Serialize for Revocation {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let owner = match &self.target {
            Target::Task { of: Some(owner), .. } => Some(owner),
            _ => None,
        };
        let record = Record {
            id: self.id.as_str().into(),
            kind: self.target.kind().into(),
            value: self.target.value().map(Cow::Owned),
            principal: owner.map(|owner| owner.principal.as_str().into()),
            attester: owner.map(|owner| owner.attester.as_str().into()),
            not_before: self.not_before,
            source: self.source.as_str().into(),
            reason: self.reason.as_ref().map(|reason| reason.as_str().into()),
        };
        record.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Revocation {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Record::deserialize(deserializer)?.try_into().map_err(serde::de::Error::custom)
    }
}

impl TryFrom<Record<'_>> for Revocation {
    type Error = RecordError;

    fn try_from(record: Record<'_>) -> Result<Self, RecordError> {
        let Record { id, kind, value, principal, attester, not_before, source, reason } = record;
        Ok(Self {
            id: RevocationId::parse(&id).map_err(|_| RecordError("id"))?,
            target: target(&kind, value.as_deref(), owner(principal.as_deref(), attester.as_deref())?)?,
            not_before,
            source: Source::parse(&source).ok_or(RecordError("source"))?,
            reason: reason.map(|reason| Note::parse(&reason).map_err(|_| RecordError("reason"))).transpose()?,
        })
    }
}

fn owner(principal: Option<&str>, attester: Option<&str>) -> Result<Option<TaskOwner>, RecordError> {
    let (principal, attester) = match (principal, attester) {
        (None, None) => return Ok(None),
        (Some(principal), Some(attester)) => (principal, attester),
        _ => return Err(RecordError("owner")),
    };
    Ok(Some(TaskOwner {
        principal: Principal::parse(principal).map_err(|_| RecordError("principal"))?,
        attester: Name::parse(attester).map_err(|_| RecordError("attester"))?,
    }))
}

fn target(kind: &str, value: Option<&str>, of: Option<TaskOwner>) -> Result<Target, RecordError> {
    if of.is_some() && kind != "task" {
        return Err(RecordError("owner"));
    }
    match (kind, value) {
        ("task", Some(task)) => Target::task(task, of).ok_or(RecordError("value")),
        ("all", None) => Ok(Target::All),
        ("principal", Some(name)) => Principal::parse(name).map(Target::Principal).map_err(|_| RecordError("value")),
        ("key", Some(digest)) => Thumbprint::parse(digest).map(Target::Key).ok_or(RecordError("value")),
        ("attester", Some(name)) => Name::parse(name).map(Target::Attester).map_err(|_| RecordError("value")),
        ("principal" | "key" | "attester" | "task" | "all", _) => Err(RecordError("value")),
        _ => Err(RecordError("kind")),
    }
}

impl Target {
    /// A task by its name, which is no longer than a claim may be.
    pub fn task(task: &str, of: Option<TaskOwner>) -> Option<Self> {
        (1..=MAX_TASK_BYTES).contains(&task.len()).then(|| Self::Task { task: task.into(), of })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn principal() -> Principal {
        Principal::parse("spiffe://example.org/web").unwrap()
    }

    fn owned() -> TaskOwner {
        TaskOwner { principal: principal(), attester: Name::parse("attester").unwrap() }
    }

    #[rstest]
    #[case(Target::Principal(principal()))]
    #[case(Target::Task { task: "run \"7\"\n".into(), of: None })]
    #[case(Target::Task { task: "run-7".into(), of: Some(owned()) })]
    #[case(Target::Key(Thumbprint::of(b"key")))]
    #[case(Target::Attester(Name::parse("attester").unwrap()))]
    #[case(Target::All)]
    fn what_is_written_is_read_again(#[case] target: Target) {
        let revocation = Revocation {
            id: RevocationId::parse("a-1").unwrap(),
            target,
            not_before: UnixTime::from_secs(1_800_000_000),
            source: Source::Operator,
            reason: Some(Note::parse("lost").unwrap()),
        };
        let json = serde_json::to_string(&revocation).unwrap();
        assert_eq!(serde_json::from_str::<Revocation>(&json).unwrap(), revocation, "{json}");
    }

    #[rstest]
    #[case::kind(r#"{"id":"a","kind":"group","value":"x","not_before":1,"source":"operator","reason":null}"#)]
    #[case::value(r#"{"id":"a","kind":"key","value":"x","not_before":1,"source":"operator","reason":null}"#)]
    #[case::all_of(r#"{"id":"a","kind":"all","value":"x","not_before":1,"source":"operator","reason":null}"#)]
    #[case::none_of(r#"{"id":"a","kind":"task","value":null,"not_before":1,"source":"operator","reason":null}"#)]
    #[case::source(r#"{"id":"a","kind":"all","value":null,"not_before":1,"source":"me","reason":null}"#)]
    #[case::owner(
        r#"{"id":"a","kind":"task","value":"t","attester":"x","not_before":1,"source":"event","reason":null}"#
    )]
    #[case::owner_of_none(r#"{"id":"a","kind":"all","value":null,"principal":"p","attester":"x","not_before":1,"source":"event","reason":null}"#)]
    #[case::unknown(r#"{"id":"a","kind":"all","value":null,"not_before":1,"source":"event","reason":null,"until":3}"#)]
    fn what_is_not_understood_is_no_record(#[case] json: &str) {
        assert!(serde_json::from_str::<Revocation>(json).is_err());
    }
}
