//! `make demo`: a step-up through a real Envoy, told in a minute.
//!
//! Every step is checked; one that goes otherwise than told ends the demo with a message and exit code 1.
//! With KEEP=1 it leaves all running until Ctrl-C.

#[path = "../attester/attester.rs"]
pub mod attester;
#[path = "../client/step_up.rs"]
pub mod step_up;
#[path = "../../tests/support/mod.rs"]
mod support;

mod story;
mod teller;
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

/// However this ends, every process that the world started ends with it.
async fn demo(teller: &mut Teller) -> Result<()> {
    let world = or_interrupted(told(teller)).await?;
    let keep = env::var("KEEP").is_ok_and(|keep| !keep.is_empty() && keep != "0");
    if keep {
        world.invite()?;
        // Ctrl-C reaches them all at once: there is nothing left to be ended well.
        return interruption().await;
    }
    world.end().await
}

async fn told(teller: &mut Teller) -> Result<World> {
    let mut world = World::start().await?;
    story::tell(teller, &mut world).await?;
    Ok(world)
}
