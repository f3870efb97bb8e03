//! The grant that stood for proof.

use super::{Scopes, Shows};
use crate::grant::{Basis, Grant};
use crate::telemetry::decision_log::record::Record;
use crate::time::Ttl;
use serde::Serialize;
use std::time::Duration;

#[derive(Serialize)]
pub(super) struct Granted<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<&'a str>,
    age: Shows<Ttl>,
    task: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<Scopes<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    routes: Vec<&'a str>,
}

impl<'a> Granted<'a> {
    pub(super) fn of(record: &Record<'a>) -> Option<Self> {
        let grant = record.decision.findings.grant.as_deref()?;
        Some(Self {
            level: level(grant),
            age: Shows(age(grant, record.time)),
            task: &grant.task,
            scopes: (!grant.scopes.is_empty()).then_some(Scopes(Some(&grant.scopes))),
            routes: grant.routes.iter().map(crate::policy::Name::as_str).collect(),
        })
    }
}

/// Since the oldest of what it was made from was issued.
pub(in crate::telemetry::decision_log) fn age(grant: &Grant, now: Duration) -> Ttl {
    Ttl::from_secs(now.as_secs().saturating_sub(grant.issued.as_secs()))
}

fn level(grant: &Grant) -> Option<&str> {
    match &grant.basis {
        Basis::Attested(basis) => Some(basis.level.as_str()),
        Basis::BreakGlass { .. } => None,
    }
}
