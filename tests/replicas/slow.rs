//! A store that stands still and keeps its connections: worse than none, since whoever asks it waits.

use crate::support::Result;
use crate::support::authz::Ask;
use crate::support::verdict::Verdict;
use crate::world::{BATCH, READ, Replica, World};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use tonic::Request;

const STANDSTILL: Duration = Duration::from_secs(2);
/// Wide, for a busy machine; Envoy's own is 200 ms.
const DEADLINE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(10);

/// What calls of one kind came to.
struct Told {
    longest: Duration,
    reasons: BTreeSet<String>,
}

/// One call after the other for as long as the store stands still.
async fn call(replica: &Replica, mut next: impl FnMut() -> Result<Ask>) -> Result<Told> {
    let (begun, mut told) = (Instant::now(), Told { longest: Duration::ZERO, reasons: BTreeSet::new() });
    while begun.elapsed() < STANDSTILL {
        let mut request = Request::new(next()?.to_check_request());
        request.set_timeout(DEADLINE);
        let sent = Instant::now();
        // A deadline that passes is an error here.
        let verdict: Verdict = replica.authz.send(request).await?;
        told.longest = told.longest.max(sent.elapsed());
        told.reasons.insert(verdict.said().1.to_owned());
        sleep(PAUSE).await;
    }
    Ok(told)
}

/// Routine calls, calls with evidence, and calls under a grant, all at once.
async fn call_all_ways(world: &World, replica: &Replica) -> Result<[Told; 3]> {
    let routine = call(replica, || world.web.plain("GET", READ));
    let (routine, proven, granted) =
        tokio::try_join!(routine, call(replica, || world.attested()), call(replica, || world.plain()))?;
    Ok([routine, proven, granted])
}

#[tokio::test]
async fn no_call_waits_long_for_a_store_that_stands_still() -> Result<()> {
    let world = World::start().await?;
    let [one, two, three] = &*world.replicas else { return Err("three replicas".into()) };
    one.check(&world.attested()?).await?.allowed()?;

    world.valkey.pause().await?;
    let [first, second, third] = [one, two, three].map(|replica| call_all_ways(&world, replica));
    let told = <[_; 3]>::from(tokio::try_join!(first, second, third)?);
    let mut longest = Duration::ZERO;
    for [routine, proven, granted] in told {
        assert_eq!(routine.reasons, ["routine".to_owned()].into());
        assert_eq!(proven.reasons, ["state_unavailable".to_owned()].into());
        assert!(
            !granted.reasons.contains("granted"),
            "a proof of it could pass at another, too: {:?}",
            granted.reasons
        );
        longest = longest.max(routine.longest).max(proven.longest).max(granted.longest);
    }
    println!("the longest call while the store stood still: {longest:?}");
    let revoked = one.operator.revoke(BATCH).await;
    assert!(revoked.is_err_and(|why| why.to_string().contains("state_away")), "nobody else can have heard of it");
    let ids: Vec<_> = one.operator.revocations().await?.into_iter().collect();
    assert_eq!(ids.len(), 1, "it counts here");

    world.valkey.resume().await?;
    world.all_know(&ids).await?;
    world.all_say_state(true).await?;
    for replica in &world.replicas {
        replica.soon_says("allow", "attested", || world.attested()).await?;
    }
    Ok(())
}
