//! Runs the token endpoint; what it does stands in `endpoint.rs`.
//!
//! ```sh
//! cargo run --example tokens -- --key tokens.key.jwk --client 'billing-web=payments:read admin:users'
//! ```

pub mod endpoint;

use clap::Parser;
use endpoint::TokenEndpoint;
use std::error::Error;
use std::fs;
use std::path::PathBuf;
use stepgate::mint::SigningKey;
use tokio::net::TcpListener;

/// Issues access tokens at `POST /oauth2/token`, to callers that stepgate let through.
#[derive(Debug, Parser)]
struct Arguments {
    /// Only Envoy may reach it: it believes the headers of whoever does.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: String,
    #[arg(long, default_value = "https://tokens.example.com")]
    issuer: String,
    /// The API that the tokens are for.
    #[arg(long, default_value = "https://api.example.com")]
    audience: String,
    /// The private key that signs them, as `stepgate attest key` writes it.
    #[arg(long)]
    key: PathBuf,
    /// A client and the scopes that it may have; may be given more than once.
    #[arg(long = "client", required = true, value_name = "NAME=SCOPES", value_parser = client)]
    clients: Vec<(String, String)>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let key = SigningKey::from_jwk(&serde_json::from_slice(&fs::read(arguments.key)?)?)?;
    let listener = TcpListener::bind(&arguments.listen).await?;
    eprintln!("token endpoint: listening on {}", listener.local_addr()?);
    let endpoint = TokenEndpoint::new(&arguments.issuer, &arguments.audience, key, arguments.clients);
    Ok(axum::serve(listener, endpoint.router()).await?)
}

fn client(text: &str) -> Result<(String, String), String> {
    let (name, scopes) = text.split_once('=').ok_or("expected `name=scopes`")?;
    Ok((name.to_owned(), scopes.to_owned()))
}
