//! Revocations, when all is well.

use super::world::{KEEP, Replica, Server, Shifted, now, revocation};
use crate::revocation::{Issued, Revocation, RevocationId};
use crate::time::Ttl;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revocation_in_one_replica_is_in_force_in_the_other() {
    let server = Server::start();
    let (one, other) = (Replica::start(&server.url()).up().await, Replica::start(&server.url()).up().await);
    assert!(other.revoked.in_force().is_whole() && *other.valkey.read().borrow());
    one.revoke("a").await.unwrap();
    other.knows_soon("a").await;
    other.revoke("b").await.unwrap();
    one.knows_soon("b").await;
    assert_eq!((one.meter.lag.get_sample_count(), other.meter.lag.get_sample_count()), (1, 1));
    assert_eq!((one.meter.up.get(), other.meter.up.get()), (1, 1));
    let late = Replica::start(&server.url()).up().await;
    assert!(late.knows("a") && late.knows("b"));
    assert_eq!(late.meter.lag.get_sample_count(), 0, "what was read at the start came late for other reasons");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_there_within_a_tenth_of_a_second() {
    let server = Server::start();
    let (one, other) = (Replica::start(&server.url()).up().await, Replica::start(&server.url()).up().await);
    let mut took = Vec::new();
    for number in 0..21 {
        let (id, begun) = (format!("r{number}"), Instant::now());
        one.revoke(&id).await.unwrap();
        other.knows_soon(&id).await;
        took.push(begun.elapsed());
    }
    took.sort_unstable();
    assert!(took[10] < Duration::from_millis(100), "{took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_that_write_at_once_make_one_chain() {
    let server = Server::start();
    let url = server.url();
    let replicas = [Replica::start(&url).up().await, Replica::start(&url).up().await, Replica::start(&url).up().await];
    let replicas = Arc::new(replicas);
    let mut writing = tokio::task::JoinSet::new();
    for (who, number) in (0..3).flat_map(|who| (0..60).map(move |number| (who, number))) {
        let replicas = Arc::clone(&replicas);
        writing.spawn(async move {
            let _ = replicas[who].revoke(&format!("r{who}-{number}")).await; // one that is late comes later
        });
    }
    writing.join_all().await;
    for (who, number) in (0..3).flat_map(|who| (0..60).map(move |number| (who, number))) {
        for replica in replicas.iter() {
            replica.knows_soon(&format!("r{who}-{number}")).await;
        }
    }
    server.holds_soon(180).await;
    let late = Replica::start(&url).up().await;
    assert_eq!(late.revoked.records().len(), 180);
}

/// A key that leaves its set is noticed by every replica.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_all_replicas_say_stands_once() {
    let server = Server::start();
    let (one, other) = (Replica::start(&server.url()).up().await, Replica::start(&server.url()).up().await);
    let (first, second) = tokio::join!(one.revoke("same"), other.revoke("same"));
    assert!(first.is_ok() && second.is_ok());
    one.revoke("end").await.unwrap();
    other.knows_soon("end").await;
    assert_eq!(server.length().await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_revoked_while_the_store_was_away_is_shared_when_it_is_back() {
    let mut server = Server::start();
    let (one, other) = (Replica::start(&server.url()).up().await, Replica::start(&server.url()).up().await);
    server.kill();
    one.wait_until("it is down", |own| !own.valkey.is_up()).await;
    assert!(one.revoke("away").await.is_err());
    assert!(one.knows("away") && !other.knows("away"));
    server.start_again();
    other.knows_soon("away").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_starts_without_the_store_knows_that_it_knows_nothing() {
    let mut server = Server::start();
    server.kill();
    let one = Replica::start(&server.url());
    assert!(one.revoke("early").await.is_err());
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!one.valkey.is_up() && !one.revoked.in_force().is_whole() && !*one.valkey.read().borrow());
    server.start_again();
    let one = one.up().await;
    assert!(one.revoked.in_force().is_whole());
    server.holds_soon(1).await;
    server.kill();
    one.wait_until("it is down", |own| !own.valkey.is_up()).await;
    assert!(one.revoked.in_force().is_whole(), "what it knows is all there was");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_that_are_too_old_leave_the_store() {
    let server = Server::start();
    let then = KEEP.plus(Ttl::from_secs(1_000));
    let old = Replica::with(&server.url(), &"ab".repeat(32), Shifted::back(then)).up().await;
    let one = Revocation { not_before: now().minus(then), ..revocation("old") };
    old.valkey.share(&old.revoked.add([one.clone()])).await.unwrap();
    old.valkey.share(&old.revoked.add([Revocation { id: id("older"), ..one }])).await.unwrap();
    // A clock that is so wrong lets nothing leave.
    assert_eq!(server.length().await, 2);
    drop(old);
    let present = Replica::start(&server.url()).up().await;
    assert!(!present.knows("old") && present.revoked.in_force().is_whole());
    present.revoke("new").await.unwrap();
    present.revoke("newer").await.unwrap();
    assert_eq!(server.length().await, 2);
    let late = Replica::start(&server.url()).up().await;
    assert!(late.knows("new") && late.knows("newer") && late.revoked.records().len() == 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_revoked_from_a_time_that_is_yet_to_come() {
    let server = Server::start();
    let day = Ttl::from_secs(86_400);
    let ahead = Replica::with(&server.url(), &"ab".repeat(32), Shifted::ahead(day)).up().await;
    let present = Replica::start(&server.url()).up().await;
    let tomorrow = Revocation { not_before: now().plus(day), ..revocation("tomorrow") };
    ahead.valkey.share(&ahead.revoked.add([tomorrow])).await.unwrap();
    present.knows_soon("tomorrow").await;
    let known = present.revoked.records().remove(0);
    assert!(known.not_before <= now().plus(Ttl::from_secs(60)) && known.not_before >= now());
}

/// What it took for too old to matter does when the clock is set right.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_read_with_a_clock_that_was_ahead_lets_nothing_pass_that_was_revoked() {
    let server = Server::start();
    let one = Replica::start(&server.url()).up().await;
    one.revoke("a").await.unwrap();
    let ahead = Shifted::ahead(KEEP.plus(Ttl::from_secs(1_000)));
    let other = Replica::with(&server.url(), &"ab".repeat(32), ahead).up().await;
    let before = now().minus(Ttl::from_secs(60));
    let what = Issued { at: Some(before), principals: &["web"], attester: None, task: Some("a"), keys: &[] };
    assert!(!other.knows("a") && other.revoked.in_force().is_void(&what, now()));
}

fn id(text: &str) -> RevocationId {
    RevocationId::parse(text).unwrap()
}
