//! A grant as JSON: how replicas share it.

use super::{AttestedBasis, Basis, Grant, Holder};
use crate::attestation::{Details, Thumbprint};
use crate::identity::Principal;
use crate::policy::{Name, ScopeSet};
use crate::revocation::{Note, RevocationId};
use crate::time::UnixTime;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Why a record is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its {0} is none")]
pub struct GrantRecordError(&'static str);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    id: String,
    principal: String,
    holder: String,
    bound_to: Option<String>,
    basis: BasisRecord,
    scopes: String,
    routes: Vec<String>,
    task: String,
    issued: UnixTime,
    expires: UnixTime,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, tag = "kind", rename_all = "snake_case")]
enum BasisRecord {
    Attested {
        level: String,
        definition: String,
        attestation: String,
        attester: String,
        subject: String,
        signer: String,
        keys: Vec<String>,
        details: Value,
    },
    BreakGlass {
        by: String,
        reason: String,
    },
}

impl Serialize for Grant {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Record::from(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Grant {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Record::deserialize(deserializer)?.try_into().map_err(serde::de::Error::custom)
    }
}

impl From<&Grant> for Record {
    fn from(grant: &Grant) -> Self {
        Self {
            id: grant.id.to_string(),
            principal: grant.principal.to_string(),
            holder: grant.holder.kind().into(),
            bound_to: grant.holder.key().map(|key| key.to_string()),
            basis: (&grant.basis).into(),
            scopes: grant.scopes.to_string(),
            routes: grant.routes.iter().map(ToString::to_string).collect(),
            task: grant.task.to_string(),
            issued: grant.issued,
            expires: grant.expires,
        }
    }
}

impl From<&Basis> for BasisRecord {
    fn from(basis: &Basis) -> Self {
        match basis {
            Basis::Attested(basis) => Self::Attested {
                level: basis.level.to_string(),
                definition: basis.definition.to_string(),
                attestation: basis.attestation.to_string(),
                attester: basis.attester.to_string(),
                subject: basis.subject.to_string(),
                signer: basis.signer.to_string(),
                keys: basis.keys.iter().map(ToString::to_string).collect(),
                details: basis.details.to_value(),
            },
            Basis::BreakGlass { by, reason } => {
                Self::BreakGlass { by: by.to_string(), reason: reason.as_str().to_owned() }
            }
        }
    }
}

impl TryFrom<Record> for Grant {
    type Error = GrantRecordError;

    fn try_from(record: Record) -> Result<Self, GrantRecordError> {
        let Record { id, principal, holder, bound_to, basis, scopes, routes, task, issued, expires } = record;
        let bound_to = bound_to.map(|digest| thumbprint(&digest)).transpose()?;
        Ok(Self {
            id: RevocationId::parse(&id).map_err(|_| GrantRecordError("id"))?,
            principal: Principal::parse(&principal).map_err(|_| GrantRecordError("principal"))?,
            holder: Holder::read(&holder, bound_to).ok_or(GrantRecordError("holder"))?,
            basis: basis.try_into()?,
            scopes: ScopeSet::parse(&scopes).map_err(|_| GrantRecordError("scopes"))?,
            routes: routes.iter().map(|route| name(route)).collect::<Result<_, _>>()?,
            task: task.into(),
            issued,
            expires,
        })
    }
}

impl TryFrom<BasisRecord> for Basis {
    type Error = GrantRecordError;

