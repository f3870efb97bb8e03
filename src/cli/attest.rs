//! `stepgate attest`: mints what a caller needs, for development and tests.

mod ear;
mod keys;
mod proofs;
mod tokens;

use crate::mint::{self, MintError};
use crate::policy::origin::OriginError;
use clap::{Args, Subcommand};
use serde_json::Value;
use std::fmt::Display;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{fs, io};

const EXAMPLES: &str = "\
Examples, from nothing to an answered challenge:
  stepgate attest key --out idp.key.jwk             # three private keys, each 0600
  stepgate attest key --out attester.key.jwk
  stepgate attest key --out instance.key.jwk
  stepgate attest jwks idp.key.jwk > idp.jwks.json  # what the policy's issuers name
  stepgate attest jwks attester.key.jwk > attester.jwks.json

  TOKEN=$(stepgate attest token --key idp.key.jwk --issuer https://idp.example.com \\
      --audience https://api.example.com --subject billing-web --scope 'payments:read payments:refund')
  ATTESTATION=$(stepgate attest attestation --key attester.key.jwk --subject billing-web --holder instance.key.jwk)
  PROOF=$(stepgate attest proof --key instance.key.jwk --method POST \\
      --url https://api.example.com/v1/payments/7/refund --token \"$TOKEN\" --challenge \"$CHALLENGE\")

  curl -X POST http://127.0.0.1:10000/v1/payments/7/refund -H 'Host: api.example.com' \\
      -H \"Authorization: Bearer $TOKEN\" -H \"OAuth-Client-Attestation: $ATTESTATION\" -H \"DPoP: $PROOF\"

Other proofs of the same call, for OAuth-Client-Attestation-PoP, and for Workload-Identity-Token with Workload-Proof-Token:
  POP=$(stepgate attest pop --key instance.key.jwk --method POST \\
      --url https://api.example.com/v1/payments/7/refund --token \"$TOKEN\" --challenge \"$CHALLENGE\")
  WIT=$(stepgate attest wit --key attester.key.jwk --subject spiffe://example.com/billing-web --holder instance.key.jwk)
  WPT=$(stepgate attest wpt --key instance.key.jwk --wit \"$WIT\" \\
      --url https://api.example.com/v1/payments/7/refund --token \"$TOKEN\" --challenge \"$CHALLENGE\")";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Attest {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// A new private key, as a JWK.
    Key(keys::Key),
    /// The public halves of keys, as the JWK set of an issuer.
    Jwks(keys::Jwks),
    /// A line for `--challenge-key-file`: 64 hex digits.
    ChallengeKey,
    /// A bearer token.
    Token(tokens::Token),
    /// An attestation of the workload that holds a key (OAuth-Client-Attestation).
    Attestation(tokens::Attestation),
    /// Attestation results of a verifier of hardware (RATS EAR).
    Ear(ear::Ear),
    /// A proof that a workload holds its key, for one call (DPoP).
    Proof(proofs::Proof),
    /// A proof beside an attestation, for one call (OAuth-Client-Attestation-PoP).
    Pop(proofs::Pop),
    /// A workload identity token (Workload-Identity-Token).
    Wit(tokens::Wit),
    /// A proof beside a workload identity token, for one call (Workload-Proof-Token).
    Wpt(proofs::Wpt),
}

impl Attest {
    pub fn run(self) -> ExitCode {
        match self.what.mint().and_then(|minted| print(&minted)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => {
                eprintln!("stepgate attest: {failure}");
                ExitCode::FAILURE
            }
        }
    }
}

impl What {
    /// What goes to stdout, with its line end; empty where it went to a file.
    fn mint(self) -> Result<String, Failure> {
        match self {
            Self::Key(key) => key.mint(),
            Self::Jwks(jwks) => jwks.mint().map(line),
            Self::ChallengeKey => Ok(line(mint::challenge_key()?)),
            Self::Token(token) => token.mint().map(line),
            Self::Attestation(attestation) => attestation.mint().map(line),
            Self::Ear(ear) => ear.mint().map(line),
            Self::Proof(proof) => proof.mint().map(line),
            Self::Pop(pop) => pop.mint().map(line),
            Self::Wit(wit) => wit.mint().map(line),
            Self::Wpt(wpt) => wpt.mint().map(line),
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("`{}`: {source}", .path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("`{}` is not JSON: {source}", .path.display())]
    Json { path: PathBuf, source: serde_json::Error },
    #[error("`{}`: {source}", .path.display())]
    Key { path: PathBuf, source: MintError },
    #[error("can't write to stdout: {0}")]
    Stdout(io::Error),
    #[error("can't tell the audience from the URL: {0}")]
    Url(#[from] OriginError),
    #[error(transparent)]
    Mint(#[from] MintError),
}

/// Unlike `print!`, it does not panic where nobody reads.
fn print(minted: &str) -> Result<(), Failure> {
    io::stdout().write_all(minted.as_bytes()).map_err(Failure::Stdout)
}

fn line(text: impl Display) -> String {
    format!("{text}\n")
}

fn read_jwk<T>(path: &Path, parse: impl Fn(&Value) -> Result<T, MintError>) -> Result<T, Failure> {
    let path = path.to_owned();
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(source) => return Err(Failure::File { path, source }),
    };
    match serde_json::from_slice(&text) {
        Ok(jwk) => parse(&jwk).map_err(|source| Failure::Key { path, source }),
        Err(source) => Err(Failure::Json { path, source }),
    }
}
