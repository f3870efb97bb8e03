//! What a changed policy or key set revokes is void also where the change is taken back.

use crate::support::Result;
use crate::support::wait::{next_second, until};
use crate::world::{READ, REFUND, TASK, WEB, World, assert_said};
use serde_json::{Value, json};
use stepgate::mint::{Algorithm, SigningKey, jwks};

/// What is revoked of this source, by its values.
async fn revoked(world: &World, source: &str) -> Result<Vec<Value>> {
    let listed = world.operate("GET", "/v1/revocations", None).await?.json()?;
    let all = listed["revocations"].as_array().cloned().ok_or("no revocations")?;
    Ok(all.into_iter().filter(|one| one["source"] == source).map(|one| one["value"].clone()).collect())
}

/// Has a changed policy, or changed keys beside it, in force.
async fn change(world: &World, change: impl FnOnce() -> Result<()>) -> Result<()> {
    let before = world.gate.stepgate.reloads().await?;
    change()?;
    until("the change", async || (world.gate.stepgate.reloads().await.ok()? > before).then_some(())).await
}

#[tokio::test]
async fn who_is_let_in_again_needs_new_tokens() -> Result<()> {
    let mut world = World::start().await?;
    assert_said(&world.gate.check(&world.web.plain("GET", READ)?).await?, "allow", "routine");
    let active = world.gate.policy()?;
    let suspended = active.replace("kind: service", "kind: service, status: suspended");
    change(&world, || world.gate.replace_policy(&suspended)).await?;
    assert_said(&world.gate.check(&world.web.plain("GET", READ)?).await?, "deny", "suspended");
    let mut names = revoked(&world, "identity").await?;
    names.sort_by_key(Value::to_string);
    assert_eq!(names, [json!("billing-web"), json!(WEB)]);
    assert_eq!(world.gate.stepgate.count("stepgate_revocations_total", &[("source", "identity")]).await?, 2);

    change(&world, || world.gate.replace_policy(&active)).await?;
    assert_said(&world.gate.check(&world.web.plain("GET", READ)?).await?, "deny", "credential_revoked");
    next_second().await;
    world.web.renew(&world.gate.issuers)?;
    assert_said(&world.gate.check(&world.web.plain("GET", READ)?).await?, "allow", "routine");
    Ok(())
}

#[tokio::test]
async fn what_a_removed_key_signed_stays_void_where_the_key_comes_back() -> Result<()> {
    let world = World::start().await?;
    let before = world.web.attested(&world.gate.issuers, "POST", REFUND, TASK)?;
    let (file, own) = (world.gate.dir().join("attester.jwks.json"), &world.gate.issuers.attester);
    let other = SigningKey::generate(Algorithm::Es256)?;
    change(&world, || Ok(std::fs::write(&file, jwks([&other]).to_string())?)).await?;
    assert_eq!(revoked(&world, "key_removed").await?, [json!(own.public().thumbprint())]);
    change(&world, || Ok(std::fs::write(&file, jwks([&other, own]).to_string())?)).await?;
    assert_said(&world.gate.check(&before).await?, "step_up", "attestation_revoked");
    next_second().await;
    assert_said(&world.attest(REFUND).await?, "allow", "attested");
    assert_eq!(revoked(&world, "key_removed").await?.len(), 1);
    Ok(())
}

/// An issuer more, before all others, and an identity more.
#[tokio::test]
async fn a_policy_that_changes_in_other_things_revokes_nothing() -> Result<()> {
    let world = World::start().await?;
    let another = "{ issuer: https://a.example, algorithms: [ES256], keys: { file: attester.jwks.json } }";
    let policy = world.gate.policy()?.replace("issuers:\n", &format!("issuers:\n  another: {another}\n"));
    let policy = policy.replace("identities:\n", "identities:\n  - { match: another, kind: service }\n");
    change(&world, || world.gate.replace_policy(&policy)).await?;
    assert_said(&world.gate.check(&world.web.plain("GET", READ)?).await?, "allow", "routine");
    for source in ["identity", "key_removed"] {
        assert_eq!(revoked(&world, source).await?, [Value::Null; 0]);
    }
    Ok(())
}
