//! With a real Valkey. It is started by the tests: `VALKEY` names the binary, or it lies in `.tools/`.

mod world;

use super::*;
use world::{Replica, Server};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revocation_in_one_replica_is_in_force_in_the_other() {
    let server = Server::start();
    let (one, other) = (Replica::start(&server.url()).up().await, Replica::start(&server.url()).up().await);
    assert!(other.revoked.in_force().is_whole());
    one.revoke("a").await.unwrap();
    other.knows_soon("a").await;
    other.revoke("b").await.unwrap();
    one.knows_soon("b").await;
    let late = Replica::start(&server.url()).up().await;
    assert!(late.knows("a") && late.knows("b"));
}
