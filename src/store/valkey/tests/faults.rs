//! A store that is slow, full, or cut off: nobody waits long, nothing is lost, and nothing passes twice.

use super::super::{Away, StateOp, StateOutcome, Valkey};
use super::proxy::Proxy;
use super::world::{Replica, Server, now, surely};
use crate::attestation::Thumbprint;
use crate::case::{Reach, Spending, Spent};
use crate::policy::OnStateLoss;
use crate::time::Ttl;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

fn spending(name: &str) -> Spending {
    Spending {
        key: Thumbprint::of(name.as_bytes()),
        until: now().plus(Ttl::from_secs(60)),
        reach: Reach::Replicas(OnStateLoss::Deny),
    }
}

async fn spend(valkey: &Valkey, name: &str) -> Result<Spent, Away> {
    valkey.spend(spending(name), now()).await
}

/// A proof that passes. One that was late may have been recorded, and is not shown again.
async fn passes(valkey: &Valkey) -> String {
    surely(async || {
        let name = format!("proof {}", NEXT.fetch_add(1, Ordering::Relaxed));
        let spent = spend(valkey, &name).await?;
        assert_eq!(spent, Spent::First);
        Ok(name)
    })
    .await
}

static NEXT: AtomicUsize = AtomicUsize::new(0);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_for_a_store_that_stands_still() {
    let server = Server::start();
    let one = Replica::start(&server.url()).up().await;
    let before = passes(&one.valkey).await;
    server.pause();
    let paused = Instant::now();
    let mut waited = Vec::new();
    while paused.elapsed() < Duration::from_secs(2) {
        let begun = Instant::now();
        assert_eq!(spend(&one.valkey, &format!("p{}", waited.len())).await, Err(Away));
        waited.push(begun.elapsed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // One that waits longer than that waits for the machine that this test runs on.
    waited.sort_unstable();
    assert!(waited[waited.len() * 9 / 10] < Duration::from_millis(150), "{waited:?}");
    assert!(one.revoke("still").await.is_err());
    assert!(one.counted(StateOp::Spend, StateOutcome::Open) > 0, "the circuit opened");
    server.resume();
    let one = one.up().await;
    passes(&one.valkey).await;
    assert_eq!(surely(async || spend(&one.valkey, &before).await).await, Spent::Replayed);
    server.holds_soon(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_full_is_away_until_it_has_room() {
    let server = Server::start();
    let one = Replica::start(&server.url()).up().await;
    server.say(&["CONFIG", "SET", "maxmemory", "1"]).await;
    assert_eq!(spend(&one.valkey, "a").await, Err(Away));
    one.wait_until("it is down", |own| !own.valkey.is_up()).await;
    assert!(one.revoke("full").await.is_err());
    server.say(&["CONFIG", "SET", "maxmemory", "0"]).await;
    let one = one.up().await;
    passes(&one.valkey).await;
    server.holds_soon(1).await;
}

/// Wherever an answer breaks off: what was revoked is known to the others in the end, and of a proof that passed once the
/// others know.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_may_break_at_any_byte() {
    let server = Server::start();
    let watcher = Replica::start(&server.url()).up().await;
    let offsets = (0..24).chain((24..1_500).step_by(61));
    let mut breaking = tokio::task::JoinSet::new();
    for offset in offsets {
        let address = server.address();
        breaking.spawn(async move {
            let proxy = Proxy::to(address).await;
            let one = Replica::start(&proxy.url()).up().await;
            proxy.cut_after(offset);
            let id = format!("r{offset}");
            let (_, spent) = tokio::join!(one.revoke(&id), spend(&one.valkey, &id));
            let one = one.up().await;
            (offset, id, spent, one, proxy)
        });
    }
    while let Some(broken) = breaking.join_next().await {
        let (offset, id, spent, _one, _proxy) = broken.unwrap();
        watcher.knows_soon(&id).await;
        let again = spend(&watcher.valkey, &id).await;
        assert!((spent, again) != (Ok(Spent::First), Ok(Spent::First)), "at {offset}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_all_who_show_a_proof_at_once_one_passes() {
    const PROOFS: usize = 200;
    let server = Server::start();
    let url = server.url();
    let replicas = [Replica::start(&url).up().await, Replica::start(&url).up().await, Replica::start(&url).up().await];
    let mut showing = tokio::task::JoinSet::new();
    for (number, who) in (0..PROOFS).flat_map(|number| (0..9).map(move |who| (number, who))) {
        let valkey = replicas[who % 3].valkey.clone();
        showing.spawn(async move { (number, spend(&valkey, &format!("p{number}")).await) });
    }
    let mut passed = vec![0; PROOFS];
    while let Some(shown) = showing.join_next().await {
        let (number, spent) = shown.unwrap();
        passed[number] += usize::from(spent == Ok(Spent::First));
    }
    assert!(passed.iter().all(|times| *times <= 1), "{passed:?}");
    // On a machine that is busy a first one may have been late, and then none passes.
    assert!(passed.iter().sum::<usize>() > PROOFS / 2, "{passed:?}");
}

/// Calls come from the runtimes of workers, which are not the follower's, and may outlive its being held up.
#[test]
fn a_follower_that_is_held_up_costs_calls_no_more_than_their_patience() {
    let server = Server::start();
    let control = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let worker = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let one = control.block_on(async { Replica::start(&server.url()).up().await });
    worker.block_on(passes(&one.valkey));
    let held = control.spawn(async { std::thread::sleep(Duration::from_millis(600)) });
    std::thread::sleep(Duration::from_millis(50));
    let begun = Instant::now();
    assert_eq!(worker.block_on(spend(&one.valkey, "b")), Err(Away));
    assert!(begun.elapsed() < Duration::from_millis(300));
    control.block_on(held).unwrap();
    let one = control.block_on(one.up());
    worker.block_on(passes(&one.valkey));
}
