//! The end of a task: who may say so, and what ends.

use super::line;
use super::world::{Call, NOW, ORIGIN, THIEF, WEB, World};
use crate::case::{Answer, Case, Ground, Need, NotShared, Spent, Step, TASK_END_PATH};
use crate::mint::{Jwt, SigningKey};
use crate::revocation::Revocations;
use crate::store::Revoked;
use rstest::rstest;

const TASK: &str = "run-7";

/// A workload by this name and key says that its task has ended.
fn end(world: &World, who: &str, key: &SigningKey, change: impl FnOnce(Jwt) -> Jwt) -> Call {
    let bearer = World::bearer(who, "payments:refund").sign(&world.idp).unwrap();
    let url = format!("{ORIGIN}{TASK_END_PATH}");
    let proof = Jwt::proof(key.public(), "POST", &url).unwrap().claim("iat", NOW).with_token(&bearer);
    let attestation = change(World::attestation(who, key).claim("txn", TASK));
    Call::new("POST", TASK_END_PATH)
        .with("authorization", format!("Bearer {bearer}"))
        .with("oauth-client-attestation", attestation.sign(&world.attester).unwrap())
        .with("dpop", proof.sign(key).unwrap())
}

fn own(world: &World) -> Call {
    end(world, WEB, &world.web, |attestation| attestation)
}

fn refund(world: &World, task: &str) -> Call {
    let attestation = World::attestation(WEB, &world.web).claim("txn", task).sign(&world.attester).unwrap();
    world.refund().with("oauth-client-attestation", attestation)
}

fn came_out(world: &World, call: &Call) -> String {
    line(&world.decide(call))
}

#[test]
fn a_task_that_ended_is_over_for_its_attestations() {
    let world = World::new();
    let before = refund(&world, TASK);
    assert_eq!(came_out(&world, &own(&world)), "ended task_ended");
    assert_eq!(came_out(&world, &before), "step_up attestation_revoked");
    assert_eq!(came_out(&world, &refund(&world, "run-8")), "verified attested", "another task goes on");
}

#[test]
fn nobody_ends_the_task_of_another() {
    let world = World::new();
    assert_eq!(came_out(&world, &end(&world, THIEF, &world.thief, |a| a)), "ended task_ended", "his own of that name");
    assert_eq!(came_out(&world, &refund(&world, TASK)), "verified attested");
}

#[rstest]
#[case::no_attestation(|call: Call| call.without("oauth-client-attestation"), "step_up attestation_missing")]
#[case::no_proof(|call: Call| call.without("dpop"), "step_up proof_missing")]
#[case::nobody(|call: Call| call.without("authorization"), "deny credential_missing")]
#[case::another_path(|call: Call| Call { path: "/.well-known/stepgate/tasks/end/", ..call }, "deny insufficient_scope")]
#[case::a_look(|call: Call| Call { method: "GET", ..call }, "deny insufficient_scope")]
fn what_lacks_something_ends_nothing(#[case] change: fn(Call) -> Call, #[case] then: &str) {
    let world = World::new();
    let came_out = came_out(&world, &change(own(&world)));
    assert!(came_out == then || (then.ends_with("scope") && !came_out.starts_with("ended")), "{came_out}");
    assert_eq!(line(&world.decide(&refund(&world, TASK))), "verified attested");
}

#[rstest]
#[case::without_task(|a: Jwt| a.without("txn"), "step_up attestation_without_task")]
#[case::stale(|a: Jwt| a.issued(NOW - 301, 900), "step_up attestation_too_old")]
#[case::expired(|a: Jwt| a.claim("exp", NOW - 11), "step_up attestation_expired")]
#[case::not_its_own(|a: Jwt| a.claim("sub", THIEF), "step_up attestation_subject_mismatch")]
fn every_check_of_an_attestation_holds(#[case] change: fn(Jwt) -> Jwt, #[case] then: &str) {
    let world = World::new();
    assert_eq!(came_out(&world, &end(&world, WEB, &world.web, change)), then);
}

