//! `make demo`: step-ups through a real Envoy, told in a minute, with the policies and Envoys of the examples.
//!
//! Every step is checked; one that goes otherwise than told ends the demo with a message and exit code 1.
//! With KEEP=1 it leaves all running until Ctrl-C.

#[path = "../attester/attester.rs"]
pub mod attester;
#[path = "../tokens/endpoint.rs"]
pub mod endpoint;
#[path = "../client/step_up.rs"]
pub mod step_up;
#[path = "../../tests/support/mod.rs"]
mod support;

mod issuing;
mod story;
mod teller;
mod unusual;
mod world;

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
    let worlds = or_interrupted(told(teller)).await?;
    let keep = env::var("KEEP").is_ok_and(|keep| !keep.is_empty() && keep != "0");
    if keep {
        println!("\nIt goes on running until Ctrl-C.");
        worlds.iter().try_for_each(World::invite)?;
        // Ctrl-C reaches them all at once: there is nothing left to be ended well.
        return interruption().await;
    }
    for world in worlds {
        world.end().await?;
    }
    Ok(())
}

/// Each part in a world of its own, made of the files of one example.
async fn told(teller: &mut Teller) -> Result<[World; 3]> {
    let mut payments = World::quickstart().await?;
    story::tell(teller, &mut payments).await?;
    let context = World::context().await?;
    unusual::tell(teller, &context).await?;
    let mut tokens = World::tokens().await?;
    issuing::tell(teller, &mut tokens).await?;
    Ok([payments, context, tokens])
}
