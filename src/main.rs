//! The binary: arguments, then the command.

use clap::Parser;
use std::process::ExitCode;

/// Measured better than the system's allocator under load (`BENCHMARKS.md`).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    stepgate::cli::Cli::parse().run()
}
