//! `cargo run --example ci`: a CI job that tests and publishes with its token, and proves itself where it deploys.
//!
//! A real Envoy, stepgate, an attester and the job's script, all on loopback. Every step is checked; one that goes
//! otherwise than told ends with a message and exit code 1.

#[path = "../attester/attester.rs"]
pub mod attester;
#[path = "../../tests/support/mod.rs"]
mod support;
#[path = "../demo/teller.rs"]
#[allow(dead_code, reason = "the demo tells more")]
mod teller;

mod runner;
mod story;

use runner::Runner;
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
    let runner = Runner::start().await?;
    story::tell(teller, &runner).await
}
