//! A grant ends with its task, and with whatever it stood on.

use crate::support::Result;
use crate::support::holder::Holder;
use crate::support::wait::{next_second, until};
use crate::world::{BATCH, END, REFUND, TASK, World, assert_said};
use stepgate::mint::{Algorithm, SigningKey, jwks};

#[tokio::test]
async fn the_next_call_after_the_end_of_a_task_is_challenged() -> Result<()> {
    let world = World::start().await?;
    world.attest(REFUND).await?.allowed()?;
    assert_said(&world.call(REFUND).await?, "allow", "granted");
    let ended = world.end(&world.web).await?;
    assert_said(&ended, "task_end", "task_ended");
    let denied = ended.denied()?;
    assert_eq!((denied.status.as_ref().map(|status| status.code), denied.body.as_str()), (Some(204), ""));
    assert!(ended.challenge().is_some(), "a proof was shown, so that a challenge comes along");
    assert_said(&world.call(REFUND).await?, "step_up", "attestation_missing");
    let line = world.gate.stepgate.decision(ended.metadata("decision_id")).await?;
    assert_eq!((&line["decision"], &line["attestation"]["task"]), (&"task_end".into(), &TASK.into()));
    Ok(())
}

#[tokio::test]
async fn another_workload_cannot_end_it() -> Result<()> {
    let world = World::start().await?;
    world.attest(REFUND).await?.allowed()?;
    let batch = Holder::new(&world.gate.issuers, BATCH)?;
    assert_said(&world.end(&batch).await?, "task_end", "task_ended");
    assert_said(&world.call(REFUND).await?, "allow", "granted");
    let stolen = world.web.attested(&world.gate.issuers, "POST", END, TASK)?;
    let thief = batch.plain("POST", END)?;
    let attestation = stolen.to_check_request().attributes.and_then(|a| a.request).and_then(|r| r.http);
    let attestation = attestation.and_then(|http| http.headers.get("oauth-client-attestation").cloned());
    let call = thief.header("oauth-client-attestation", attestation.ok_or("no attestation")?);
    assert_said(&world.gate.check(&call).await?, "step_up", "attestation_subject_mismatch");
    assert_said(&world.call(REFUND).await?, "allow", "granted");
    Ok(())
}

#[tokio::test]
async fn a_task_of_the_same_name_can_begin_again() -> Result<()> {
    let mut world = World::start().await?;
    world.attest(REFUND).await?.allowed()?;
    world.end(&world.web).await?.denied()?;
    next_second().await;
    world.web.renew(&world.gate.issuers)?;
    assert_said(&world.attest(REFUND).await?, "allow", "attested");
    assert_said(&world.call(REFUND).await?, "allow", "granted");
    Ok(())
}

#[tokio::test]
async fn an_identity_is_offboarded_by_editing_the_policy() -> Result<()> {
    let world = World::start().await?;
    world.attest(REFUND).await?.allowed()?;
    assert_said(&world.call(REFUND).await?, "allow", "granted");
    let policy = world.gate.policy()?.replace("kind: service", "kind: service, status: offboarded");
    world.gate.replace_policy(&policy)?;
    until("the new policy", async || (world.gate.stepgate.reloads().await.ok()? == 1).then_some(())).await?;
    assert_said(&world.call(REFUND).await?, "deny", "offboarded");
    Ok(())
}

#[tokio::test]
async fn a_key_that_leaves_its_set_takes_the_grant_along() -> Result<()> {
    let world = World::start().await?;
    world.attest(REFUND).await?.allowed()?;
    assert_said(&world.call(REFUND).await?, "allow", "granted");
    let other = SigningKey::generate(Algorithm::Es256)?;
    std::fs::write(world.gate.dir().join("attester.jwks.json"), jwks([&other]).to_string())?;
    until("the new keys", async || (world.gate.stepgate.reloads().await.ok()? == 1).then_some(())).await?;
    assert_said(&world.call(REFUND).await?, "step_up", "attestation_missing");
    Ok(())
}

#[tokio::test]
async fn a_policy_that_no_longer_remembers_ends_what_it_gave() -> Result<()> {
    let world = World::start().await?;
    world.attest(REFUND).await?.allowed()?;
    let policy = world.gate.policy()?.replace("max_age: 5m", "max_age: 4m");
    world.gate.replace_policy(&policy)?;
    until("the new policy", async || (world.gate.stepgate.reloads().await.ok()? == 1).then_some(())).await?;
    assert_said(&world.call(REFUND).await?, "step_up", "attestation_missing");
    Ok(())
}
