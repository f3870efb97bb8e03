//! What one replica is told counts in all: revocations, grants, the end of a task.

use crate::support::Result;
use crate::support::authz::Ask;
use crate::support::holder::Holder;
use crate::support::verdict::Verdict;
use crate::support::workload::Workload;
use crate::world::{BATCH, END, READ, REFUND, Replica, TASK, World};
use std::time::Duration;
use tokio::time::Instant;

/// What is promised is a tenth of it.
const SOON: Duration = Duration::from_secs(1);
const ROUNDS: usize = 20;

/// Asks without a break until it is refused.
async fn refused_after(replica: &Replica, call: &Ask, begun: Instant) -> Result<Duration> {
    loop {
        let verdict = replica.check(call).await?;
        match verdict.said() {
            ("deny", "credential_revoked") => return Ok(begun.elapsed()),
            ("allow", "routine") if begun.elapsed() < SOON => {}
            said => return Err(format!("{said:?} after {:?}", begun.elapsed()).into()),
        }
    }
}

#[tokio::test]
async fn what_one_replica_revokes_the_others_refuse_at_once() -> Result<()> {
    let world = World::start().await?;
    let mut longest = Duration::ZERO;
    for round in 0..ROUNDS {
        let name = format!("spiffe://example.org/ns/billing/sa/w{round}");
        let call = Workload::new(&world.issuers, &name, "payments:read")?.call("GET", READ);
        for replica in &world.replicas {
            assert_eq!(replica.check(&call).await?.said(), ("allow", "routine"));
        }
        let at = &world.replicas[round % 3];
        let (one, other) = (&world.replicas[(round + 1) % 3], &world.replicas[(round + 2) % 3]);
        let begun = Instant::now();
        at.operator.revoke(&name).await?;
        assert_eq!(at.check(&call).await?.said(), ("deny", "credential_revoked"));
        let (one, other) = tokio::try_join!(refused_after(one, &call, begun), refused_after(other, &call, begun))?;
        longest = longest.max(one).max(other);
    }
    println!("from the request to revoke to the refusal in the last replica: {longest:?} at most");
    Ok(())
}

#[tokio::test]
async fn a_grant_that_one_replica_gave_is_used_at_the_others() -> Result<()> {
    let world = World::start().await?;
    for replica in &world.replicas {
        assert_eq!(replica.check(&world.plain()?).await?.said(), ("step_up", "attestation_missing"));
    }
    assert_eq!(world.replicas[0].check(&world.attested()?).await?.said(), ("allow", "attested"));
    for replica in &world.replicas {
        assert_eq!(replica.check(&world.plain()?).await?.said(), ("allow", "granted"));
    }
    let other = Holder::new(&world.issuers, BATCH)?;
    assert_eq!(
        world.replicas[1].check(&other.plain("POST", REFUND)?).await?.said(),
        ("step_up", "attestation_missing")
    );
    Ok(())
}

#[tokio::test]
async fn a_task_that_ends_at_one_replica_has_ended_at_all() -> Result<()> {
    let world = World::start().await?;
    assert_eq!(world.replicas[0].check(&world.attested()?).await?.said(), ("allow", "attested"));
    for replica in &world.replicas {
        assert_eq!(replica.check(&world.plain()?).await?.said(), ("allow", "granted"));
    }
    let end = world.web.attested(&world.issuers, "POST", END, TASK)?;
    assert_eq!(world.replicas[1].check(&end).await?.said(), ("task_end", "task_ended"));
    let said = async |replica: &Replica| -> Result<Verdict> { replica.check(&world.plain()?).await };
    assert_eq!(said(&world.replicas[1]).await?.said(), ("step_up", "attestation_missing"));
    for replica in [&world.replicas[0], &world.replicas[2]] {
        replica.soon_says("step_up", "attestation_missing", || world.plain()).await?;
        assert_eq!(said(replica).await?.said(), ("step_up", "attestation_missing"), "it stays so");
    }
    Ok(())
}

#[tokio::test]
async fn a_grant_that_an_operator_ends_at_one_replica_has_ended_at_all() -> Result<()> {
    let world = World::start().await?;
    world.replicas[0].check(&world.attested()?).await?.allowed()?;
    world.replicas[2].check(&world.plain()?).await?.allowed()?;
    let listed = world.replicas[1].operator.send("GET", "/v1/grants", None).await?.json()?;
    let path = format!("/v1/grants/{}", listed["grants"][0]["id"].as_str().ok_or("no grant is listed")?);
    assert_eq!(world.replicas[1].operator.send("DELETE", &path, None).await?.status, 204);
    for replica in &world.replicas {
        replica.soon_says("step_up", "attestation_missing", || world.plain()).await?;
    }
    Ok(())
}
