//! What a grant opens, and what Envoy, the log and the metrics tell of it.

use crate::support::Result;
use crate::support::verdict::value;
use crate::world::{READ, REFUND, TASK, WEB, World, assert_said};

#[tokio::test]
async fn the_second_call_of_a_task_needs_no_attestation_and_is_told_apart() -> Result<()> {
    let world = World::start().await?;
    assert_said(&world.call(REFUND).await?, "step_up", "attestation_missing");
    let first = world.attest(REFUND).await?;
    assert_eq!(value(&first.allowed()?.headers, "x-stepgate-decision"), Some("verified"));
    let second = world.call(REFUND).await?;
    let headers = &second.allowed()?.headers;
    let told = ["decision", "assurance", "task", "principal", "route"]
        .map(|name| value(headers, &format!("x-stepgate-{name}")));
    assert_eq!(told, [Some("granted"), Some("task"), Some(TASK), Some(WEB), Some("refund")]);
    assert_eq!(
        (second.metadata("reason"), second.metadata("task"), second.metadata("assurance")),
        ("granted", TASK, "task")
    );
    assert!(value(&second.allowed()?.response_headers_to_add, "dpop-nonce").is_some(), "so that a chain need not ask");
    let line = world.gate.stepgate.decision(second.metadata("decision_id")).await?;
    assert_eq!((&line["reason"], &line["attestation"]["task"]), (&"granted".into(), &TASK.into()));
    assert_eq!(line["inputs"]["grant"]["level"], "task");
    let granted = [("decision", "allow"), ("reason", "granted")];
    assert_eq!(world.gate.stepgate.count("stepgate_decision_reasons_total", &granted).await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_grant_holds_over_connections_and_for_other_paths_of_its_scopes_only() -> Result<()> {
    let world = World::start().await?;
    world.attest(REFUND).await?.allowed()?;
    let other = world.another_connection().await?;
    assert_said(&other.check(&world.web.plain("POST", "/v1/payments/8/refund")?).await?, "allow", "granted");
    assert_said(&other.check(&world.web.plain("DELETE", "/v1/payments")?).await?, "step_up", "attestation_missing");
    assert_said(&other.check(&world.web.plain("GET", READ)?).await?, "allow", "routine");
    Ok(())
}

#[tokio::test]
async fn a_call_is_not_replayed_under_a_grant() -> Result<()> {
    let world = World::start().await?;
    world.attest(REFUND).await?.allowed()?;
    let call = world.web.plain("POST", REFUND)?;
    assert_said(&world.gate.check(&call).await?, "allow", "granted");
    assert_said(&world.gate.check(&call).await?, "deny", "proof_replayed");
    Ok(())
}

#[tokio::test]
async fn a_process_that_starts_anew_asks_anew() -> Result<()> {
    let mut world = World::start().await?;
    world.attest(REFUND).await?.allowed()?;
    world.gate.stepgate.kill().await?;
    world.gate.stepgate.start_again().await?;
    let authz = world.another_connection().await?;
    assert_said(&authz.check(&world.web.plain("POST", REFUND)?).await?, "step_up", "attestation_missing");
    Ok(())
}
