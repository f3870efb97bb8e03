//! Calls an API as a workload does; all that matters for that stands in `step_up.rs`.
//!
//! ```sh
//! cargo run --example client -- --token-file token --attester http://127.0.0.1:9400/attestations \
//!     --credential-file credential --connect http://127.0.0.1:10000 POST /v1/payments/7/refund
//! ```

pub mod step_up;

use clap::Parser;
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Url};
use std::error::Error;
use std::fs;
use std::path::PathBuf;
use step_up::{Config, StepUpClient};

/// Calls an API behind stepgate, and answers its challenges.
#[derive(Debug, Parser)]
struct Arguments {
    /// The API's own name, for which proofs are made.
    #[arg(long, default_value = "https://api.example.com")]
    resource: Url,
    /// Where the calls are sent [default: the resource].
    #[arg(long)]
    connect: Option<Url>,
    /// A file with the access token.
    #[arg(long)]
    token_file: PathBuf,
    /// The attester's URL.
    #[arg(long)]
    attester: Url,
    /// A file with what this workload is registered with at the attester.
    #[arg(long)]
    credential_file: PathBuf,
    /// What the call is for, such as the number of a run.
    #[arg(long)]
    task: Option<String>,
    /// How often the call is made, as one chain.
    #[arg(long, default_value_t = 1)]
    times: usize,
    method: Method,
    path: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let config = Config {
        connect: arguments.connect.unwrap_or_else(|| arguments.resource.clone()),
        resource: arguments.resource,
        token: fs::read_to_string(arguments.token_file)?.trim().to_owned(),
        attester: arguments.attester,
        credential: fs::read_to_string(arguments.credential_file)?.trim().to_owned(),
        task: arguments.task,
    };
    // A redirect would take the call, and the proof made for it, elsewhere.
    let http = Client::builder().redirect(Policy::none()).build()?;
    let mut client = StepUpClient::new(http, config)?;
    for _ in 0..arguments.times {
        let answer = client.call(arguments.method.clone(), &arguments.path).await?;
        let status = answer.status();
        println!("{status} {}", answer.text().await?);
        if !status.is_success() {
            return Err(format!("the API answered {status}").into());
        }
    }
    Ok(())
}
