//! Who loops is refused where it would have been stepped up, and nowhere else.

use super::calls::Call;
use super::memory::Memory;
use super::scene::{Scene, decide, decide_with, scene};
use crate::case::tests::world::NOW;
use crate::case::{Allowance, Answer, CHALLENGE_WINDOW, ChallengeKey, Need};
use crate::decision::{Decision, Outcome};
use crate::policy::{Mode, Policy};
use crate::reason::Reason;
use crate::request::Malformed;
use proptest::prelude::*;
use std::cell::RefCell;

/// Decides for a caller that left too many challenges unanswered; and says under what they are counted, if that was asked.
fn looping(policy: &Policy, memory: &Memory, call: &Call) -> Result<(Decision, Option<ChallengeKey>), Malformed> {
    let asked = RefCell::new(None);
    let decision = decide_with(policy, call, NOW, |need| match need {
        Need::Familiarity(sighting) => Some(Answer::Familiarity(memory.compare(sighting))),
        Need::Challenge(key) => {
            asked.replace(Some(key.clone()));
            Some(Answer::Challenge(Allowance::Loop { retry_after: CHALLENGE_WINDOW }))
        }
        _ => None,
    })?;
    Ok((decision, asked.into_inner()))
}

proptest! {
    #[test]
    fn a_loop_is_refused_in_the_place_of_a_step_up_and_of_nothing_else(Scene { parts, memory, sketch } in scene()) {
        let (policy, call) = (parts.policy(), sketch.call());
        let Ok(first) = decide(&policy, &memory, &call) else { return Ok(()) };
        let (again, asked) = looping(&policy, &memory, &call).unwrap();
        let is_step_up = matches!(first.outcome, Outcome::StepUp(_));
        prop_assert_eq!(asked.is_some(), is_step_up);
        if is_step_up {
            prop_assert_eq!(&again.outcome, &Outcome::Deny(Reason::ChallengeLoop));
            prop_assert!(again.findings.retry_after.is_some() && !again.hands_out_challenge());
        } else {
            prop_assert_eq!(again.outcome, first.outcome);
            prop_assert_eq!(again.shadow, first.shadow);
        }
    }

    #[test]
    fn nothing_is_asked_where_the_policy_is_only_watched(Scene { parts, memory, sketch } in scene()) {
        let policy = Policy { mode: Mode::Shadow, ..parts.policy() };
        if let Ok((decision, asked)) = looping(&policy, &memory, &sketch.call()) {
            prop_assert_eq!(asked, None);
            prop_assert!(*decision.reason() != Reason::ChallengeLoop && decision.findings.answered.is_none());
        }
    }

    /// Or a caller's own answers would not end its count.
    #[test]
    fn an_answer_ends_the_count_under_which_its_challenge_was_given(Scene { parts, memory, sketch } in scene()) {
        let (policy, call) = (parts.policy(), sketch.call());
        let Ok(decision) = decide(&policy, &memory, &call) else { return Ok(()) };
        let (_, asked) = looping(&policy, &memory, &call.without("oauth-client-attestation")).unwrap();
        let is_proven = matches!(&decision.outcome, Outcome::Allow(permit) if permit.level().is_some());
        prop_assert_eq!(decision.findings.answered.is_some(), is_proven);
        if let (true, Some(asked)) = (is_proven, asked) {
            prop_assert_eq!(decision.findings.answered, Some(asked));
        }
    }
}
