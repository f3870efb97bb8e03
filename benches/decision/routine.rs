//! A routine call, with everything remembered: for few and many routes, identities and rules, with all signals on.

use crate::Result;
use crate::policy::Size;
use crate::world::World;
use criterion::Criterion;
use envoy_types::pb::envoy::service::auth::v3::CheckRequest;
use prost::Message;
use std::cell::LazyCell;
use std::time::Duration;
use stepgate::clock::{Clock, SystemClock};

/// So many calls of the caller were seen before anything is measured: learned signals speak.
const FAMILIAR: usize = 100;

#[expect(clippy::expect_used, reason = "without its world there is nothing to measure")]
pub(crate) fn decisions(criterion: &mut Criterion) {
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
        let call = LazyCell::new(|| Routine::new(size).expect("the world of the benchmark"));
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|rounds| call.time(rounds).expect("a decision"));
        });
    }
    group.finish();
}

struct Routine {
    world: World,
    message: Vec<u8>,
}

impl Routine {
    fn new(size: Size) -> Result<Self> {
        let world = World::new(size)?;
        let message = world.issuers().routine(SystemClock.now().as_secs())?.encode_to_vec();
        let call = Self { world, message };
        for _ in 0..FAMILIAR {
            call.time(1)?;
        }
        Ok(call)
    }

    fn time(&self, rounds: u64) -> Result<Duration> {
        // Decoded each: clones would lie in memory as decoding never leaves them.
        let calls = (0..rounds).map(|_| Ok(CheckRequest::decode(self.message.as_slice())?));
        self.world.time(calls.collect::<Result<_>>()?)
    }
}
