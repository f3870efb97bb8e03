//! Looks for keys again and again: when they are due, and when somebody asks.

use super::error::KeyError;
use super::keeper::Keeper;
use crate::attestation::KeySet;
use std::time::Duration;
use tokio::time::Instant;

/// Where keys can be fetched.
pub(super) trait Fetch: Send {
    /// The keys as they are now; nothing where they are what they were. `known`: whether what came last is still held.
    fn fetch(&mut self, known: bool) -> impl Future<Output = Result<Option<KeySet>, KeyError>> + Send;
}

/// Follows until dropped.
pub(super) async fn follow(mut fetch: impl Fetch, refresh: Duration, mut keeper: Keeper) {
    loop {
        keeper.begin();
        let fetched = fetch.fetch(keeper.holds_keys()).await;
        keeper.conclude(fetched);
        keeper.wait_until(Instant::now() + keeper.rest(refresh)).await;
    }
}
