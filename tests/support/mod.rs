//! What the integration tests and the demo put around stepgate: keys, certificates, an upstream, a real Envoy.
//!
//! Everything listens on ephemeral loopback ports or on Unix sockets in a temporary folder, and ends with the
//! value that started it. Nothing here panics: the demo uses it too, and names what went wrong.

#![allow(dead_code, unreachable_pub, reason = "each test target, and the demo, uses its own part of this")]

pub mod answer;
pub mod authz;
pub mod certificates;
pub mod child;
pub mod envoy;
pub mod gate;
pub mod held;
pub mod holder;
pub mod issuers;
pub mod mesh;
pub mod serving;
pub mod stepgate;
pub mod upstream;
pub mod valkey;
pub mod verdict;
pub mod wait;
pub mod workload;

use ::stepgate::clock::{Clock, SystemClock};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

/// Unix seconds.
pub fn now() -> u64 {
    SystemClock.now().as_secs()
}

/// A file of the repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The start of every HTTP client: loopback only, so no proxy; what takes ten seconds hangs.
pub fn http() -> reqwest::ClientBuilder {
    reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10))
}
