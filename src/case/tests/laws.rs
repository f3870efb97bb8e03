//! What holds whatever a policy says and whatever is sent: laws over generated policies, callers, memories and requests,
//! driven through a real case.
//!
//! `PROPTEST_CASES=20000 cargo test --lib laws::` looks longer; without it, 256 of each are looked at.
//!
//! Where the language of policies makes an exception unavoidable, it stands with the law that it limits, and as a test of
//! its own.

mod added;
mod anomaly;
mod calls;
mod excepted;
mod hints;
mod identities;
mod loops;
mod memory;
mod names;
mod order;
mod paths;
mod policies;
mod removed;
mod routes;
mod rules;
mod scene;
mod shadow;
mod signals;
mod teams;
mod thief;

use proptest::prelude::*;
use std::fmt::Debug;

const METHODS: [&str; 3] = ["GET", "POST", "DELETE"];
/// The last two are elevated.
const SCOPES: [&str; 4] = ["read", "write", "refund", "admin:x"];

fn one_of<T: Clone + Debug + 'static>(all: &[T]) -> impl Strategy<Value = T> + use<T> {
    prop::sample::select(all.to_vec())
}

fn some_of<T: Clone + Debug + 'static>(all: &[T]) -> impl Strategy<Value = Vec<T>> + use<T> {
    prop::sample::subsequence(all.to_vec(), 0..=all.len())
}
