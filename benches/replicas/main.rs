//! How fast three replicas agree, and that they do: revocations until they are in force in all, and proofs that pass once.
//!
//! ```text
//! cargo bench --bench replicas
//! cargo bench --bench replicas -- --proofs 1000000      as many as anybody asks for
//! ```
//!
//! Three release binaries and a real Valkey (`VALKEY`, or `make tools`), the world of `tests/replicas`, on one machine with
//! whoever asks them. Nothing is pinned.

mod busy;
mod figures;
mod once;
mod reach;
#[path = "../../tests/support/mod.rs"]
mod support;
#[path = "../../tests/replicas/world.rs"]
#[expect(dead_code, reason = "the tests' own needs")]
mod world;

use clap::Parser;
use reach::Storm;
use support::Result;
use world::World;

#[derive(Debug, Parser)]
struct Arguments {
    /// Revocations, one after the other.
    #[arg(long, default_value_t = 1_000)]
    revocations: usize,
    /// Revocations, many at once; and so many again while the store is killed.
    #[arg(long, default_value_t = 10_000)]
    storm: usize,
    /// Proofs, each shown to all replicas at once.
    #[arg(long, default_value_t = 100_000)]
    proofs: usize,
    /// What cargo adds.
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() -> Result<()> {
    let Arguments { revocations, storm, proofs, bench: _ } = Arguments::parse();
    println!("{}", reach::HEADER);
    for (name, storm) in [
        ("one after the other", Storm { count: revocations, in_flight: 1, kills: false }),
        ("many at once", Storm { count: storm, in_flight: 16, kills: false }),
        ("… while the store is killed and comes back empty", Storm { count: storm, in_flight: 16, kills: true }),
    ] {
        println!("{}", storm.run(&mut world().await?, name).await?);
    }
    println!("\n{}", once::show(&world().await?, proofs).await?);
    Ok(())
}

/// A level of single use, without grants; decisions are not logged.
async fn world() -> Result<World> {
    let policy = world::policy()?.replace(", carry: first_call", "");
    World::start_under(&policy, &["--decision-log", "off"]).await
}
