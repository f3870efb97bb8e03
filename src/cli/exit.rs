//! What the process exits with, and what it says before.

use crate::app::Failure;
use crate::config::Diagnostics;
use crate::config::render::Style;
use std::process::ExitCode;

/// Something unexpected, such as a port that is taken.
pub const UNEXPECTED: u8 = 1;
/// The arguments are wrong.
pub const ARGUMENTS: u8 = 2;
/// The policy is invalid.
pub const POLICY: u8 = 3;
/// Tests failed.
pub const FAILED: u8 = 4;

/// Says what is wrong with a policy, for people.
pub fn policy(problems: &Diagnostics) -> ExitCode {
    eprint!("{}", problems.to_text(Style::of_stderr()));
    ExitCode::from(POLICY)
}

/// Says what went wrong, for people.
pub fn failure(error: &Failure) -> ExitCode {
    match error {
        Failure::Policy(problems) => policy(problems),
        other => {
            eprintln!("stepgate: {other}");
            ExitCode::from(UNEXPECTED)
        }
    }
}
