//! What a line says that a decision was made from makes the same decision.

mod policy;
mod sketch;

use super::super::{Line, LoggedHeaders, Record, Seen};
use super::refused;
use crate::case::tests::world::{NOW, WEB, World, certificate};
use crate::case::{Answer, Case, Ground, Need, Step};
use crate::decision::{Decision, Outcome};
use crate::inputs::Inputs;
use crate::policy::Carry;
use crate::reason::Reason;
use crate::request::RequestFacts;
use crate::time::UnixTime;
use proptest::prelude::*;
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

fn ground(world: &World) -> Ground<'_> {
    Ground { policy: &world.policy, keyring: &world.keyring, challenges: &world.challenges }
}

fn decide(world: &World, facts: &RequestFacts, sketch: &sketch::Sketch) -> Decision {
    let mut case = Case::open(ground(world), facts);
    loop {
        match world.step(&mut case, NOW) {
            Step::Needs(Need::Familiarity(_)) => case.supply(Answer::Familiarity(sketch.familiarity)),
            Step::Needs(Need::Challenge(_)) => case.supply(Answer::Challenge(sketch.allowance)),
            Step::Needs(need) => case.supply(world.answer(need, NOW)),
            Step::Decided(decision) => return decision,
        }
    }
}

/// The line of a decision, but for what no record of it can give back: the digest of the credential.
fn line(world: &World, decision: &Decision, request: Seen<'_>) -> Value {
    let record = Record {
        time: Duration::from_secs(NOW),
        policy: &world.policy,
        decision,
        decision_id: "d-1",
        trace: None,
        request,
        headers: &LoggedHeaders::of(&world.policy),
        credential: None,
        elapsed: Duration::ZERO,
    };
    serde_json::to_value(Line::of(&record)).unwrap()
}

fn inputs(line: &Value) -> Inputs {
    let read = Inputs::from_json(line["inputs"].as_object().unwrap(), Path::new("line"));
    read.unwrap_or_else(|problems| panic!("{problems:?} in {line}"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn what_is_logged_makes_the_same_decision_and_the_same_line(sketch in sketch::sketches()) {
        let world = policy::world(sketch.mode);
        let Some(facts) = sketch.facts(&world) else { return Ok(()) };
        let decision = decide(&world, &facts, &sketch);
        if matches!(decision.decided(), Outcome::Deny(Reason::Unavailable(_))) {
            return Ok(());
        }
        let logged = line(&world, &decision, Seen::from(&facts));
        prop_assert!(!logged.to_string().contains("s3cret"), "{}", logged);
        let given = inputs(&logged);
        prop_assert!(given.unknown_names(&world.policy).is_empty());
        let again = given.facts().unwrap();
        let decided = given.recorded(&world.policy).decide(ground(&world), &again, UnixTime::from_secs(NOW));
        prop_assert_eq!(&decided.outcome, &decision.outcome, "{}", logged);
        // Which check of the evidence fails first at a level that is only watched is nothing that is logged.
        let watched = |decision: &Decision| decision.shadow.as_ref().map(|outcome| (outcome.as_str(), outcome.level()));
        prop_assert_eq!(watched(&decided), watched(&decision), "{}", logged);
        prop_assert_eq!(&decided.findings.classification, &decision.findings.classification, "{}", logged);
        prop_assert_eq!(line(&world, &decided, Seen::from(&again)), logged);
    }
}

#[test]
fn what_could_not_be_read_is_refused_again() {
    let (world, (decision, seen)) = (World::new(), refused());
    let again = inputs(&line(&world, &decision, seen)).decide(ground(&world), UnixTime::from_secs(NOW));
    assert_eq!(again.outcome, decision.outcome);
}

#[test]
fn a_loop_is_refused_again() {
    let world = World::new();
    let call = world.refund().without("dpop");
    let decisions: Vec<_> = (0..21).map(|_| world.decide(&call)).collect();
    let decision = decisions.last().unwrap();
    assert_eq!(decision.outcome, Outcome::Deny(Reason::ChallengeLoop));
    let logged = line(&world, decision, Seen::from(&call.facts()));
    let again = inputs(&logged).decide(ground(&world), UnixTime::from_secs(NOW));
    assert_eq!((logged["inputs"]["fault"].as_str(), again.outcome), (Some("challenge_loop"), decision.outcome.clone()));
}

/// A world that remembers grants, and the second call of a task in it.
fn granted() -> (World, Decision, crate::case::tests::world::Call) {
    let mut world = World::new();
    for level in &mut world.policy.assurance {
        (level.carry, level.task_required) = (Carry::FirstCall, true);
    }
    let attestation = World::attestation(WEB, &world.web).claim("txn", "run-7").sign(&world.attester).unwrap();
    let mut first = world.refund().with("oauth-client-attestation", attestation);
    first.peer.certificate = Some(certificate(WEB).into());
    assert!(world.decide(&first).earned().is_some());
    let second = first.without("oauth-client-attestation").without("dpop");
    let decision = world.decide(&second);
    (world, decision, second)
}

#[test]
fn what_was_granted_is_granted_again_and_not_beyond_the_grant() {
    let (mut world, decision, call) = granted();
    let logged = line(&world, &decision, Seen::from(&call.facts()));
    assert_eq!((&logged["reason"], &logged["inputs"]["grant"]["task"]), (&"granted".into(), &"run-7".into()));
    assert_eq!(logged["attestation"]["task"], "run-7");
    let again = |world: &World, logged: &Value| inputs(logged).decide(ground(world), UnixTime::from_secs(NOW));
    assert_eq!(again(&world, &logged).outcome, decision.outcome);
    for (member, value) in [("scopes", "payments:read"), ("routes", "wipe")] {
        let mut changed = logged.clone();
        changed["inputs"]["grant"][member] = serde_json::json!([value]);
        let same = again(&world, &changed).outcome == decision.outcome;
        assert_eq!(same, member == "routes", "{member}: a call that needs scopes does not ask for the route");
    }
    world.policy.assurance.iter_mut().for_each(|level| level.carry = Carry::EveryCall);
    assert_eq!(again(&world, &logged).outcome.as_str(), "step_up");
}
