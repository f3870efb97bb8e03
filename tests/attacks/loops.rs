//! A program that calls again and again without an answer, and a thief who does it on purpose: with the token of the
//! workload, and from elsewhere.

use crate::support::authz::Ask;
use crate::support::gate::{Gate, challenge_at};
use crate::support::issuers::RESOURCE;
use crate::support::verdict::{Refusal, Verdict, value};
use crate::support::{Result, now, repository};
use crate::{NAME, READ, REFUND, Stage, WIPE};
use std::fs;

const ELSEWHERE: &str = "203.0.113.7";
/// As many as the policy allows, which says nothing of it.
const MOST: usize = 20;

fn asked() -> Refusal {
    Refusal::new(401, "use_attestation_challenge", "attestation_missing")
}

fn looping() -> Refusal {
    Refusal::without_error(429, "challenge_loop", "challenge_loop")
}

fn retry_after(verdict: &Verdict) -> Result<u64> {
    Ok(value(&verdict.denied()?.headers, "retry-after").ok_or("no `retry-after`")?.parse()?)
}

/// Under the policy without a word of challenges.
async fn stage() -> Result<Stage> {
    let policy = fs::read_to_string(repository("tests/policies/attacked.yaml"))?;
    let lines: Vec<_> = policy.lines().filter(|line| !line.starts_with("challenges:")).collect();
    Stage::under(Gate::start_under(&lines.join("\n"), &[]).await?)
}

impl Stage {
    fn unproven(&self) -> Ask {
        self.workload.call("POST", REFUND)
    }

    async fn is_challenged(&self, call: &Ask, times: usize) -> Result<()> {
        for _ in 0..times {
            let verdict = self.gate.check(call).await?;
            assert_eq!(verdict.refusal()?, asked());
            assert!(verdict.challenge().is_some());
        }
        Ok(())
    }

    async fn challenges(&self, route: &str, outcome: &str) -> Result<u64> {
        self.gate.stepgate.count("stepgate_challenges_total", &[("route", route), ("outcome", outcome)]).await
    }
}

#[tokio::test]
async fn after_too_many_unanswered_challenges_there_is_none_for_the_rest_of_a_minute() -> Result<()> {
    let stage = stage().await?;
    stage.is_challenged(&stage.unproven(), MOST).await?;
    for _ in 0..3 {
        let verdict = stage.gate.check(&stage.unproven()).await?;
        assert_eq!((verdict.refusal()?, verdict.challenge()), (looping(), None));
        assert!((1..=60).contains(&retry_after(&verdict)?), "{verdict:?}");
        assert_eq!(value(&verdict.denied()?.headers, "www-authenticate"), None);
    }
    assert_eq!((stage.challenges("refund", "issued").await?, stage.challenges("refund", "loop").await?), (20, 3));
    Ok(())
}

#[tokio::test]
async fn a_thief_elsewhere_does_not_lock_the_workload_out() -> Result<()> {
    let stage = stage().await?;
    let thief = stage.unproven().from(ELSEWHERE);
    stage.is_challenged(&thief, MOST).await?;
    stage.refuses(&thief, &looping()).await?;
    stage.is_challenged(&stage.unproven(), 1).await?;
    stage.passes(&stage.refund()?).await?;
    // That the workload answers is no answer of the thief's.
    stage.refuses(&thief, &looping()).await
}

/// He can use up what is given to both, and nothing that the workload can't do without.
#[tokio::test]
async fn a_thief_next_door_does_not_lock_the_workload_out_either() -> Result<()> {
    let stage = stage().await?;
    stage.is_challenged(&stage.unproven(), MOST).await?;
    stage.refuses(&stage.unproven(), &looping()).await?;
    let fetched = stage.gate.check(&stage.workload.call("POST", "/.well-known/stepgate/challenge")).await?;
    assert!(fetched.challenge().is_some(), "{fetched:?}");
    stage.passes(&stage.workload.call("GET", READ)).await?;
    stage.passes(&stage.refund()?).await
}

#[tokio::test]
async fn an_answer_begins_the_count_anew() -> Result<()> {
    let stage = stage().await?;
    stage.is_challenged(&stage.unproven(), MOST).await?;
    stage.refuses(&stage.unproven(), &looping()).await?;
    stage.passes(&stage.refund()?).await?;
    stage.is_challenged(&stage.unproven(), MOST).await?;
    stage.refuses(&stage.unproven(), &looping()).await
}

#[tokio::test]
async fn another_route_is_not_affected() -> Result<()> {
    let stage = stage().await?;
    stage.is_challenged(&stage.unproven(), MOST).await?;
    stage.refuses(&stage.unproven(), &looping()).await?;
    stage.is_challenged(&stage.workload.call("DELETE", WIPE), MOST).await?;
    stage.refuses(&stage.workload.call("DELETE", WIPE), &looping()).await
}

/// A challenge that was made up is not answered, and asks for another each time.
#[tokio::test]
async fn bad_answers_are_none() -> Result<()> {
    let stage = stage().await?;
    let expired = challenge_at(now() - 122, RESOURCE, NAME)?;
    let attestation = stage.workload.attestation(&stage.gate.issuers)?;
    for call in 0..=MOST {
        let proof = stage.workload.proof("POST", REFUND)?.claim("nonce", expired.as_str()).sign(&stage.workload.key)?;
        let answer = stage.workload.call_with("POST", REFUND, &attestation, &proof);
        let expected =
            if call < MOST { Refusal::new(401, "use_dpop_nonce", "proof_challenge_expired") } else { looping() };
        stage.refuses(&answer, &expected).await?;
    }
    Ok(())
}

#[tokio::test]
async fn what_is_logged_of_a_loop_says_that_it_was_one() -> Result<()> {
    let stage = stage().await?;
    stage.is_challenged(&stage.unproven(), MOST).await?;
    let verdict = stage.gate.check(&stage.unproven()).await?;
    let line = stage.gate.stepgate.decision(verdict.metadata("decision_id")).await?;
    let said = |member: &str| line[member].as_str().unwrap_or_default().to_owned();
    assert_eq!(
        (said("decision"), said("reason"), said("route")),
        ("deny".into(), "challenge_loop".into(), "refund".into())
    );
    assert_eq!(line["inputs"]["fault"], "challenge_loop");
    Ok(())
}