    fn try_from(record: BasisRecord) -> Result<Self, GrantRecordError> {
        Ok(match record {
            BasisRecord::Attested { level, definition, attestation, attester, subject, signer, keys, details } => {
                Self::Attested(AttestedBasis {
                    level: name(&level)?,
                    definition: thumbprint(&definition)?,
                    attestation: name(&attestation)?,
                    attester: name(&attester)?,
                    subject: subject.into(),
                    signer: thumbprint(&signer)?,
                    keys: keys.iter().map(|key| thumbprint(key)).collect::<Result<_, _>>()?,
                    details: details_of(details)?,
                })
            }
            BasisRecord::BreakGlass { by, reason } => Self::BreakGlass {
                by: name(&by)?,
                reason: Note::parse(&reason).map_err(|_| GrantRecordError("reason"))?,
            },
        })
    }
}

impl Holder {
    fn read(kind: &str, bound_to: Option<Thumbprint>) -> Option<Self> {
        match (kind, bound_to) {
            ("key", Some(key)) => Some(Self::Key(key)),
            ("certificate", Some(key)) => Some(Self::Certificate(key)),
            ("certified", None) => Some(Self::Certified),
            _ => None,
        }
    }
}

fn name(text: &str) -> Result<Name, GrantRecordError> {
    Name::parse(text).map_err(|_| GrantRecordError("name"))
}

fn thumbprint(text: &str) -> Result<Thumbprint, GrantRecordError> {
    Thumbprint::parse(text).ok_or(GrantRecordError("digest"))
}

/// As an attestation writes them.
fn details_of(details: Value) -> Result<Details, GrantRecordError> {
    let payload: Map<_, _> = [("authorization_details".to_owned(), details)].into_iter().collect();
    Details::read(&payload).map_err(|_| GrantRecordError("details"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attested() -> Grant {
        let digest = |text: &str| Thumbprint::of(text.as_bytes());
        let details = r#"[{"type":"stepgate","actions":["refund"],"locations":["api.example.com"]}]"#;
        Grant {
            id: RevocationId::derived(&[b"a"]),
            principal: Principal::parse("spiffe://example.org/web").unwrap(),
            holder: Holder::Key(digest("holder")),
            basis: Basis::Attested(AttestedBasis {
                level: name("bound").unwrap(),
                definition: digest("definition"),
                attestation: name("workload").unwrap(),
                attester: name("attester").unwrap(),
                subject: "web".into(),
                signer: digest("signer"),
                keys: vec![digest("one"), digest("two")],
                details: details_of(serde_json::from_str(details).unwrap()).unwrap(),
            }),
            scopes: ScopeSet::parse("payments:read payments:refund").unwrap(),
            routes: vec![name("refund").unwrap()],
            task: "run-7".into(),
            issued: UnixTime::from_secs(1_800_000_000),
            expires: UnixTime::from_secs(1_800_000_300),
        }
    }

    fn again(grant: &Grant) -> Grant {
        serde_json::from_str(&serde_json::to_string(grant).unwrap()).unwrap()
    }

    #[test]
    fn what_is_written_is_read_again() {
        let attested = attested();
        let (by, reason) = (name("alice").unwrap(), Note::parse("attester down").unwrap());
        let glass = Grant { holder: Holder::Certified, basis: Basis::BreakGlass { by, reason }, ..attested.clone() };
        let certificate = Grant { holder: Holder::Certificate(Thumbprint::of(b"x")), ..attested.clone() };
        for grant in [attested, glass, certificate] {
            assert_eq!(again(&grant), grant);
        }
    }

    #[test]
    fn details_that_allow_nothing_still_allow_nothing() {
        let nothing = r#"[{"type":"stepgate"}]"#;
        let mut grant = attested();
        let Basis::Attested(basis) = &mut grant.basis else { return };
        basis.details = details_of(serde_json::from_str(nothing).unwrap()).unwrap();
        let Basis::Attested(read) = again(&grant).basis else { unreachable!() };
        assert!(!read.details.covers(&["refund"].into_iter(), "api.example.com"));
    }

    #[test]
    fn a_record_with_a_part_that_is_none_is_no_grant() {
        let json = serde_json::to_value(attested()).unwrap();
        for (member, value) in [("holder", "certified"), ("principal", ""), ("scopes", "a  b"), ("bound_to", "x")] {
            let mut changed = json.clone();
            changed[member] = value.into();
            assert!(serde_json::from_value::<Grant>(changed).is_err(), "{member}");
        }
    }
}
