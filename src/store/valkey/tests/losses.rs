//! A store that lost what it had: whoever knows puts it back.

use super::super::stream::KEY;
use super::world::{Replica, Server};
use redis::Value;
use std::time::Duration;

async fn two_with(server: &Server, ids: &[&str]) -> (Replica, Replica) {
    let (one, other) = (Replica::start(&server.url()).up().await, Replica::start(&server.url()).up().await);
    for id in ids {
        one.shares(id).await;
        other.knows_soon(id).await;
    }
    (one, other)
}

async fn is_whole_for_who_comes(server: &Server, ids: &[&str]) {
    server.holds_soon(ids.len()).await;
    let late = Replica::start(&server.url()).up().await;
    assert!(ids.iter().all(|id| late.knows(id)));
    assert_eq!(late.revoked.records().len(), ids.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_comes_back_empty_is_filled_again() {
    let mut server = Server::start();
    let (one, other) = two_with(&server, &["a", "b", "c"]).await;
    server.kill();
    server.start_again();
    let (one, other) = (one.up().await, other.up().await);
    is_whole_for_who_comes(&server, &["a", "b", "c"]).await;
    one.shares("d").await;
    other.knows_soon("d").await;
    is_whole_for_who_comes(&server, &["a", "b", "c", "d"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_was_deleted_under_us_is_filled_again() {
    let server = Server::start();
    let (_one, _other) = two_with(&server, &["a", "b"]).await;
    server.say(&["FLUSHALL"]).await;
    is_whole_for_who_comes(&server, &["a", "b"]).await;
}

/// As when a copy of the store takes over that had not heard all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_that_a_failover_lost_is_put_back() {
    let server = Server::start();
    let (_one, _other) = two_with(&server, &["a", "b", "c", "d"]).await;
    server.keep_first(2).await;
    is_whole_for_who_comes(&server, &["a", "b", "c", "d"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_that_somebody_deleted_is_put_back() {
    let server = Server::start();
    let (_one, _other) = two_with(&server, &["a", "b", "c"]).await;
    assert_eq!(server.say(&["XDEL", KEY, "3-0", "2-0"]).await, Value::Int(2));
    is_whole_for_who_comes(&server, &["a", "b", "c"]).await;
    assert_eq!(server.say(&["XTRIM", KEY, "MAXLEN", "0"]).await, Value::Int(3));
    is_whole_for_who_comes(&server, &["a", "b", "c"]).await;
}

/// Nobody is left who knows what it was: who starts then can't tell, but that something was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_starts_with_a_stream_that_lost_its_end_does_not_believe_it() {
    let server = Server::start();
    let (one, other) = two_with(&server, &["a", "b"]).await;
    drop((one, other));
    server.say(&["XDEL", KEY, "2-0"]).await;
    let late = Replica::start(&server.url());
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!late.valkey.is_up() && !late.revoked.in_force().is_whole() && late.knows("a"));
    server.say(&["DEL", KEY]).await;
    late.up().await;
    is_whole_for_who_comes(&server, &["a"]).await;
}

/// Each may have added something to its own half of a store that fell apart.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_either_half_was_told_is_known_in_the_end() {
    let (left, mut right) = (Server::start(), Server::start());
    let one = Replica::start(&left.url()).up().await;
    one.shares("common").await;
    right.follow(&left).await;
    let other = Replica::start(&right.url());
    other.wait_until("it read", |own| own.knows("common")).await;
    right.stand_alone().await;
    let other = other.up().await;
    one.shares("left").await;
    other.shares("right").await;
    right.follow(&left).await;
    // Now it takes nothing that is written; what it holds has parted from what `other` remembers.
    other.knows_soon("left").await;
    right.stand_alone().await;
    let other = other.up().await;
    is_whole_for_who_comes(&right, &["common", "left", "right"]).await;
    right.kill();
    drop(other);
}

/// Thousands, over three replicas and a store that dies twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn none_of_very_many_is_lost_with_a_store_that_dies() {
    const ALL: usize = 4_000;
    let mut server = Server::start();
    let url = server.url();
    let replicas = [Replica::start(&url).up().await, Replica::start(&url).up().await, Replica::start(&url).up().await];
    for batch in 0..20 {
        let many = (0..ALL / 20).map(|number| super::world::revocation(&format!("r{batch}-{number}")));
        let replica = &replicas[batch % 3];
        let _ = replica.valkey.share(&replica.revoked.add(many)).await; // what can't be shared now is shared later
        if batch == 7 || batch == 14 {
            server.kill();
            server.start_again();
        }
    }
    for replica in &replicas {
        while replica.revoked.records().len() < ALL {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    server.holds_soon(ALL).await;
    let late = Replica::start(&url).up().await;
    assert_eq!(late.revoked.records().len(), ALL);
}
