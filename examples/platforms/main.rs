//! Runs the stand-ins for platforms; what they sign stands in `platforms.rs`.
//!
//! ```sh
//! cargo run --example platforms -- --credential-file credential --jwks examples/profiles
//! ```

pub mod platforms;

use clap::Parser;
use platforms::Platforms;
use std::error::Error;
use std::fs;
use std::path::PathBuf;
use tokio::net::TcpListener;

/// Stands in for an attester, GitHub, a cluster, Google, SPIRE and a verifier, with keys that it makes at its start.
#[derive(Debug, Parser)]
struct Arguments {
    #[arg(long, default_value = "127.0.0.1:9500")]
    listen: String,
    /// The file with what they know the workload by.
    #[arg(long)]
    credential_file: PathBuf,
    /// The folder for the public halves of the keys, beside the policy.
    #[arg(long)]
    jwks: PathBuf,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let platforms = Platforms::new(fs::read_to_string(arguments.credential_file)?.trim())?;
    platforms.write_jwks(&arguments.jwks)?;
    let listener = TcpListener::bind(&arguments.listen).await?;
    eprintln!("platforms: listening on {}", listener.local_addr()?);
    Ok(axum::serve(listener, platforms.router()).await?)
}
