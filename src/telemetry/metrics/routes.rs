//! Decisions and challenges by route.

use super::families::Families;
use super::outcome::PerOutcome;
use crate::decision::{Decision, Outcome};
use crate::policy::{Policy, UNMATCHED, UNREAD};
use crate::reason::Reason;
use prometheus::{IntCounter, IntCounterVec, Result};
use std::sync::OnceLock;

/// The counters of every route, of what no route names, and of what could not be read.
#[derive(Debug)]
pub(super) struct Routes {
    decisions: IntCounterVec,
    challenges: IntCounterVec,
    named: Vec<Route>,
    unmatched: Route,
    unread: Route,
    mode: &'static str,
}

/// The counters of one route: there from the start, or from when they are first needed.
#[derive(Debug)]
struct Route {
    label: Box<str>,
    decisions: PerOutcome<OnceLock<IntCounter>>,
    issued: OnceLock<IntCounter>,
    answered: OnceLock<IntCounter>,
    looped: OnceLock<IntCounter>,
}

const ISSUED: &str = "issued";
const ANSWERED: &str = "answered";
const LOOP: &str = "loop";
/// So many routes have all their series from the start; in a larger policy a series begins when it is first counted.
const MAX_ROUTES_AT_ZERO: usize = 1_000;

impl Routes {
    pub(super) fn of(policy: &Policy, families: &Families) -> Result<Self> {
        let mode = policy.mode.as_str();
        let few = policy.routes.iter().count() <= MAX_ROUTES_AT_ZERO;
        let route = |label: &str, at_zero: bool| {
            let route = Route::new(label)?;
            if at_zero { route.begin(families, mode).map(|()| route) } else { Ok(route) }
        };
        Ok(Self {
            decisions: families.decisions.clone(),
            challenges: families.challenges.clone(),
            named: policy.routes.iter().map(|(_, r)| route(r.name.as_str(), few)).collect::<Result<_>>()?,
            unmatched: route(UNMATCHED, true)?,
            unread: route(UNREAD, true)?,
            mode,
        })
    }

    /// Counts what was decided, also where it is not enforced: the mode says so.
    pub(super) fn count(&self, decision: &Decision) {
        let route = self.route(decision);
        let outcome = decision.decided();
        count(route.decisions.of(outcome), &self.decisions, &[outcome.as_str(), &route.label, self.mode]);
        match outcome {
            Outcome::StepUp(_) | Outcome::Challenge => {
                count(&route.issued, &self.challenges, &[&route.label, ISSUED]);
            }
            Outcome::Allow(permit) if permit.level().is_some() && !permit.is_granted() => {
                count(&route.answered, &self.challenges, &[&route.label, ANSWERED]);
            }
            Outcome::Deny(Reason::ChallengeLoop) => count(&route.looped, &self.challenges, &[&route.label, LOOP]),
            Outcome::Allow(_) | Outcome::Deny(_) | Outcome::TaskEnded => {}
        }
    }

    fn route(&self, decision: &Decision) -> &Route {
        match &decision.findings.classification {
            None => &self.unread,
            Some(class) => class.route.and_then(|id| self.named.get(id.index())).unwrap_or(&self.unmatched),
        }
    }
}

impl Route {
    fn new(label: &str) -> Result<Self> {
        Ok(Self {
            label: label.into(),
            decisions: PerOutcome::new(|_| Ok::<_, prometheus::Error>(OnceLock::new()))?,
            issued: OnceLock::new(),
            answered: OnceLock::new(),
            looped: OnceLock::new(),
        })
    }

    /// Has all series of the route stand at 0.
    fn begin(&self, families: &Families, mode: &str) -> Result<()> {
        for (word, cell) in self.decisions.iter() {
            begin(cell, &families.decisions, &[word, &self.label, mode])?;
        }
        begin(&self.issued, &families.challenges, &[&self.label, ISSUED])?;
        begin(&self.answered, &families.challenges, &[&self.label, ANSWERED])?;
        begin(&self.looped, &families.challenges, &[&self.label, LOOP])
    }
}

fn begin(cell: &OnceLock<IntCounter>, family: &IntCounterVec, labels: &[&str]) -> Result<()> {
    let counter = family.get_metric_with_label_values(labels)?;
    cell.get_or_init(|| counter);
    Ok(())
}

/// Only the first count of a series that was not begun looks its labels up.
fn count(cell: &OnceLock<IntCounter>, family: &IntCounterVec, labels: &[&str]) {
    if cell.get().is_some() || begin(cell, family, labels).is_ok() {
        cell.get().into_iter().for_each(IntCounter::inc);
    }
}
