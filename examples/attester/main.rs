//! Runs the attester; what it does stands in `attester.rs`.
//!
//! ```sh
//! cargo run --example attester -- --key attester.key.jwk --workload billing-web=CREDENTIAL-FILE
//! ```

pub mod attester;

use attester::Attester;
use clap::Parser;
use std::error::Error;
use std::fs;
use std::path::PathBuf;
use stepgate::mint::SigningKey;
use tokio::net::TcpListener;

/// Vouches for workloads that show their registered credential, at `POST /attestations`.
#[derive(Debug, Parser)]
struct Arguments {
    #[arg(long, default_value = "127.0.0.1:9400")]
    listen: String,
    #[arg(long, default_value = "https://attest.example.com")]
    issuer: String,
    /// Its private key, as `stepgate attest key` writes it.
    #[arg(long)]
    key: PathBuf,
    /// A workload and the file with its credential; may be given more than once.
    #[arg(long = "workload", required = true, value_name = "NAME=FILE", value_parser = workload)]
    workloads: Vec<(String, String)>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let key = SigningKey::from_jwk(&serde_json::from_slice(&fs::read(arguments.key)?)?)?;
    let listener = TcpListener::bind(&arguments.listen).await?;
    eprintln!("attester: listening on {}", listener.local_addr()?);
    let attester = Attester::new(&arguments.issuer, key, arguments.workloads);
    Ok(axum::serve(listener, attester.router()).await?)
}

fn workload(text: &str) -> Result<(String, String), String> {
    let (name, file) = text.split_once('=').ok_or("expected `name=file`")?;
    let credential = fs::read_to_string(file).map_err(|why| format!("`{file}`: {why}"))?;
    Ok((name.to_owned(), credential.trim().to_owned()))
}
