//! Revoking, and what is revoked.

use super::asked::{Asked, bad_request, given};
use super::control::{Control, random_id};
use super::listing::{Length, list};
use super::problems::{BAD_LIST_LIMIT, NO_RANDOMNESS, STATE_AWAY, created, refuse};
use super::tokens::Operator;
use crate::attestation::Thumbprint;
use crate::config::suggest::suggestion;
use crate::identity::{Principal, PrincipalError};
use crate::policy::name::NameError;
use crate::policy::{Name, Policy};
use crate::revocation::{Note, NoteError, Revocation, RevocationId, Source, Target};
use crate::store::NotKept;
use crate::time::UnixTime;
use axum::Extension;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;

/// What is to be revoked, as it is sent.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sent {
    #[serde(default, deserialize_with = "given")]
    principal: Option<String>,
    #[serde(default, deserialize_with = "given")]
    task: Option<String>,
    #[serde(default, deserialize_with = "given")]
    key: Option<String>,
    #[serde(default, deserialize_with = "given")]
    attester: Option<String>,
    /// That the attester is meant although the policy does not name it.
    #[serde(default)]
    unlisted: bool,
    #[serde(default, deserialize_with = "given")]
    all: Option<bool>,
    reason: Option<String>,
}

#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    /// One, or each name of one identity.
    targets: Vec<Target>,
    reason: Option<Note>,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum Unclear {
    #[error("say what is revoked: one of `principal`, `task`, `key`, `attester` and `all`")]
    Nothing,
    #[error("a request revokes one of `principal`, `task`, `key`, `attester` and `all`, and this one names more")]
    Several,
    #[error("`all` is `true` or left out")]
    NotAll,
    #[error("`principal` is none: {0}")]
    Principal(#[from] PrincipalError),
    #[error("`task` is none: it has 1 to 2048 bytes")]
    Task,
    #[error("`key` is none: it is a SHA-256 thumbprint, 43 letters of base64url (RFC 7638, RFC 8705)")]
    Key,
    #[error("`attester` is none: {0}")]
    Attester(#[from] NameError),
    #[error("the policy has no issuer `{0}`: {1} If it was taken out of the policy, add `\"unlisted\": true`")]
    UnknownAttester(Name, String),
    #[error("`unlisted` is said of an `attester` alone")]
    Unlisted,
    #[error("`reason` is none: {0}")]
    Reason(#[from] NoteError),
}

/// What came of it.
#[derive(Serialize)]
struct Made<'a> {
    id: &'a str,
    not_before: UnixTime,
}

pub(super) async fn revoke(
    State(control): State<Control>,
    Extension(operator): Extension<Operator>,
    Asked(sent): Asked<Sent>,
) -> Response {
    let wanted = match sent.read(&control.snapshot.load().policy) {
        Ok(wanted) => wanted,
        Err(why) => return refuse(&bad_request(&why)),
    };
    let Ok(id) = random_id() else { return refuse(&NO_RANDOMNESS) };
    let not_before = control.clock.now();
    let revocations = wanted.revocations(&id, not_before);
    for Revocation { id, target, reason, .. } in &revocations {
        let (kind, value, reason) = (target.kind(), target.value(), reason.as_ref().map(Note::as_str));
        tracing::info!(operator = %operator.name, %id, kind, ?value, reason, "revoked");
    }
    tell(&id, not_before, control.revoke(revocations).await)
}

fn tell(id: &RevocationId, not_before: UnixTime, shared: Result<(), NotKept>) -> Response {
    match shared {
        Ok(()) => created(&Made { id: id.as_str(), not_before }),
        Err(NotKept) => refuse(&STATE_AWAY.saying(format!(
            "Revocation {id} is in force in this process, and will be shared when the state is back."
        ))),
    }
}

/// The newest first.
pub(super) async fn revocations(
    State(control): State<Control>,
    length: Result<Query<Length>, QueryRejection>,
) -> Response {
    let Ok(Query(length)) = length else { return refuse(&BAD_LIST_LIMIT) };
    let mut records = control.ledger.records();
    // Those of one second in the order in which they came.
    records.reverse();
    records.sort_by_key(|one| Reverse(one.not_before));
    list("revocations", records.into_iter().take(length.limit()))
}

impl Sent {
    fn read(self, policy: &Policy) -> Result<Wanted, Unclear> {
        let Self { principal, task, key, attester, unlisted, all, reason } = self;
        if unlisted && attester.is_none() {
            return Err(Unclear::Unlisted);
        }
        let targets = match (principal, task, key, attester, all) {
            (Some(name), None, None, None, None) => every_name(&name, policy)?,
            (None, Some(task), None, None, None) => vec![Target::task(&task, None).ok_or(Unclear::Task)?],
            (None, None, Some(key), None, None) => vec![Thumbprint::parse(&key).map(Target::Key).ok_or(Unclear::Key)?],
            (None, None, None, Some(name), None) => vec![issuer(&name, unlisted, policy)?],
            (None, None, None, None, Some(true)) => vec![Target::All],
            (None, None, None, None, Some(false)) => return Err(Unclear::NotAll),
            (None, None, None, None, None) => return Err(Unclear::Nothing),
            _ => return Err(Unclear::Several),
        };
        Ok(Wanted { targets, reason: reason.map(|reason| Note::parse(&reason)).transpose()? })
    }
}

/// An identity is revoked by all its names, that which was said first.
fn every_name(name: &str, policy: &Policy) -> Result<Vec<Target>, PrincipalError> {
    let named = Principal::parse(name)?;
    let mut others = policy.identities.names_of(&named);
    others.retain(|other| *other != named);
    Ok([named].into_iter().chain(others).map(Target::Principal).collect())
}

/// A typo must not look like a success. What is not in the policy vouches for nobody here, but other replicas may still
/// have a policy in which it does: so it can be insisted on.
fn issuer(name: &str, unlisted: bool, policy: &Policy) -> Result<Target, Unclear> {
    let name = Name::parse(name)?;
    let known: Vec<_> = policy.issuers.iter().map(|issuer| issuer.name.as_str()).collect();
    if unlisted || known.contains(&name.as_str()) {
        return Ok(Target::Attester(name));
    }
    let mut hint = suggestion(name.as_str(), &known);
    if !hint.ends_with('?') {
        hint.push('.');
    }
    Err(Unclear::UnknownAttester(name, hint))
}

impl Wanted {
    /// A record for each target. The first is known by `id`, and the others by what begins with it.
    fn revocations(self, id: &RevocationId, not_before: UnixTime) -> Vec<Revocation> {
        let Self { targets, reason } = self;
        let records = targets.into_iter().enumerate().filter_map(|(index, target)| {
            let id = if index == 0 { id.clone() } else { RevocationId::parse(&format!("{id}.{index}")).ok()? };
            Some(Revocation { id, target, not_before, source: Source::Operator, reason: reason.clone() })
        });
        records.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::tests::world::World;
    use crate::policy::{Identities, Identity, NamePattern, Status, Undeclared};
    use rstest::rstest;

    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

    fn policy() -> Policy {
        let identity = Identity {
            pattern: NamePattern::parse("web").unwrap(),
            aliases: ["w1", "w2"].map(|name| Principal::parse(name).unwrap()).into(),
            networks: None,
            countries: None,
            hours: None,
            kind: None,
            owner: None,
            baseline: None,
            status: Status::Active,
            review_by: None,
        };
        let identities = Identities::new(vec![identity], Undeclared::default());
        Policy { identities, ..World::new().policy }
    }

    fn read(json: &str) -> Result<Wanted, Unclear> {
        serde_json::from_str::<Sent>(json).unwrap().read(&policy())
    }

    fn said(json: &str) -> String {
        bad_request(&read(json).unwrap_err()).detail.into_owned()
    }

    #[rstest]
    #[case(r#"{"principal":"api"}"#, &[("principal", Some("api"))])]
    #[case(r#"{"principal":"web"}"#, &[("principal", Some("web")), ("principal", Some("w1")), ("principal", Some("w2"))])]
    #[case(r#"{"principal":"w2"}"#, &[("principal", Some("w2")), ("principal", Some("web")), ("principal", Some("w1"))])]
    #[case(r#"{"task":"run \n 7"}"#, &[("task", Some("run \n 7"))])]
    #[case(r#"{"key":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#, &[("key", Some("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"))])]
    #[case(r#"{"attester":"attester"}"#, &[("attester", Some("attester"))])]
    #[case(r#"{"attester":"attester","unlisted":false}"#, &[("attester", Some("attester"))])]
    #[case(r#"{"attester":"former","unlisted":true}"#, &[("attester", Some("former"))])]
    #[case(r#"{"all":true,"reason":"keys were published"}"#, &[("all", None)])]
    #[case(r#"{"all":true,"reason":null}"#, &[("all", None)])]
    fn one_thing_is_revoked_by_all_its_names(#[case] json: &str, #[case] expected: &[(&str, Option<&str>)]) {
        let wanted = read(json).unwrap();
        let found: Vec<_> = wanted.targets.iter().map(|target| (target.kind(), target.value())).collect();
        let expected: Vec<_> = expected.iter().map(|(kind, value)| (*kind, value.map(str::to_owned))).collect();
        assert_eq!(found, expected);
    }

    #[rstest]
    #[case::nothing("{}", Unclear::Nothing)]
    #[case::a_reason_alone(r#"{"reason":"x"}"#, Unclear::Nothing)]
    #[case::two(r#"{"principal":"web","task":"t"}"#, Unclear::Several)]
    #[case::two_with_all(r#"{"principal":"web","all":true}"#, Unclear::Several)]
    #[case::not_even_all(r#"{"key":"x","all":false}"#, Unclear::Several)]
    #[case::not_all(r#"{"all":false}"#, Unclear::NotAll)]
    #[case::principal(r#"{"principal":""}"#, Unclear::Principal(PrincipalError))]
    #[case::principal_with_a_space(r#"{"principal":"we b"}"#, Unclear::Principal(PrincipalError))]
    #[case::task(r#"{"task":""}"#, Unclear::Task)]
    #[case::key_of_another_length(r#"{"key":"AAAA"}"#, Unclear::Key)]
    #[case::key_with_padding(r#"{"key":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}"#, Unclear::Key)]
    #[case::key_as_hex(r#"{"key":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}"#, Unclear::Key)]
    #[case::attester(r#"{"attester":"no name"}"#, Unclear::Attester(NameError))]
    #[case::unlisted_principal(r#"{"principal":"web","unlisted":true}"#, Unclear::Unlisted)]
    #[case::reason(r#"{"all":true,"reason":"two\nlines"}"#, Unclear::Reason(NoteError))]
    #[case::reason_empty(r#"{"all":true,"reason":""}"#, Unclear::Reason(NoteError))]
    fn what_is_unclear_revokes_nothing(#[case] json: &str, #[case] why: Unclear) {
        assert_eq!(read(json).unwrap_err(), why);
    }

    #[test]
    fn a_task_is_as_long_as_a_claim_may_be() {
        let task = |bytes: usize| read(&format!(r#"{{"task":"{}"}}"#, "t".repeat(bytes)));
        assert!(task(2_048).is_ok());
        assert_eq!(task(2_049), Err(Unclear::Task));
    }

    #[test]
    fn a_typo_in_an_attester_is_told_and_what_to_do_if_it_is_none() {
        assert_eq!(
            said(r#"{"attester":"atester"}"#),
            "The policy has no issuer `atester`: did you mean `attester`? If it was taken out of the policy, add `\"unlisted\": true`."
        );
        let other = said(r#"{"attester":"github"}"#);
        assert!(other.starts_with("The policy has no issuer `github`: use one of `idp`, `attester`. If it"), "{other}");
    }

    #[test]
    fn the_record_that_was_asked_for_has_the_id_that_is_told() {
        let id = random_id().unwrap();
        let records = read(r#"{"principal":"w1","reason":"lost"}"#).unwrap().revocations(&id, NOW);
        let ids: Vec<_> = records.iter().map(|one| one.id.to_string()).collect();
        assert_eq!(ids, [id.to_string(), format!("{id}.1"), format!("{id}.2")]);
        assert!(records.iter().all(|one| one.not_before == NOW && one.source == Source::Operator));
        assert!(records.iter().all(|one| one.reason.as_ref().map(Note::as_str) == Some("lost")));
    }

    #[test]
    fn what_could_not_be_shared_is_in_force_and_no_success() {
        let id = random_id().unwrap();
        assert_eq!(tell(&id, NOW, Ok(())).status(), 201);
        assert_eq!(tell(&id, NOW, Err(NotKept)).status(), 503);
    }
}
