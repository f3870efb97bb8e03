//! The store is gone, or was never there: what is known counts, what nobody can know is refused, and all of it is shared
//! as soon as there is a store again.

use crate::support::Result;
use crate::support::verdict::Refusal;
use crate::support::workload::Workload;
use crate::world::{READ, World};
use serde_json::json;

const REVOKED_BEFORE: &str = "spiffe://example.org/ns/billing/sa/before";
const REVOKED_MEANWHILE: &str = "spiffe://example.org/ns/billing/sa/meanwhile";

fn unknowable() -> Refusal {
    Refusal::without_error(503, "temporarily_unavailable", "state_unavailable")
}

#[tokio::test]
async fn a_store_that_dies_and_comes_back_empty_costs_no_revocation() -> Result<()> {
    let mut world = World::start().await?;
    let read = |name| -> Result<_> { Ok(Workload::new(&world.issuers, name, "payments:read")?.call("GET", READ)) };
    let (before, meanwhile) = (read(REVOKED_BEFORE)?, read(REVOKED_MEANWHILE)?);
    let mut ids = vec![world.replicas[0].operator.revoke(REVOKED_BEFORE).await?];
    world.all_know(&ids).await?;
    world.replicas[1].check(&world.attested()?).await?.allowed()?;

    world.valkey.kill().await?;
    world.all_say_state(false).await?;
    for replica in &world.replicas {
        assert_eq!(replica.check(&world.web.plain("GET", READ)?).await?.said(), ("allow", "routine"));
        assert_eq!(replica.check(&world.attested()?).await?.refusal()?, unknowable());
        assert_eq!(replica.check(&before).await?.said(), ("deny", "credential_revoked"));
        assert_eq!(replica.check(&meanwhile).await?.said(), ("allow", "routine"));
        assert_eq!(replica.stepgate.obstacles().await?, None, "ready stays true");
    }
    let [here, other, _] = &*world.replicas else { return Err("three replicas".into()) };
    let answer = here.operator.send("POST", "/v1/revocations", Some(json!({ "principal": REVOKED_MEANWHILE }))).await?;
    assert_eq!((answer.status, &*answer.code()), (503, "state_away"), "{answer:?}");
    assert!(answer.body.contains("in force in this process, and will be shared when the state is back"), "{answer:?}");
    assert_eq!(here.check(&meanwhile).await?.said(), ("deny", "credential_revoked"));
    assert_eq!(other.check(&meanwhile).await?.said(), ("allow", "routine"), "it could not hear of it");
    ids = here.operator.revocations().await?.into_iter().collect();
    assert_eq!(ids.len(), 2);

    world.valkey.start_again().await?;
    world.all_know(&ids).await?;
    world.all_say_state(true).await?;
    let late = world.another().await?;
    late.knows_soon(&ids).await?;
    for replica in world.replicas.iter().chain([&late]) {
        assert_eq!(replica.operator.revocations().await?.len(), 2);
        assert_eq!(replica.check(&meanwhile).await?.said(), ("deny", "credential_revoked"));
        replica.soon_says("allow", "attested", || world.attested()).await?;
    }
    Ok(())
}

/// Its evidence is not refused for being of single use, but because what is revoked is not known.
#[tokio::test]
async fn who_starts_without_the_store_serves_what_is_routine_and_says_what_it_waits_for() -> Result<()> {
    let mut world = World::start_without_single_use().await?;
    let ids = vec![world.replicas[0].operator.revoke(REVOKED_BEFORE).await?];
    world.all_know(&ids).await?;
    world.valkey.kill().await?;

    let late = world.launch().await?;
    let obstacles = late.stepgate.obstacles().await?.ok_or("it says that it is ready")?;
    assert!(obstacles.contains("the revocations of the shared state"), "{obstacles}");
    assert_eq!(late.check(&world.web.plain("GET", READ)?).await?.said(), ("allow", "routine"));
    assert_eq!(late.check(&world.attested()?).await?.refusal()?, unknowable());
    assert_eq!(late.check(&world.plain()?).await?.refusal()?, unknowable());
    late.says_state(false).await?;

    world.valkey.start_again().await?;
    late.stepgate.ready().await?;
    late.soon_says("allow", "attested", || world.attested()).await?;
    late.knows_soon(&ids).await
}
