//! The metrics by name, and what leaves them with a policy.

use crate::policy::UNREAD;
use crate::policy::{Name, Policy, UNMATCHED};
use prometheus::core::{Collector, MetricVec, MetricVecBuilder};
use prometheus::proto::MetricFamily;
use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, Result,
};
use std::collections::{HashMap, HashSet};

pub(super) struct Families {
    pub decisions: IntCounterVec,
    pub decision_reasons: IntCounterVec,
    pub check_duration: HistogramVec,
    pub rule_matches: IntCounterVec,
    pub signals: IntCounterVec,
    pub challenges: IntCounterVec,
    pub verifications: IntCounterVec,
    pub cache_lookups: IntCounterVec,
    pub cache_entries: IntGaugeVec,
    pub cache_bytes: IntGaugeVec,
    pub jwks_refreshes: IntCounterVec,
    pub jwks_keys: IntGaugeVec,
    pub jwks_last_success: IntGaugeVec,
    pub policy_reloads: IntCounterVec,
    pub policy_loaded: IntGauge,
    pub policy_info: IntGaugeVec,
    pub in_flight: IntGauge,
    pub shed: IntCounter,
    pub panics: IntCounter,
    pub decision_log_dropped: IntCounter,
    pub control_refused: IntCounterVec,
    pub grants_active: IntGauge,
    pub revocations: IntCounterVec,
    pub build_info: IntGaugeVec,
    pub state_up: IntGauge,
    pub state_operations: IntCounterVec,
    pub revocation_lag: Histogram,
}

const NAMESPACE: &str = "stepgate";

/// From what a remembered decision takes to what no caller should wait: 25 µs to 250 ms.
const DURATION_BUCKETS: [f64; 13] =
    [0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25];

/// From a store nearby to one that was away: 1 ms to 10 minutes.
const LAG_BUCKETS: [f64; 12] = [0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 10.0, 60.0, 600.0];

/// Makes metrics and registers them.
struct Registrar<'r>(&'r Registry);

impl Families {
    pub(super) fn register(registry: &Registry) -> Result<Self> {
        let new = Registrar(registry);
        Ok(Self {
            decisions: new.counters("decisions_total", "Decisions.", &["decision", "route", "mode"])?,
            decision_reasons: new.counters(
                "decision_reasons_total",
                "Decisions by reason.",
                &["decision", "reason"],
            )?,
            check_duration: new.durations("check_duration_seconds", "Time from call to answer.", &["decision"])?,
            rule_matches: new.counters("rule_matches_total", "Decisions that a rule matched.", &["rule", "mode"])?,
            signals: new.counters("signals_total", "Calls on which a signal fired.", &["signal"])?,
            challenges: new.counters(
                "challenges_total",
                "Challenges by what became of them: issued with an answer, answered by a call that proved itself, or refused as a loop.",
                &["route", "outcome"],
            )?,
            verifications: new.counters(
                "attestation_verifications_total",
                "Attestations whose signature was checked or remembered.",
                &["attestation", "outcome"],
            )?,
            cache_lookups: new.counters("cache_lookups_total", "Look-ups in a cache.", &["cache", "outcome"])?,
            cache_entries: new.gauges("cache_entries", "Entries in a cache.", &["cache"])?,
            cache_bytes: new.gauges("cache_bytes", "Bytes that a cache counts.", &["cache"])?,
            jwks_refreshes: new.counters(
                "jwks_refreshes_total",
                "Looks for an issuer's keys at a URL, and what an agent told of them.",
                &["issuer", "outcome"],
            )?,
            jwks_keys: new.gauges("jwks_keys", "Keys of an issuer.", &["issuer"])?,
            jwks_last_success: new.gauges(
                "jwks_last_success_timestamp_seconds",
                "When the keys of an issuer were read or confirmed last.",
                &["issuer"],
            )?,
            policy_reloads: new.counters("policy_reloads_total", "Changed policies that were seen.", &["outcome"])?,
            policy_loaded: new.gauge("policy_loaded_timestamp_seconds", "When the policy in force was loaded.")?,
            policy_info: new.gauges("policy_info", "The policy in force.", &["hash"])?,
            in_flight: new.gauge("in_flight", "Checks being worked on.")?,
            shed: new.counter("shed_total", "Checks refused because too many were in flight.")?,
            panics: new.counter("panics_total", "Panics that were caught.")?,
            decision_log_dropped: new
                .counter("decision_log_dropped_total", "Decisions that the log could not hold.")?,
            control_refused: new.counters(
                "control_refused_total",
                "Requests that the control API did not let in.",
                &["reason"],
            )?,
            grants_active: new.gauge("grants_active", "Grants that count now.")?,
            revocations: new.counters("revocations_total", "Revocations that were put in force.", &["source"])?,
            build_info: new.gauges("build_info", "What is running.", &["version", "revision"])?,
            state_up: new.gauge("state_up", "Whether the store of what replicas share is at hand.")?,
            state_operations: new.counters(
                "state_operations_total",
                "What was asked of the store that replicas share; `open` where it was not asked, being away.",
                &["op", "outcome"],
            )?,
            revocation_lag: new.duration(
                "revocation_lag_seconds",
                "Time from a revocation in another replica to its being in force here.",
            )?,
        })
    }

