//! What operators end and give, as the workload meets it on its next call.

use crate::support::Result;
use crate::support::authz::Ask;
use crate::support::certificates::{Authority, uri};
use crate::support::holder::Holder;
use crate::world::{BATCH, REFUND, TASK, WEB, World, assert_said};
use rstest::rstest;
use serde_json::{Value, json};
use stepgate::attestation::Thumbprint;

async fn revoke(world: &World, body: Value) -> Result<()> {
    let answer = world.operate("POST", "/v1/revocations", Some(body)).await?;
    assert_eq!(answer.status, 201, "{answer:?}");
    Ok(())
}

async fn grants(world: &World) -> Result<Vec<Value>> {
    let answer = world.operate("GET", "/v1/grants", None).await?;
    Ok(answer.json()?["grants"].as_array().cloned().ok_or("no grants")?)
}

#[rstest]
#[case::another_task(json!({ "task": "run-8" }))]
#[case::another_attester(json!({ "attester": "former", "unlisted": true }))]
#[case::another_key(json!({ "key": Thumbprint::of(b"another").to_string() }))]
#[tokio::test]
async fn a_revocation_of_others_ends_nothing(#[case] body: Value) -> Result<()> {
    let world = World::start().await?;
    world.attest(REFUND).await?.allowed()?;
    revoke(&world, body).await?;
    assert_said(&world.call(REFUND).await?, "allow", "granted");
    Ok(())
}

#[tokio::test]
async fn a_grant_that_an_operator_ends_is_not_brought_back_by_its_attestation() -> Result<()> {
    let world = World::start().await?;
    // Attestations of the same second as the first, each with a proof of its own.
    let again = [(), ()].map(|()| world.web.attested(&world.gate.issuers, "POST", REFUND, TASK));
    world.attest(REFUND).await?.allowed()?;
    let listed = grants(&world).await?;
    assert_eq!(
        [&listed[0]["kind"], &listed[0]["holder"], &listed[0]["principal"], &listed[0]["task"], &listed[0]["attester"]],
        [&json!("attested"), &json!("key"), &json!(WEB), &json!(TASK), &json!("attester")]
    );
    assert_eq!(listed[0]["bound_to"], world.web.key.public().thumbprint());
    assert_eq!(world.gate.stepgate.count("stepgate_grants_active", &[]).await?, 1);
    let path = format!("/v1/grants/{}", listed[0]["id"].as_str().ok_or("no id")?);
    assert_eq!(world.operate("DELETE", &path, None).await?.status, 204);
    assert_said(&world.call(REFUND).await?, "step_up", "attestation_missing");
    for call in again {
        assert_said(&world.gate.check(&call?).await?, "step_up", "attestation_revoked");
    }
    assert_said(&world.call(REFUND).await?, "step_up", "attestation_missing");
    assert_eq!(world.gate.stepgate.count("stepgate_grants_active", &[]).await?, 0);
    assert_eq!(world.operate("DELETE", &path, None).await?.status, 404);
    Ok(())
}

/// The drill of the documents.
#[tokio::test]
async fn a_grant_by_hand_stands_in_for_the_attestation_on_its_routes_until_it_is_ended() -> Result<()> {
    let world = World::start().await?;
    let certificate = |name| -> Result<_> { Ok(Authority::new()?.client(vec![uri(name)?])?.certificate) };
    let (web, batch) = (certificate(WEB)?, certificate(BATCH)?);
    let refund = |pem: &str| -> Result<_> { Ok(world.web.plain("POST", REFUND)?.certificate(pem)) };
    assert_said(&world.gate.check(&refund(&web)?).await?, "step_up", "attestation_missing");
    let body = json!({ "principal": WEB, "routes": ["refund"], "reason": "a drill", "ttl": "5m" });
    let made = world.operate("POST", "/v1/grants", Some(body)).await?.json()?;

    assert_said(&world.gate.check(&refund(&web)?).await?, "allow", "break_glass");
    assert_said(&world.gate.check(&Ask::new("POST", REFUND).certificate(&web)).await?, "deny", "insufficient_scope");
    let wipe = world.web.plain("DELETE", "/v1/payments")?.certificate(&web);
    assert_said(&world.gate.check(&wipe).await?, "step_up", "attestation_missing");
    let other = Holder::new(&world.gate.issuers, BATCH)?.plain("POST", REFUND)?.certificate(&batch);
    assert_said(&world.gate.check(&other).await?, "step_up", "attestation_missing");
    assert_said(&world.call(REFUND).await?, "step_up", "attestation_missing");

    let path = format!("/v1/grants/{}", made["id"].as_str().ok_or("no id")?);
    assert_eq!(world.operate("DELETE", &path, None).await?.status, 204);
    assert_said(&world.gate.check(&refund(&web)?).await?, "step_up", "attestation_missing");
    Ok(())
}

#[tokio::test]
async fn all_that_an_operator_granted_by_hand_ends_with_the_operator() -> Result<()> {
    let world = World::start().await?;
    for principal in [WEB, BATCH] {
        let body = json!({ "principal": principal, "routes": ["refund"], "reason": "a drill", "ttl": "5m" });
        assert_eq!(world.operate("POST", "/v1/grants", Some(body)).await?.status, 201);
    }
    world.attest(REFUND).await?.allowed()?;
    revoke(&world, json!({ "attester": "alice", "unlisted": true })).await?;
    let kinds: Vec<_> = grants(&world).await?.iter().map(|grant| grant["kind"].clone()).collect();
    assert_eq!(kinds, ["attested"]);
    Ok(())
}
