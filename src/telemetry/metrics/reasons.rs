//! Decisions by reason.

use crate::decision::Decision;
use crate::policy::{Effect, Policy};
use crate::reason::Reason;
use foldhash::{HashMap, HashMapExt};
use prometheus::{IntCounter, IntCounterVec, Result};

/// A counter for each reason that each outcome can have.
#[derive(Debug)]
pub(super) struct Reasons {
    known: HashMap<Reason, Vec<(&'static str, IntCounter)>>,
    family: IntCounterVec,
}

impl Reasons {
    pub(super) fn of(policy: &Policy, family: &IntCounterVec) -> Result<Self> {
        let own = policy.rules.iter().filter_map(|rule| match &rule.effect {
            Effect::Deny(reason) => Some(Reason::Rule(reason.clone())),
            Effect::Require(_) | Effect::RequireIf(..) => None,
        });
        let mut known = HashMap::new();
        for reason in Reason::all_fixed().chain(own) {
            let counters: Result<Vec<_>> = outcomes_of(&reason)
                .iter()
                .map(|word| Ok((*word, family.get_metric_with_label_values(&[word, reason.as_str()])?)))
                .collect();
            known.insert(reason, counters?);
        }
        Ok(Self { known, family: family.clone() })
    }

    pub(super) fn count(&self, decision: &Decision) {
        let (word, reason) = (decision.decided().as_str(), decision.reason());
        let known = self.known.get(reason).and_then(|counters| counters.iter().find(|(own, _)| *own == word));
        match known {
            Some((_, counter)) => counter.inc(),
            // Both labels are fixed words, so that a pair that was not foreseen is counted all the same.
            None => self.family.get_metric_with_label_values(&[word, reason.as_str()]).iter().for_each(IntCounter::inc),
        }
    }
}

/// The outcomes that can come of a reason, by their words.
const fn outcomes_of(reason: &Reason) -> &'static [&'static str] {
    match reason {
        Reason::Routine | Reason::Attested | Reason::Granted | Reason::BreakGlass => &["allow"],
        Reason::TaskEnded => &["task_end"],
        Reason::ChallengeRequested => &["challenge"],
        Reason::AttestationMissing | Reason::Attestation(_) => &["step_up"],
        // Of an attestation, or of the caller's own token.
        Reason::Proof(_) => &["step_up", "deny"],
        Reason::CredentialMissing
        | Reason::Credential(_)
        | Reason::InsufficientScope
        | Reason::UnmatchedRoute
        | Reason::Identity(_)
        | Reason::Unanswerable
        | Reason::ChallengeLoop
        | Reason::Rule(_)
        | Reason::Request(_)
        | Reason::Unavailable(_) => &["deny"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::Outcome;

    #[test]
    fn reasons_belong_to_outcomes_that_there_are() {
        for reason in Reason::all_fixed() {
            let outcomes = outcomes_of(&reason);
            assert!(!outcomes.is_empty() && outcomes.iter().all(|word| Outcome::WORDS.contains(word)), "{reason:?}");
        }
    }
}
