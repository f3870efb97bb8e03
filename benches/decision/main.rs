//! What one decision costs in process, from a `CheckRequest` to the answer, with everything remembered: for few and many
//! routes, identities and rules, with all signals on. Ratios are what counts; see `BENCHMARKS.md`.

#[path = "../load/message.rs"]
#[expect(dead_code, reason = "the load's own needs")]
mod message;
mod policy;
mod world;

use criterion::{Criterion, criterion_group, criterion_main};
use policy::Size;
use world::World;

/// As the binary has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub(crate) type Result<T, E = Box<dyn std::error::Error + Send + Sync>> = std::result::Result<T, E>;

#[expect(clippy::expect_used, reason = "without its world there is nothing to measure")]
fn decisions(criterion: &mut Criterion) {
    let base = Size { routes: 20, identities: 20, rules: 5, signals: true };
    let sizes = [
        ("plain", Size { signals: false, identities: 0, ..base }),
        ("20 routes, 20 identities, 5 rules, all signals", base),
        ("20,000 routes", Size { routes: 20_000, ..base }),
        ("20,000 identities", Size { identities: 20_000, ..base }),
        ("100 rules", Size { rules: 100, ..base }),
    ];
    let mut group = criterion.benchmark_group("decision");
    for (name, size) in sizes {
        let world = World::new(size).expect("the world of the benchmark");
        group.bench_function(name, |bencher| world.measure(bencher));
    }
    group.finish();
}

criterion_group!(benches, decisions);
criterion_main!(benches);
