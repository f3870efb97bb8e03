//! How one test went: each field that came out other than expected.

use crate::config::{Expectation, Expected, Field, PolicyTest};
use crate::context::SignalSet;
use crate::decision::{Decision, Outcome};
use crate::policy::{Policy, Requirement, UNMATCHED};

pub(super) struct Verdict<'p> {
    pub test: &'p PolicyTest,
    pub failures: Vec<Failure<'p>>,
}

/// One field.
pub(super) struct Failure<'p> {
    pub expectation: &'p Expectation,
    pub got: Expected,
}

impl<'p> Verdict<'p> {
    pub(super) fn of(test: &'p PolicyTest, policy: &Policy, decision: &Decision) -> Self {
        let failure = |expectation: &'p Expectation| {
            let got = got(expectation.field, policy, decision);
            (got != expectation.expected).then_some(Failure { expectation, got })
        };
        Self { test, failures: test.expect.iter().filter_map(failure).collect() }
    }

    pub(super) const fn passed(&self) -> bool {
        self.failures.is_empty()
    }
}

/// What a field came out as, as the decision log has it.
fn got(field: Field, policy: &Policy, decision: &Decision) -> Expected {
    let class = decision.findings.classification.as_ref();
    let word = |text: Option<&str>| text.map_or(Expected::Nothing, |text| Expected::Word(text.into()));
    match field {
        Field::Decision => word(Some(decision.outcome.as_str())),
        Field::Require => match class.map(|class| &class.requirement) {
            Some(Requirement::Assurance(level)) => word(policy.level(*level).map(|level| level.name.as_str())),
            Some(Requirement::Nothing | Requirement::Refusal(_)) | None => Expected::Nothing,
        },
        Field::Reason => word(Some(decision.reason().as_str())),
        Field::Route => word(class.map(|class| {
            class.route.and_then(|id| policy.routes.get(id)).map_or(UNMATCHED, |route| route.name.as_str())
        })),
        Field::Sensitivity => word(class.map(|class| class.sensitivity.as_str())),
        Field::Privilege => word(class.map(|class| class.privilege.as_str())),
        Field::Signals => signals(policy, decision.findings.unusual.signals),
        Field::Anomaly => Expected::Number(decision.findings.unusual.anomaly.points()),
        Field::Rules => {
            let rules = class.iter().flat_map(|class| &class.rules).filter_map(|id| policy.rule(*id));
            Expected::words(rules.map(|rule| rule.name.as_str().into()).collect())
        }
        Field::ShadowDecision => word(decision.shadow.as_ref().map(Outcome::as_str)),
    }
}

fn signals(policy: &Policy, fired: SignalSet) -> Expected {
    let signals = fired.iter().filter_map(|id| policy.context.signals.get(id));
    Expected::words(signals.map(|signal| signal.name.as_str().into()).collect())
}
