//! The command line: one file a command. Results go to stdout, messages for people to stderr.

use clap::{Parser, Subcommand};
use std::process::ExitCode;

pub mod attest;
pub mod check;
pub mod exit;
pub mod explain;
pub mod health;
pub mod serve;
pub mod test;

/// Step-up attestation for machines: an Envoy external-authorization sidecar.
#[derive(Debug, Parser)]
#[command(version, about)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Mint keys, tokens, attestations and proofs for development and tests.
    Attest(attest::Attest),
    /// Say what is wrong with a policy.
    Check(check::Check),
    /// Say what becomes of one request, every step and why.
    Explain(explain::Explain),
    /// Ask a running stepgate whether it is ready.
    Health(health::Health),
    /// Decide for Envoy which calls may pass, and which must prove themselves first.
    Serve(serve::Serve),
    /// Run the policy's own tests.
    Test(test::Test),
}

impl Cli {
    /// Runs the command and returns what the process exits with.
    pub fn run(self) -> ExitCode {
        match self.command {
            Command::Attest(attest) => attest.run(),
            Command::Check(check) => check.run(),
            Command::Explain(explain) => explain.run(),
            Command::Health(health) => health.run(),
            Command::Serve(serve) => serve.run(),
            Command::Test(test) => test.run(),
        }
    }
}
