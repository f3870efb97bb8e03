//! Single use: a proof passes once in all replicas together.

use crate::support::Result;
use crate::support::authz::{Ask, Authz};
use crate::world::World;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

const PROOFS: usize = 300;
/// At a time; each is shown three times.
const IN_FLIGHT: usize = 8;

/// What three replicas said to one proof.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Told {
    passed: usize,
    replayed: usize,
    /// Not in time to know.
    untold: usize,
}

async fn show(call: Ask, replicas: [Authz; 3], turns: Arc<Semaphore>) -> Result<Told> {
    let _turn = turns.acquire().await?;
    let [one, two, three] = &replicas;
    let (one, two, three) = tokio::try_join!(one.check(&call), two.check(&call), three.check(&call))?;
    let mut told = Told::default();
    for verdict in [one, two, three] {
        match verdict.said() {
            ("allow", "attested") => told.passed += 1,
            ("deny", "proof_replayed") => told.replayed += 1,
            ("deny", "state_unavailable") => told.untold += 1,
            said => return Err(format!("{said:?}").into()),
        }
    }
    Ok(told)
}

#[tokio::test]
async fn a_proof_that_is_shown_to_all_replicas_at_once_passes_at_one() -> Result<()> {
    let world = World::start().await?;
    let turns = Arc::new(Semaphore::new(IN_FLIGHT));
    let mut showing = JoinSet::new();
    for _ in 0..PROOFS {
        let replicas = [0, 1, 2].map(|index: usize| world.replicas[index].authz.clone());
        showing.spawn(show(world.attested()?, replicas, Arc::clone(&turns)));
    }
    let mut none = 0;
    while let Some(shown) = showing.join_next().await {
        let told = shown??;
        // The first to come may have been counted, and told too late: then it passes nowhere.
        assert!(told.passed == 1 || told.passed == 0 && told.untold > 0, "{told:?}");
        none += usize::from(told.passed == 0);
    }
    println!("{PROOFS} proofs, each shown to three replicas at once: {none} passed nowhere, all others once");
    assert!(none < PROOFS / 2, "{none} passed nowhere");
    Ok(())
}

/// Not only at once.
#[tokio::test]
async fn a_proof_that_passed_is_refused_later_and_everywhere() -> Result<()> {
    let world = World::start().await?;
    let call = world.attested()?;
    assert_eq!(world.replicas[0].check(&call).await?.said(), ("allow", "attested"));
    for replica in world.replicas.iter().chain([&world.another().await?]) {
        assert_eq!(replica.check(&call).await?.said(), ("deny", "proof_replayed"));
    }
    Ok(())
}