#[test]
fn a_proof_by_another_key_or_for_another_call_ends_nothing() {
    let world = World::new();
    let theirs = end(&world, WEB, &world.thief, |a| a);
    assert_eq!(came_out(&world, &own(&world).with("dpop", theirs.header("dpop"))), "step_up proof_key_mismatch");
    let call = own(&world);
    let elsewhere = World::proof(&world.web, call.token()).sign(&world.web).unwrap();
    assert_eq!(came_out(&world, &call.with("dpop", elsewhere)), "step_up proof_target_mismatch");
}

/// Shown again, it would end a later task of the same name.
#[test]
fn what_ended_a_task_ends_no_other() {
    let world = World::new();
    let call = own(&world);
    assert_eq!(came_out(&world, &call), "ended task_ended");
    assert!(matches!(came_out(&world, &call).as_str(), "step_up attestation_revoked" | "step_up proof_replayed"));
}

/// The clock of an attester may be ahead, as far as the leeway goes.
#[test]
fn an_attestation_that_is_dated_ahead_ends_with_its_task() {
    let world = World::new();
    let ahead = end(&world, WEB, &world.web, |a| a.issued(NOW + 9, 600));
    let statement = ahead.header("oauth-client-attestation").to_owned();
    assert_eq!(came_out(&world, &ahead), "ended task_ended");
    assert_eq!(
        came_out(&world, &world.refund().with("oauth-client-attestation", statement)),
        "step_up attestation_revoked"
    );
}

/// What intents and scopes an attestation has does not matter where only its task ends.
#[test]
fn an_attestation_for_one_route_ends_its_task() {
    let mut world = World::new();
    world.policy.assurance.iter_mut().for_each(|level| level.scoped = true);
    let details = serde_json::json!([{ "type": "stepgate", "actions": ["refund"] }]);
    let limited = end(&world, WEB, &world.web, |a| a.claim("authorization_details", details));
    assert_eq!(came_out(&world, &limited), "ended task_ended");
}

#[test]
fn the_end_is_not_said_before_everybody_knows_it() {
    let world = World::new();
    let facts = own(&world).facts();
    let ground = Ground { policy: &world.policy, keyring: &world.keyring, challenges: &world.challenges };
    let mut case = Case::open(ground, &facts);
    let decision = loop {
        match world.step(&mut case, NOW) {
            Step::Needs(Need::EndTask(task)) => {
                assert_eq!((&*task.task, task.owner.principal.as_str()), (TASK, WEB));
                case.supply(Answer::TaskEnded(Err(NotShared)));
            }
            Step::Needs(need) => case.supply(world.answer(need, NOW)),
            Step::Decided(decision) => break decision,
        }
    };
    assert_eq!(line(&decision), "deny state_unavailable");
}

#[test]
fn without_the_state_no_proof_is_spent_for_an_end() {
    let mut world = World::new();
    let facts = own(&world).facts();
    let ground = Ground { policy: &world.policy, keyring: &world.keyring, challenges: &world.challenges };
    let mut case = Case::open(ground, &facts);
    let decision = loop {
        match world.step(&mut case, NOW) {
            Step::Needs(Need::Spend(spending)) => case.supply(Answer::Spent(spending.key, Spent::Untold)),
            Step::Needs(need) => case.supply(world.answer(need, NOW)),
            Step::Decided(decision) => break decision,
        }
    };
    assert_eq!(line(&decision), "deny state_unavailable");
    world.revoked = Revoked::unread(Revocations::DEFAULT_KEEP);
    assert_eq!(came_out(&world, &own(&world)), "deny state_unavailable");
}

#[test]
fn a_policy_without_levels_has_no_tasks() {
    let mut world = World::new();
    world.policy.assurance.clear();
    world.policy.rules.clear();
    assert_eq!(came_out(&world, &own(&world)), "deny unanswerable");
}
