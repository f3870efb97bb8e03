//! Revocations: how long until one is in force in all replicas, and that none is lost.
//!
//! Each is of a caller of its own, whom all replicas let in before. From the moment at which the revocation is sent to one
//! replica on, all three are asked every millisecond until each refuses.

use crate::busy::Busy;
use crate::figures::Times;
use crate::support::Result;
use crate::support::authz::{Ask, Authz};
use crate::support::workload::Workload;
use crate::world::{Operator, READ, World};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Storm {
    pub(crate) count: usize,
    pub(crate) in_flight: usize,
    /// Whether the store is killed half way, and comes back empty a second later.
    pub(crate) kills: bool,
}

/// What became of one revocation.
struct Came {
    answered: Duration,
    /// Whether the answer said that all will hear of it; else that the state is away.
    shared: bool,
    refused: Duration,
}

/// Who revokes, and who is asked.
#[derive(Clone)]
struct Round {
    operator: Operator,
    replicas: [Authz; 3],
}

pub(crate) const HEADER: &str = "\
| revocations | in flight | refused by all after, p50 | p99 | max | answered after, p50 | p99 | heard of within 100 ms | answered 503 | lost | other checks/s |
|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|";

/// What is not in force by then is lost.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(1);
const DOWN: Duration = Duration::from_secs(1);

impl Storm {
    /// A line of the table.
    pub(crate) async fn run(self, world: &mut World, name: &str) -> Result<String> {
        let Self { count, in_flight, .. } = self;
        let busy = Busy::start(world)?;
        let all = self.revoke_all(world).await?;
        let checks = busy.stop().await?;
        let (lost, heard) = (lost(world, count).await?, heard_within_100_ms(world).await?);
        let refused: Times = all.iter().map(|came| came.refused).collect();
        let answered: Times = all.iter().map(|came| came.answered).collect();
        let away = all.iter().filter(|came| !came.shared).count();
        Ok(format!(
            "| {count} {name} | {in_flight} | {} | {} | {} | {} | {} | {heard} | {away} | {lost} | {checks:.0} |",
            refused.percentile(50),
            refused.percentile(99),
            refused.max(),
            answered.percentile(50),
            answered.percentile(99),
        ))
    }

    async fn revoke_all(self, world: &mut World) -> Result<Vec<Came>> {
        let (turns, done) = (Arc::new(Semaphore::new(self.in_flight)), Arc::new(AtomicUsize::new(0)));
        let mut revoking = JoinSet::new();
        for number in 0..self.count {
            let ((principal, call), round) = (caller(world, number)?, Round::of(world, number)?);
            let (turns, done) = (Arc::clone(&turns), Arc::clone(&done));
            revoking.spawn(async move {
                let _turn = turns.acquire().await?;
                let came = Box::pin(round.revoke(principal, &call)).await;
                done.fetch_add(1, Ordering::Relaxed);
                came
            });
        }
        if self.kills {
            while done.load(Ordering::Relaxed) < self.count / 2 && !revoking.is_empty() {
                sleep(PAUSE).await;
            }
            world.valkey.kill().await?;
            sleep(DOWN).await;
            world.valkey.start_again().await?;
        }
        let mut all = Vec::with_capacity(self.count);
        while let Some(came) = revoking.join_next().await {
            all.push(came??);
        }
        Ok(all)
    }
}

impl Round {
    /// Each replica in its turn is the one that is told.
    fn of(world: &World, number: usize) -> Result<Self> {
        let [one, two, three] = &*world.replicas else { return Err("three replicas".into()) };
        let told = world.replicas.get(number % 3).ok_or("three replicas")?;
        Ok(Self { operator: told.operator.clone(), replicas: [one, two, three].map(|replica| replica.authz.clone()) })
    }

    async fn revoke(self, principal: String, call: &Ask) -> Result<Came> {
        let [one, two, three] = &self.replicas;
        for replica in &self.replicas {
            replica.check(call).await?.allowed()?;
        }
        let begun = Instant::now();
        let told = async {
            let answer = self.operator.send("POST", "/v1/revocations", Some(json!({ "principal": principal }))).await?;
            match answer.status {
                201 => Ok((begun.elapsed(), true)),
                503 => Ok((begun.elapsed(), false)),
                _ => Err(format!("{answer:?}").into()),
            }
        };
        let ((answered, shared), one, two, three) =
            tokio::try_join!(told, refused(one, call, begun), refused(two, call, begun), refused(three, call, begun))?;
        Ok(Came { answered, shared, refused: one.max(two).max(three) })
    }
}

async fn refused(replica: &Authz, call: &Ask, begun: Instant) -> Result<Duration> {
    while begun.elapsed() < PATIENCE {
        let verdict = replica.check(call).await?;
        if !verdict.is_allowed() {
            let refused = begun.elapsed();
            let ("deny", "credential_revoked") = verdict.said() else { return Err(format!("{verdict:?}").into()) };
            return Ok(refused);
        }
        sleep(PAUSE).await;
    }
    Err("a revocation did not come in force".into())
}

fn caller(world: &World, number: usize) -> Result<(String, Ask)> {
    let principal = format!("spiffe://example.org/ns/load/sa/w{number}");
    let call = Workload::new(&world.issuers, &principal, "payments:read")?.call("GET", READ);
    Ok((principal, call))
}

/// How many are not known to all replicas, one that starts now among them.
async fn lost(world: &World, count: usize) -> Result<usize> {
    let late = world.another().await?;
    let mut known: Option<BTreeSet<String>> = None;
    for replica in world.replicas.iter().chain([&late]) {
        let own = replica.operator.revocations().await?;
        known = Some(known.map_or_else(|| own.clone(), |known| known.intersection(&own).cloned().collect()));
    }
    Ok(count.saturating_sub(known.unwrap_or_default().len()))
}

/// By the replicas' own histograms, from a revocation's being added to the store to its being in force in another replica.
async fn heard_within_100_ms(world: &World) -> Result<String> {
    let (mut soon, mut all) = (0, 0);
    for replica in &world.replicas {
        soon += replica.stepgate.count("stepgate_revocation_lag_seconds_bucket", &[("le", "0.1")]).await?;
        all += replica.stepgate.count("stepgate_revocation_lag_seconds_count", &[]).await?;
    }
    Ok(format!("{soon} of {all}"))
}
