//! One call of one caller under one policy, all of them generated; and a world that answers it on the spot.

use super::calls::{Call, Sketch, sketch};
use super::memory::{Memory, memory};
use super::policies::{Parts, parts};
use crate::case::tests::world::{NOW, key, key_set, read};
use crate::case::{Allowance, Answer, Case, Ground, Moment, Need, Spent, Step};
use crate::challenge::ChallengeKeys;
use crate::decision::{Decision, Outcome};
use crate::mint::SigningKey;
use crate::policy::{LevelId, Policy};
use crate::request::Malformed;
use crate::revocation::Revocations;
use crate::time::UnixTime;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::sync::LazyLock;

#[derive(Clone, Debug)]
pub(super) struct Scene {
    pub parts: Parts,
    pub memory: Memory,
    pub sketch: Sketch,
}

/// What comes of a call, laxest first. What is not let through counts as denied, also where it gets a challenge instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    Allow,
    StepUp(LevelId),
    Deny,
}

/// Who signs; made once, as keys are dear.
pub(super) struct Actors {
    pub idp: SigningKey,
    pub attester: SigningKey,
    pub workload: SigningKey,
    pub challenges: ChallengeKeys,
    keyring: crate::attestation::Keyring,
}

pub(super) static ACTORS: LazyLock<Actors> = LazyLock::new(|| {
    let (idp, attester) = (key(), key());
    let keyring = crate::attestation::Keyring::new(vec![key_set(&[&idp]), key_set(&[&attester])]);
    Actors { idp, attester, workload: key(), challenges: ChallengeKeys::single(&[1; 32]), keyring }
});

pub(super) fn scene() -> impl Strategy<Value = Scene> {
    (parts(), memory(), sketch()).prop_map(|(parts, memory, sketch)| Scene { parts, memory, sketch })
}

impl Scene {
    pub(super) fn verdict(&self) -> Verdict {
        verdict(&self.parts.policy(), &self.memory, &self.sketch.call())
    }

    /// `None`: it can't be read, and is refused before a case is opened.
    pub(super) fn decide(&self) -> Option<Decision> {
        decide(&self.parts.policy(), &self.memory, &self.sketch.call()).ok()
    }
}

pub(super) fn verdict(policy: &Policy, memory: &Memory, call: &Call) -> Verdict {
    decide(policy, memory, call).map_or(Verdict::Deny, |decision| Verdict::of(&decision.outcome))
}

pub(super) fn decide(policy: &Policy, memory: &Memory, call: &Call) -> Result<Decision, Malformed> {
    let familiar = |need: &Need<'_>| match need {
        Need::Familiarity(sighting) => Some(Answer::Familiarity(memory.compare(sighting))),
        _ => None,
    };
    decide_with(policy, call, NOW, familiar)
}

/// Every call is the first with its proof, and the first that is asked for one, where nothing is remembered.
pub(super) fn decide_with(
    policy: &Policy,
    call: &Call,
    now: u64,
    remembers: impl Fn(&Need<'_>) -> Option<Answer>,
) -> Result<Decision, Malformed> {
    let facts = call.facts()?;
    let ground = Ground { policy, keyring: &ACTORS.keyring, challenges: &ACTORS.challenges };
    let mut case = Case::open(ground, &facts);
    loop {
        let revoked = Revocations::none(Revocations::DEFAULT_KEEP);
        let need = match case.step(Moment { now: UnixTime::from_secs(now), revoked: &revoked }) {
            Step::Decided(decision) => return Ok(decision),
            Step::Needs(need) => need,
        };
        let answer = remembers(&need).or_else(|| match need {
            Need::Spend(spending) => Some(Answer::Spent(spending.key, Spent::First)),
            Need::Challenge(_) => Some(Answer::Challenge(Allowance::Allowed)),
            Need::Grants(wanted) => Some(Answer::Grants(wanted.from, Vec::new())),
            Need::EndTask(_) => Some(Answer::TaskEnded(Ok(()))),
            need => read(ground, &need),
        });
        case.supply(answer.unwrap());
    }
}

impl Verdict {
    pub(super) fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Allow(_) => Self::Allow,
            Outcome::StepUp(step_up) => Self::StepUp(step_up.level),
            Outcome::Deny(_) | Outcome::Challenge | Outcome::TaskEnded => Self::Deny,
        }
    }
}

/// A law that only ever meets refusals says nothing.
#[test]
fn scenes_come_out_in_every_way() {
    let mut runner = TestRunner::deterministic();
    let scenes = scene();
    let decisions = (0..500).map(|_| scenes.new_tree(&mut runner).unwrap().current().decide());
    let outcomes: Vec<_> = decisions.flatten().map(|decision| decision.outcome).collect();
    let [lax, strict] = [LevelId(0), LevelId(1)];
    for verdict in [Verdict::Allow, Verdict::StepUp(lax), Verdict::StepUp(strict), Verdict::Deny] {
        let count = outcomes.iter().filter(|outcome| Verdict::of(outcome) == verdict).count();
        assert!(count > 25, "{verdict:?}: {count}");
    }
    let proven =
        |level| outcomes.iter().filter(|o| Verdict::of(o) == Verdict::Allow && o.level() == Some(level)).count();
    assert!(proven(lax) > 10 && proven(strict) > 10, "proven: {} and {}", proven(lax), proven(strict));
}
