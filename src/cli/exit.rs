//! What the process exits with, and what it says before.

use crate::app::Failure;
use crate::config::render::Style;
use std::process::ExitCode;

/// Something unexpected, such as a port that is taken.
pub const UNEXPECTED: u8 = 1;
/// The policy is invalid.
pub const POLICY: u8 = 3;

/// Says what went wrong, for people.
pub fn failure(error: &Failure) -> ExitCode {
    match error {
        Failure::Policy(diagnostics) => {
            eprint!("{}", diagnostics.to_text(Style::of_stderr()));
            ExitCode::from(POLICY)
        }
        other => {
            eprintln!("stepgate: {other}");
            ExitCode::from(UNEXPECTED)
        }
    }
}
