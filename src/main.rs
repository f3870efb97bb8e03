//! The binary: arguments, then the command.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    stepgate::cli::Cli::parse().run()
}
