//! Keys that come, and keys that go.

use crate::provider::Provider;
use crate::support::Result;
use crate::support::workload::Workload;
use crate::world::{ATTESTER_FILE, Ground, IDP_FILE, NAME, REFUND, SCOPES, World, at, key, token};

/// A world whose bearers' keys come from a provider.
async fn provided() -> Result<(World, Provider)> {
    let ground = Ground::new()?;
    let provider = Provider::start(&ground.authority, &[&ground.issuers.idp]).await?;
    let world = ground.start(&at(&provider.url()), ATTESTER_FILE).await?;
    Ok((world, provider))
}

#[tokio::test]
async fn the_first_token_by_a_new_key_passes_and_the_last_by_the_old_one_does_not() -> Result<()> {
    let (world, provider) = provided().await?;
    let (old, new) = (token(&world.issuers.idp)?, key()?);
    for _ in 0..2 {
        assert!(world.read(&old).await?.is_allowed());
    }
    provider.publish(&[&new]);
    // It was remembered, and nobody has told of the change.
    assert!(world.read(&old).await?.is_allowed());
    assert!(world.read(&token(&new)?).await?.is_allowed());
    assert_eq!(world.reason(&old).await?, "credential_unknown_key");
    assert_eq!((provider.asked(), world.keys("idp").await?), (2, 1));
    assert_eq!(world.looks("idp", "updated").await?, 2);
    Ok(())
}

#[tokio::test]
async fn a_flood_of_unknown_keys_asks_the_provider_once() -> Result<()> {
    let (world, provider) = provided().await?;
    let mut flood = Vec::new();
    for _ in 0..300 {
        let (authz, token) = (world.authz.clone(), token(&key()?)?);
        flood.push(tokio::spawn(async move {
            let ask = crate::support::authz::Ask::new("GET", crate::world::READ);
            authz.check(&ask.header("authorization", format!("Bearer {token}"))).await
        }));
    }
    for call in flood {
        assert_eq!(call.await??.metadata("reason"), "credential_unknown_key");
    }
    assert_eq!((provider.asked(), provider.unchanged()), (2, 1));
    assert_eq!(world.looks("idp", "unchanged").await?, 1);
    assert!(world.read(&token(&world.issuers.idp)?).await?.is_allowed());
    Ok(())
}

/// The call is judged anew by the new key, and its proof is spent once all the same.
#[tokio::test]
async fn an_attestation_by_a_new_key_passes_and_its_proof_once() -> Result<()> {
    let mut ground = Ground::new()?;
    let provider = Provider::start(&ground.authority, &[&ground.issuers.attester]).await?;
    ground.issuers.attester = key()?;
    let world = ground.start(IDP_FILE, &at(&provider.url())).await?;
    let workload = Workload::new(&world.issuers, NAME, SCOPES)?;
    let call = workload.proven_call(&world.issuers, "POST", REFUND)?;
    provider.publish(&[&world.issuers.attester]);
    assert!(world.authz.check(&call).await?.is_allowed());
    assert_eq!(world.authz.check(&call).await?.metadata("reason"), "proof_replayed");
    assert_eq!(provider.asked(), 2);
    Ok(())
}
