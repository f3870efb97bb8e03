//! What a decision was made from, in the shape in which policies' own tests give a request, so that it can be decided
//! again. Credentials and attestations are given as already verified; what was not shown, or not believed, is left out.

use super::line::Scopes;
use super::record::{LoggedHeaders, Record, Seen};
use crate::decision::{Attested, Outcome};
use crate::request::Headers;
use crate::time::Ttl;
use serde::{Serialize, Serializer};
use std::net::IpAddr;

#[derive(Serialize)]
pub(super) struct Inputs<'a> {
    method: &'a str,
    host: &'a str,
    path: &'a str,
    #[serde(skip_serializing_if = "Read::is_empty")]
    headers: Read<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    principal: Option<&'a str>,
    /// What the caller's token grants.
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<Scopes<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attestation: Option<Shown<'a>>,
}

#[derive(Serialize)]
struct Shown<'a> {
    by: &'a str,
    age: Span,
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<&'a str>,
    /// Only a proof that passed.
    #[serde(skip_serializing_if = "Option::is_none")]
    proof: Option<&'static str>,
    /// Only where it was asked for: else nobody knows here.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    challenge: bool,
}

/// A span of time as policies write it.
struct Span(Ttl);

/// The headers that the policy reads, as far as the request has them once and as text.
struct Read<'a> {
    names: &'a LoggedHeaders,
    sent: Option<&'a Headers>,
}

/// Longer than a value that policies name. What is longer is left out, and so meets a condition no better than it did.
const MAX_HEADER_BYTES: usize = 1_024;

impl<'a> Inputs<'a> {
    pub(super) fn of(record: &Record<'a>) -> Self {
        let Seen { method, host, path, source, headers } = record.request;
        let decision = record.decision;
        let caller = decision.findings.caller.as_ref();
        Self {
            method,
            host,
            path,
            headers: Read { names: record.headers, sent: headers },
            source: decision.findings.client.or(source),
            principal: caller.and_then(|caller| Some(caller.principal.as_ref()?.as_str())),
            scopes: caller.and_then(|caller| Some(Scopes(Some(caller.granted.as_ref()?)))),
            attestation: Shown::of(record),
        }
    }
}

impl<'a> Shown<'a> {
    fn of(record: &Record<'a>) -> Option<Self> {
        let Record { policy, decision, .. } = *record;
        let Attested { by, appraised, .. } = decision.findings.attestation.as_ref()?;
        let proven = matches!(decision.outcome, Outcome::Allow(_));
        let level = decision.outcome.level().and_then(|id| policy.level(id));
        Some(Self {
            by: policy.attestation(*by)?.name.as_str(),
            age: Span(appraised.age),
            task: appraised.task.as_deref(),
            proof: proven.then_some("dpop"),
            challenge: proven && level.is_some_and(|level| level.challenge_required),
        })
    }
}

impl<'a> Read<'a> {
    fn pairs(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let sent = self.sent;
        let value = move |name| sent?.only(name).filter(|value| value.len() <= MAX_HEADER_BYTES);
        self.names.names().filter_map(move |name| Some((name, value(name)?)))
    }

    fn is_empty(&self) -> bool {
        self.pairs().next().is_none()
    }
}

impl Serialize for Read<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.pairs())
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}
