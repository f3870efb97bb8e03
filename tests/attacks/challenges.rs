//! Challenges that this stepgate did not make, not for this caller, or not just now: where one is required and, since
//! a challenge that is there must be good, where none is.

use crate::support::gate::challenge_at;
use crate::support::issuers::RESOURCE;
use crate::support::verdict::Refusal;
use crate::support::workload::Workload;
use crate::support::{Result, now};
use crate::{NAME, REFUND, SCOPES, Stage, WIPE};
use rstest::rstest;
use stepgate::challenge::ChallengeKeys;
use stepgate::identity::Principal;
use stepgate::policy::Origin;
use stepgate::time::UnixTime;

/// The call that shows this challenge with evidence that is good otherwise.
fn answer(stage: &Stage, (method, path): (&str, &str), challenge: Option<&str>) -> Result<crate::Ask> {
    let mut proof = stage.workload.proof(method, path)?;
    if let Some(challenge) = challenge {
        proof = proof.claim("nonce", challenge);
    }
    let attestation = stage.workload.attestation(&stage.gate.issuers)?;
    Ok(stage.workload.call_with(method, path, &attestation, &proof.sign(&stage.workload.key)?))
}

fn refused(fault: &str) -> Refusal {
    Refusal::new(401, "use_dpop_nonce", &format!("proof_{fault}"))
}

#[rstest]
#[case::made_up("v1.k1.AAAA.AAAA".to_owned(), "challenge_foreign")]
#[case::empty(String::new(), "challenge_foreign")]
#[case::long("v1.".repeat(50), "challenge_foreign")]
#[case::changed(changed(), "challenge_foreign")]
#[case::of_another_version(of(now()).replacen("v1", "v2", 1), "challenge_foreign")]
#[case::by_another_key(by_another_key(), "challenge_foreign")]
#[case::another_callers(challenge_at(now(), RESOURCE, "billing-batch").unwrap(), "challenge_foreign")]
#[case::for_another_resource(challenge_at(now(), "https://other.example.com", NAME).unwrap(), "challenge_foreign")]
#[case::expired(of(now() - 122), "challenge_expired")]
#[case::of_the_future(of(now() + 60), "challenge_expired")]
#[tokio::test]
async fn a_challenge_that_is_not_good_is_refused_at_every_level(
    #[case] challenge: String,
    #[case] fault: &str,
    #[values(("DELETE", WIPE), ("POST", REFUND))] call: (&str, &str),
) -> Result<()> {
    let stage = Stage::set().await?;
    stage.passes(&answer(&stage, call, Some(&of(now())))?).await?;
    stage.refuses(&answer(&stage, call, Some(&challenge))?, &refused(fault)).await
}

#[tokio::test]
async fn a_level_that_requires_a_challenge_refuses_proofs_without() -> Result<()> {
    let stage = Stage::set().await?;
    stage.refuses(&answer(&stage, ("DELETE", WIPE), None)?, &refused("challenge_missing")).await?;
    stage.passes(&answer(&stage, ("POST", REFUND), None)?).await
}

#[tokio::test]
async fn a_challenge_that_another_caller_was_given_is_refused() -> Result<()> {
    let stage = Stage::set().await?;
    let other = Workload::new(&stage.gate.issuers, "billing-batch", SCOPES)?;
    let asked = stage.gate.check(&other.call("DELETE", WIPE)).await?;
    let challenge = asked.challenge().ok_or("no challenge")?;
    stage.refuses(&answer(&stage, ("DELETE", WIPE), Some(challenge))?, &refused("challenge_foreign")).await
}

#[tokio::test]
async fn an_unknown_caller_gets_no_challenge() -> Result<()> {
    let stage = Stage::set().await?;
    let expected = Refusal::without_error(401, "invalid_token", "credential_missing");
    for (method, path) in [("POST", "/.well-known/stepgate/challenge"), ("DELETE", WIPE)] {
        let verdict = stage.gate.check(&crate::Ask::new(method, path)).await?;
        assert_eq!((verdict.refusal()?, verdict.challenge()), (expected.clone(), None), "{verdict:?}");
    }
    Ok(())
}

fn of(time: u64) -> String {
    challenge_at(time, RESOURCE, NAME).unwrap()
}

fn changed() -> String {
    let mut challenge = of(now()).into_bytes();
    // The last character holds bits that say nothing; the one before holds none.
    let at = challenge.len() - 2;
    challenge[at] = if challenge[at] == b'A' { b'B' } else { b'A' };
    String::from_utf8(challenge).unwrap()
}

fn by_another_key() -> String {
    let (origin, principal) = (Origin::parse(RESOURCE).unwrap(), Principal::parse(NAME).unwrap());
    ChallengeKeys::single(&[7; 32]).issue(UnixTime::from_secs(now()), [7; 12], &origin, &principal).unwrap()
}
