//! `cargo run --example replicas`: three stepgates that share one Valkey, behind one Envoy, and a workload whose grant goes
//! from one to the other and ends in all of them.
//!
//! Every step is checked; one that goes otherwise than told ends with a message and exit code 1.

#[path = "../attester/attester.rs"]
pub mod attester;
#[path = "../../tests/support/mod.rs"]
mod support;
#[path = "../demo/teller.rs"]
#[allow(dead_code, reason = "the demo tells more")]
mod teller;

#[allow(dead_code, reason = "the demo lets people look around")]
mod replicas;
pub mod task_client;
mod tasks;
mod valkey;

use replicas::Replicas;
use std::process::ExitCode;
use support::Result;
use teller::{Teller, or_interrupted};

#[tokio::main]
async fn main() -> ExitCode {
    let mut teller = Teller::default();
    let told = or_interrupted(tell(&mut teller)).await;
    teller.conclude(told)
}

async fn tell(teller: &mut Teller) -> Result<()> {
    let mut world = Replicas::start().await?;
    println!("A payments service, a real Envoy in front of it, and three stepgates that share one Valkey.");
    tasks::tell(teller, &mut world).await?;
    world.end().await
}
