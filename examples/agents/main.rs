//! `cargo run --example agents`: an agent's task, five tool calls long, that has to prove itself once.
//!
//! An MCP server, an attester, stepgate and a real Envoy with its `mcp` filter, all on loopback. Every step is checked;
//! one that goes otherwise than told ends with a message and exit code 1.

#[path = "../attester/attester.rs"]
pub mod attester;
#[path = "../client/step_up.rs"]
pub mod step_up;
#[path = "../../tests/support/mod.rs"]
mod support;
#[path = "../demo/teller.rs"]
#[allow(dead_code, reason = "the demo tells more")]
mod teller;

mod agent;
mod server;
mod story;
mod world;

use std::process::ExitCode;
use support::Result;
use teller::{Teller, or_interrupted};
use world::World;

#[tokio::main]
async fn main() -> ExitCode {
    let mut teller = Teller::default();
    let told = or_interrupted(tell(&mut teller)).await;
    teller.conclude(told)
}

async fn tell(teller: &mut Teller) -> Result<()> {
    let mut world = World::start().await?;
    story::tell(teller, &mut world).await
}