    /// Removes the series of routes, rules, signals, attestations and issuers that this policy does not have.
    pub(super) fn retire(&self, policy: &Policy) -> Result<()> {
        let routes = policy.routes.iter().map(|(_, route)| &route.name);
        let routes: HashSet<_> = routes.map(Name::as_str).chain([UNMATCHED, UNREAD]).collect();
        keep(&self.decisions, "route", &routes)?;
        keep(&self.challenges, "route", &routes)?;
        keep(&self.rule_matches, "rule", &policy.rules.iter().map(|rule| rule.name.as_str()).collect())?;
        let signals = policy.context.signals.iter().map(|(_, signal)| signal.name.as_str());
        keep(&self.signals, "signal", &signals.collect())?;
        let attestations = policy.attestations.iter().map(|attestation| attestation.name.as_str());
        keep(&self.verifications, "attestation", &attestations.collect())?;
        let issuers = policy.issuers.iter().map(|issuer| issuer.name.as_str()).collect();
        keep(&self.jwks_refreshes, "issuer", &issuers)?;
        keep(&self.jwks_keys, "issuer", &issuers)?;
        keep(&self.jwks_last_success, "issuer", &issuers)
    }
}

/// Removes every series whose `label` is none of `kept`.
fn keep<B: MetricVecBuilder>(family: &MetricVec<B>, label: &str, kept: &HashSet<&str>) -> Result<()> {
    for metric in family.collect().iter().flat_map(MetricFamily::get_metric) {
        let labels: HashMap<_, _> = metric.get_label().iter().map(|pair| (pair.name(), pair.value())).collect();
        if labels.get(label).is_some_and(|value| !kept.contains(value)) {
            family.remove(&labels)?;
        }
    }
    Ok(())
}

impl Registrar<'_> {
    fn counters(&self, name: &str, help: &str, labels: &[&str]) -> Result<IntCounterVec> {
        self.register(IntCounterVec::new(options(name, help), labels)?)
    }

    fn counter(&self, name: &str, help: &str) -> Result<IntCounter> {
        self.register(IntCounter::with_opts(options(name, help))?)
    }

    fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> Result<IntGaugeVec> {
        self.register(IntGaugeVec::new(options(name, help), labels)?)
    }

    fn gauge(&self, name: &str, help: &str) -> Result<IntGauge> {
        self.register(IntGauge::with_opts(options(name, help))?)
    }

    fn durations(&self, name: &str, help: &str, labels: &[&str]) -> Result<HistogramVec> {
        let options = HistogramOpts::from(options(name, help)).buckets(DURATION_BUCKETS.into());
        self.register(HistogramVec::new(options, labels)?)
    }

    fn duration(&self, name: &str, help: &str) -> Result<Histogram> {
        let options = HistogramOpts::from(options(name, help)).buckets(LAG_BUCKETS.into());
        self.register(Histogram::with_opts(options)?)
    }

    fn register<M: Collector + Clone + 'static>(&self, metric: M) -> Result<M> {
        self.0.register(Box::new(metric.clone()))?;
        Ok(metric)
    }
}

fn options(name: &str, help: &str) -> Opts {
    Opts::new(name, help).namespace(NAMESPACE)
}
