//! Single use: each proof is shown to all replicas at once, and passes at one.
//!
//! A proof lives for a minute, so they are signed and shown in batches; only the showing counts as time.

use crate::figures::{Times, per_second};
use crate::support::Result;
use crate::support::authz::{Ask, Authz};
use crate::support::holder::Holder;
use crate::support::issuers::Issuers;
use crate::world::{REFUND, TASK, World};
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::Instant;

const BATCH: usize = 10_000;
/// Proofs; of calls, three times as many.
const IN_FLIGHT: usize = 8;
const SIGNERS: usize = 2;

/// What all proofs came to.
#[derive(Debug, Default)]
struct Tally {
    once: usize,
    /// And somebody was told that nobody can say.
    nowhere: usize,
    /// What must not be.
    twice: usize,
    times: Vec<Duration>,
}

/// What was shown and what came of it, as a table.
pub(crate) async fn show(world: &World, proofs: usize) -> Result<String> {
    let (mut all, mut elapsed, mut left) = (Tally::default(), Duration::ZERO, proofs);
    while left > 0 {
        let calls = sign(&world.web, &world.issuers, left.min(BATCH))?;
        left -= calls.len();
        let begun = Instant::now();
        all.add(show_all(world, calls).await?);
        elapsed += begun.elapsed();
    }
    let Tally { once, nowhere, twice, times } = all;
    let (per_second, times) = (per_second(3 * proofs, elapsed), times.into_iter().collect::<Times>());
    Ok(format!(
        "| proofs | each shown to | passed once | nowhere | twice | checks/s | p50 | p99 | max |\n\
         |--:|--:|--:|--:|--:|--:|--:|--:|--:|\n\
         | {proofs} | 3 | {once} | {nowhere} | {twice} | {per_second:.0} | {} | {} | {} |",
        times.percentile(50),
        times.percentile(99),
        times.max(),
    ))
}

/// Calls with an attestation that is remembered and a proof that nobody has seen.
fn sign(web: &Holder, issuers: &Issuers, count: usize) -> Result<Vec<Ask>> {
    let attested = web.attested(issuers, "POST", REFUND, TASK)?;
    let attestation = attested.value("oauth-client-attestation").ok_or("no attestation")?;
    let some = |count: usize| -> Result<Vec<Ask>> {
        (0..count).map(|_| Ok(web.plain("POST", REFUND)?.header("oauth-client-attestation", attestation))).collect()
    };
    thread::scope(|scope| {
        let signing: Vec<_> =
            (0..SIGNERS).map(|signer| scope.spawn(move || some((count + signer) / SIGNERS))).collect();
        let signed = signing.into_iter().map(|one| one.join().map_err(|_| "a thread that signs panicked")?);
        Ok(signed.collect::<Result<Vec<_>>>()?.concat())
    })
}

async fn show_all(world: &World, calls: Vec<Ask>) -> Result<Tally> {
    let [one, two, three] = &*world.replicas else { return Err("three replicas".into()) };
    let (calls, mut showing) = (Arc::new(Mutex::new(calls)), JoinSet::new());
    for _ in 0..IN_FLIGHT {
        let replicas = [one, two, three].map(|replica| replica.authz.clone());
        showing.spawn(show_some(replicas, Arc::clone(&calls)));
    }
    let mut all = Tally::default();
    while let Some(shown) = showing.join_next().await {
        all.add(shown??);
    }
    Ok(all)
}

/// One after the other, until none is left.
async fn show_some(replicas: [Authz; 3], calls: Arc<Mutex<Vec<Ask>>>) -> Result<Tally> {
    let [one, two, three] = &replicas;
    let mut tally = Tally::default();
    loop {
        let Some(call) = calls.lock().await.pop() else { return Ok(tally) };
        let told = tokio::try_join!(ask(one, &call), ask(two, &call), ask(three, &call))?;
        tally.count(<[_; 3]>::from(told));
    }
}

/// Whether it passed, how long that took, and an error where it failed for another reason than it should.
async fn ask(replica: &Authz, call: &Ask) -> Result<(Duration, Passage)> {
    let begun = Instant::now();
    let verdict = replica.check(call).await?;
    let passage = match verdict.said() {
        ("allow", "attested") => Passage::Passed,
        ("deny", "proof_replayed") => Passage::Replayed,
        ("deny", "state_unavailable") => Passage::Untold,
        said => return Err(format!("{said:?}").into()),
    };
    Ok((begun.elapsed(), passage))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Passage {
    Passed,
    Replayed,
    /// The store did not answer in time.
    Untold,
}

impl Tally {
    fn count(&mut self, told: [(Duration, Passage); 3]) {
        match told.iter().filter(|(_, passage)| *passage == Passage::Passed).count() {
            0 => self.nowhere += 1,
            1 => self.once += 1,
            _ => self.twice += 1,
        }
        self.times.extend(told.map(|(time, _)| time));
    }

    fn add(&mut self, other: Self) {
        let Self { once, nowhere, twice, times } = other;
        self.once += once;
        self.nowhere += nowhere;
        self.twice += twice;
        self.times.extend(times);
    }
}
