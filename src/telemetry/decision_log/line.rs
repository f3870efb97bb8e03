//! One line: the fields that users rely on, in their order. What is not known is `null`, what is none of several is
//! empty; no field is ever left out.

use super::inputs::Inputs;
use super::inputs::grant::age;
use super::record::Record;
use crate::attestation::Thumbprint;
use crate::context::SignalSet;
use crate::decision::{Attested, Outcome};
use crate::grant::{Basis, Grant};
use crate::policy::{Kind, Policy, Privilege, PrivilegeReason, Route, RuleId, Scope, ScopeSet, Sensitivity, UNMATCHED};
use jiff::Timestamp;
use serde::{Serialize, Serializer};
use std::net::IpAddr;
use std::time::Duration;

#[derive(Serialize)]
pub(super) struct Line<'a> {
    time: Time,
    decision_id: &'a str,
    trace_id: Option<&'a str>,
    span_id: Option<&'a str>,
    decision: &'static str,
    reason: &'a str,
    mode: &'static str,
    shadow_decision: Option<&'a str>,
    route: Option<&'a str>,
    owner: Option<&'a str>,
    sensitivity: Option<Sensitivity>,
    privilege: Option<Privilege>,
    privilege_reasons: &'a [PrivilegeReason],
    /// What the call exercises.
    scopes: Scopes<'a>,
    elevated_scopes: Scopes<'a>,
    signals: Fired<'a>,
    anomaly: u8,
    rules: Rules<'a>,
    controls: Controls<'a>,
    assurance: Option<&'a str>,
    principal: Option<&'a str>,
    kind: Option<Kind>,
    credential: Option<Digest>,
    attestation: Option<Attestation<'a>>,
    method: &'a str,
    host: &'a str,
    path: &'a str,
    source: Option<IpAddr>,
    policy_hash: &'a str,
    duration_us: u128,
    inputs: Inputs<'a>,
}

#[derive(Serialize)]
struct Attestation<'a> {
    name: Option<&'a str>,
    issuer: &'a str,
    age_seconds: u64,
    task: Option<&'a str>,
}

/// RFC 3339, in UTC, to the millisecond.
struct Time(Duration);

/// Enough of a SHA-256 to tell credentials apart, and nothing to use one by: 16 hex digits.
struct Digest(Thumbprint);

/// Scope by scope.
pub(super) struct Scopes<'a>(pub(super) Option<&'a ScopeSet>);

struct Rules<'a>(&'a Policy, &'a [RuleId]);

/// The signals that fired.
pub(super) struct Fired<'a>(pub(super) &'a Policy, pub(super) SignalSet);

/// The controls of the rules that matched.
struct Controls<'a>(Rules<'a>);

impl<'a> Line<'a> {
    pub(super) fn of(record: &Record<'a>) -> Self {
        let Record { policy, decision, request, .. } = *record;
        let class = decision.findings.classification.as_ref();
        let route: Option<&Route> = class.and_then(|class| policy.routes.get(class.route?));
        let rules = class.map_or(&[][..], |class| &class.rules);
        let level = decision.outcome.level().and_then(|id| policy.level(id));
        Self {
            time: Time(record.time),
            decision_id: record.decision_id,
            trace_id: record.trace.map(|trace| trace.trace_id),
            span_id: record.trace.map(|trace| trace.span_id),
            decision: decision.outcome.as_str(),
            reason: decision.reason().as_str(),
            mode: policy.mode.as_str(),
            shadow_decision: decision.shadow.as_ref().map(Outcome::as_str),
            route: class.map(|_| route.map_or(UNMATCHED, |route| route.name.as_str())),
            owner: route.and_then(|route| Some(route.owner.as_ref()?.as_str())),
            sensitivity: class.map(|class| class.sensitivity),
            privilege: class.map(|class| class.privilege),
            privilege_reasons: class.map_or(&[], |class| &class.privilege_reasons),
            scopes: Scopes(class.map(|class| &class.scopes)),
            elevated_scopes: Scopes(class.map(|class| &class.elevated)),
            signals: Fired(policy, decision.findings.unusual.signals),
            anomaly: decision.findings.unusual.anomaly.points(),
            rules: Rules(policy, rules),
            controls: Controls(Rules(policy, rules)),
            assurance: level.map(|level| level.name.as_str()),
            principal: decision.findings.caller.as_ref().and_then(|caller| Some(caller.principal.as_ref()?.as_str())),
            kind: decision.findings.identity.and_then(|id| policy.identities.get(id)?.kind),
            credential: record.credential.map(Digest),
            attestation: Attestation::of(record),
            method: request.method,
            host: request.host,
            path: request.path,
            source: decision.findings.client.or(request.source),
            policy_hash: &policy.hash,
            duration_us: record.elapsed.as_micros(),
            inputs: Inputs::of(record),
        }
    }
}

impl<'a> Attestation<'a> {
    fn of(record: &Record<'a>) -> Option<Self> {
        if let Some(grant) = &record.decision.findings.grant {
            return Some(Self::behind(grant, record));
        }
        let Attested { by, appraised, .. } = record.decision.findings.attestation.as_ref()?;
        Some(Self {
            name: record.policy.attestation(*by).map(|attestation| attestation.name.as_str()),
            issuer: appraised.issuer.as_str(),
            age_seconds: appraised.age.as_secs(),
            task: appraised.task.as_deref(),
        })
    }

    /// The one that a grant was given for; of one by an operator, who that was.
    fn behind(grant: &'a Grant, record: &Record<'a>) -> Self {
        let (name, issuer) = match &grant.basis {
            Basis::Attested(basis) => (Some(basis.attestation.as_str()), basis.attester.as_str()),
            Basis::BreakGlass { by, .. } => (None, by.as_str()),
        };
        Self { name, issuer, age_seconds: age(grant, record.time).as_secs(), task: Some(&grant.task) }
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let millis = i64::try_from(self.0.as_millis()).unwrap_or(i64::MAX);
        let time = Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX);
        serializer.collect_str(&format_args!("{time:.3}"))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let first = self.0.as_bytes().first_chunk().copied().unwrap_or_default();
        serializer.collect_str(&format_args!("{:016x}", u64::from_be_bytes(first)))
    }
}

impl Serialize for Scopes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().flat_map(|scopes| scopes.iter()).map(Scope::as_str))
    }
}

impl Serialize for Rules<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(policy, ids) = self;
        serializer.collect_seq(ids.iter().filter_map(|id| policy.rule(*id)).map(|rule| rule.name.as_str()))
    }
}

impl Serialize for Fired<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(policy, fired) = self;
        let names = fired.iter().filter_map(|id| policy.context.signals.get(id)).map(|signal| signal.name.as_str());
        serializer.collect_seq(names)
    }
}

impl Serialize for Controls<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(Rules(policy, ids)) = self;
        serializer.collect_seq(ids.iter().filter_map(|id| policy.rule(*id)).flat_map(|rule| &rule.controls))
    }
}
