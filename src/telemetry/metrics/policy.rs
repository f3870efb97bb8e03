//! What the decisions under one policy count.

use super::families::Families;
use super::outcome::PerOutcome;
use super::reasons::Reasons;
use super::routes::Routes;
use crate::decision::Decision;
use crate::policy::{AttestationId, Policy, Rule};
use crate::reason::{Reason, Unavailable};
use prometheus::{Histogram, IntCounter, Result};
use std::time::Duration;

/// The handles of one policy's series, by the places of its parts.
#[derive(Debug)]
pub struct PolicyMetrics {
    routes: Routes,
    reasons: Reasons,
    durations: PerOutcome<Histogram>,
    rules: Vec<IntCounter>,
    signals: Vec<IntCounter>,
    attestations: Vec<Verifications>,
    shed: IntCounter,
    panics: IntCounter,
}

#[derive(Debug)]
struct Verifications {
    verified: IntCounter,
    rejected: IntCounter,
}

impl PolicyMetrics {
    pub(super) fn of(policy: &Policy, families: &Families) -> Result<Self> {
        let verifications = |name: &str| {
            let outcome = |word| families.verifications.get_metric_with_label_values(&[name, word]);
            Ok(Verifications { verified: outcome("verified")?, rejected: outcome("rejected")? })
        };
        // Under a policy that is only watched, every rule is.
        let rule = |rule: &Rule| {
            let mode = policy.mode.max(rule.mode);
            families.rule_matches.get_metric_with_label_values(&[rule.name.as_str(), mode.as_str()])
        };
        let signal = |name: &str| families.signals.get_metric_with_label_values(&[name]);
        Ok(Self {
            routes: Routes::of(policy, families)?,
            reasons: Reasons::of(policy, &families.decision_reasons)?,
            durations: PerOutcome::new(|word| families.check_duration.get_metric_with_label_values(&[word]))?,
            rules: policy.rules.iter().map(rule).collect::<Result<_>>()?,
            signals: policy.context.signals.iter().map(|(_, s)| signal(s.name.as_str())).collect::<Result<_>>()?,
            attestations: policy.attestations.iter().map(|a| verifications(a.name.as_str())).collect::<Result<_>>()?,
            shed: families.shed.clone(),
            panics: families.panics.clone(),
        })
    }

    /// Counts a decision: no look-up of labels, no allocation.
    pub fn record(&self, decision: &Decision, elapsed: Duration) {
        self.durations.of(&decision.outcome).observe(elapsed.as_secs_f64());
        self.reasons.count(decision);
        self.routes.count(decision);
        let classes = decision.findings.classification.iter();
        let matched = classes.flat_map(|class| class.rules.iter().chain(&class.shadow_rules));
        matched.filter_map(|id| self.rules.get(id.index())).for_each(IntCounter::inc);
        let fired = decision.findings.unusual.signals.iter();
        fired.filter_map(|id| self.signals.get(id.index())).for_each(IntCounter::inc);
        match decision.reason() {
            Reason::Unavailable(Unavailable::Overload) => self.shed.inc(),
            Reason::Unavailable(Unavailable::Panic) => self.panics.inc(),
            _ => {}
        }
    }

    /// Counts an attestation that was looked at, whether its signature was checked now or remembered.
    pub fn record_attestation(&self, id: AttestationId, verified: bool) {
        let Some(own) = self.attestations.get(id.0) else { return };
        if verified { own.verified.inc() } else { own.rejected.inc() }
    }
}
