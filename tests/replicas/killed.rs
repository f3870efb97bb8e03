//! A replica that is killed: what it answered 201 is known to all, itself included.

use crate::support::Result;
use crate::world::{Operator, Replica, World};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::task::JoinSet;

/// At the same time.
const OPERATORS: usize = 8;
/// How many have been answered when it ends.
const BEFORE_THE_END: usize = 60;

/// Revokes one after the other until the replica is gone; those that it said are shared.
async fn revoke(operator: Operator, name: String, done: Arc<AtomicUsize>) -> Vec<String> {
    let mut ids = Vec::new();
    while let Ok(id) = operator.revoke(&format!("spiffe://example.org/ns/{name}/sa/{}", ids.len())).await {
        ids.push(id);
        done.fetch_add(1, Ordering::Relaxed);
    }
    ids
}

#[tokio::test]
async fn what_a_replica_answered_before_it_was_killed_is_known_to_all() -> Result<()> {
    let mut world = World::start().await?;
    let done = Arc::new(AtomicUsize::new(0));
    let mut revoking = JoinSet::new();
    for index in 0..OPERATORS {
        revoking.spawn(revoke(world.replicas[0].operator.clone(), format!("n{index}"), Arc::clone(&done)));
    }
    while done.load(Ordering::Relaxed) < BEFORE_THE_END && !revoking.is_empty() {
        tokio::task::yield_now().await;
    }
    let mut killed = world.replicas.remove(0);
    killed.stepgate.kill().await?;
    let ids = revoking.join_all().await.concat();
    assert!(ids.len() >= BEFORE_THE_END, "{}", ids.len());
    world.all_know(&ids).await?;
    killed.stepgate.start_again().await?;
    world.replicas.insert(0, Replica::of(killed.stepgate).await?);
    world.all_know(&ids).await?;
    world.another().await?.knows_soon(&ids).await
}
