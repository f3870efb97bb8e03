//! `make demo`: step-ups through a real Envoy, told in a minute, with the policies and Envoys of the examples.
//!
//! Every step is checked; one that goes otherwise than told ends the demo with a message and exit code 1.
//! With KEEP=1 it leaves all running until Ctrl-C.

#[path = "../attester/attester.rs"]
pub mod attester;
#[path = "../tokens/endpoint.rs"]
pub mod endpoint;
#[path = "../replicas/replicas.rs"]
mod replicas;
#[path = "../client/step_up.rs"]
pub mod step_up;
#[path = "../../tests/support/mod.rs"]
mod support;
#[path = "../replicas/task_client.rs"]
pub mod task_client;
#[path = "../replicas/tasks.rs"]
mod tasks;
#[path = "../replicas/valkey.rs"]
mod valkey;

mod issuing;
mod story;
mod teller;
mod unusual;
mod world;

use replicas::Replicas;
use std::env;
use std::process::ExitCode;
use support::Result;
use teller::{Teller, interruption, or_interrupted};
use world::World;

#[tokio::main]
async fn main() -> ExitCode {
    let mut teller = Teller::default();
    let told = demo(&mut teller).await;
    teller.conclude(told)
}

/// However this ends, every process that the worlds started ends with it.
async fn demo(teller: &mut Teller) -> Result<()> {
    let (worlds, replicas) = or_interrupted(Box::pin(told(teller))).await?;
    let keep = env::var("KEEP").is_ok_and(|keep| !keep.is_empty() && keep != "0");
    if keep {
        println!("\nIt goes on running until Ctrl-C.");
        worlds.iter().try_for_each(World::invite)?;
        replicas.invite();
        // Ctrl-C reaches them all at once: there is nothing left to be ended well.
        return interruption().await;
    }
    for world in worlds {
        world.end().await?;
    }
    replicas.end().await
}

/// Each part in a world of its own, made of the files of one example.
async fn told(teller: &mut Teller) -> Result<([World; 3], Replicas)> {
    let mut payments = World::quickstart().await?;
    story::tell(teller, &mut payments).await?;
    let context = World::context().await?;
    unusual::tell(teller, &context).await?;
    let mut tokens = World::tokens().await?;
    issuing::tell(teller, &mut tokens).await?;
    let mut replicas = Replicas::start().await?;
    println!("\nThe service again, behind three stepgates that share one Valkey (examples/replicas).");
    tasks::tell(teller, &mut replicas).await?;
    Ok(([payments, context, tokens], replicas))
}
