//! Calls an API as a workload does, and answers its challenge by the way that is named. README.md says what each way is for.
//!
//! ```sh
//! cargo run --example profiles -- github POST /v1/deployments/production --token-file ci.token \
//!     --platform "$ACTIONS_ID_TOKEN_REQUEST_URL" --credential-file request.token
//! ```
//!
//! Copy `client.rs` and `proof.rs`, the one function of `platform.rs` for the platform that your workload runs on, and its
//! line of `way.rs`.

pub mod client;
pub mod platform;
pub mod proof;
pub mod way;

use clap::Parser;
use client::{Arguments, Client};
use std::error::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let answer = Client::new(Arguments::parse())?.call().await?;
    println!("{} {}", answer.status, answer.body);
    if answer.status.is_success() { Ok(()) } else { Err(format!("the API answered {}", answer.status).into()) }
}
