//! A store that holds what nobody with a key wrote: nothing more is believed, and what is known stays in force.

use super::super::stream::KEY;
use super::world::{Replica, Server};
use std::time::Duration;

const TAG: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

async fn one_with(server: &Server, ids: &[&str]) -> Replica {
    let one = Replica::start(&server.url()).up().await;
    for id in ids {
        one.shares(id).await;
    }
    one
}

/// What it knew is in force, what is revoked here too, and after the stream was deleted all is shared again.
async fn is_disbelieved_until_it_is_deleted(server: &Server, one: Replica) {
    one.wait_until("it is not believed", |own| !own.valkey.is_up()).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!one.valkey.is_up() && one.meter.up.get() == 0);
    assert!(one.revoked.in_force().is_whole() && one.knows("a") && one.knows("b") && one.knows("c"));
    assert!(one.revoke("here").await.is_err() && one.knows("here"));
    let late = Replica::start(&server.url());
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!late.valkey.is_up() && !late.revoked.in_force().is_whole());
    server.say(&["DEL", KEY]).await;
    let _one = one.up().await;
    late.knows_soon("here").await;
    assert!(late.up().await.knows("a"));
    server.holds_soon(4).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_without_our_seal_is_not_believed() {
    let server = Server::start();
    let one = one_with(&server, &["a", "b", "c"]).await;
    let (_, last) = server.last().await;
    let record = r#"{"id":"x","kind":"all","value":null,"not_before":1,"source":"operator","reason":null}"#;
    let (key, previous) = (last["key"].clone(), last["tag"].clone());
    let fields = ["base", "1", "at", "1", "previous", &previous, "key", &key, "tag", TAG, "record", record];
    server.say(&[&["XADD", KEY, "4-0"], &fields[..]].concat()).await;
    is_disbelieved_until_it_is_deleted(&server, one).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_of_no_kind_is_not_believed() {
    let server = Server::start();
    let one = one_with(&server, &["a", "b", "c"]).await;
    server.say(&["XADD", KEY, "*", "hello", "world"]).await;
    is_disbelieved_until_it_is_deleted(&server, one).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_that_was_taken_out_is_missed() {
    let server = Server::start();
    let one = one_with(&server, &["a", "b", "c"]).await;
    server.say(&["XDEL", KEY, "2-0"]).await;
    is_disbelieved_until_it_is_deleted(&server, one).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_entry_is_missed_too() {
    let server = Server::start();
    let one = one_with(&server, &["a", "b", "c"]).await;
    server.say(&["XTRIM", KEY, "MINID", "2-0"]).await;
    is_disbelieved_until_it_is_deleted(&server, one).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_last_entry_that_was_changed_is_noticed() {
    let server = Server::start();
    let one = one_with(&server, &["a", "b", "c"]).await;
    let (_, mut last) = server.last().await;
    last.insert("record".into(), last["record"].replace('c', "d"));
    server.put_instead_of_last(&last).await;
    is_disbelieved_until_it_is_deleted(&server, one).await;
}

/// As large as a store takes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_that_would_fill_our_memory_is_not_read_to_its_end() {
    let server = Server::start();
    let one = one_with(&server, &["a", "b", "c"]).await;
    let huge = "x".repeat(40 * 1024 * 1024);
    server.say(&["XADD", KEY, "4-0", "record", &huge]).await;
    is_disbelieved_until_it_is_deleted(&server, one).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_something_else_is_not_believed() {
    let server = Server::start();
    let one = one_with(&server, &["a", "b", "c"]).await;
    server.say(&["SET", KEY, "1"]).await;
    is_disbelieved_until_it_is_deleted(&server, one).await;
}

/// The first key seals and all verify, as for challenges.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_lacks_a_key_waits_until_it_has_it() {
    let server = Server::start();
    let (old, new) = ("11".repeat(32), "22".repeat(32));
    let before = Replica::with_keys(&server.url(), &old).up().await;
    before.shares("a").await;
    let stranger = Replica::with_keys(&server.url(), &new);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!stranger.valkey.is_up() && !stranger.knows("a"));
    stranger.keys.store(super::world::keys(&format!("{new}\n{old}")));
    let rotated = stranger.up().await;
    assert!(rotated.knows("a"));
    // What it seals with the new key is not believed by who has only the old one, until it has both.
    rotated.shares("b").await;
    before.wait_until("it is down", |own| !own.valkey.is_up()).await;
    before.keys.store(super::world::keys(&format!("{old}\n{new}")));
    before.knows_soon("b").await;
    // Given up altogether, it is what replicas know that counts, under the keys of now.
    let (before, rotated) = (before.up().await, rotated);
    before.keys.store(super::world::keys(&new));
    rotated.keys.store(super::world::keys(&new));
    server.say(&["DEL", KEY]).await;
    server.holds_soon(2).await;
    assert!(Replica::with_keys(&server.url(), &new).up().await.knows("a"));
}
