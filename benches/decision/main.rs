//! What one decision costs in process, from a `CheckRequest` to the answer: a routine one, and one that checks a fresh proof.
//! Ratios are what counts; see `BENCHMARKS.md`.

#[path = "../load/bare.rs"]
mod bare;
#[path = "../load/message.rs"]
#[expect(dead_code, reason = "the load's own needs")]
mod message;
mod policy;
mod routine;
mod verification;
#[path = "../load/workload.rs"]
#[expect(dead_code, reason = "the load's own needs")]
mod workload;
mod world;

use criterion::{criterion_group, criterion_main};

/// As the binary has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub(crate) type Result<T, E = Box<dyn std::error::Error + Send + Sync>> = std::result::Result<T, E>;

criterion_group!(benches, routine::decisions, verification::decisions);
criterion_main!(benches);
