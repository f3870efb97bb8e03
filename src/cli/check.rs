//! `stepgate check`: what is wrong with a policy.

use crate::config::render::Style;
use crate::config::{self, Diagnostics, Loaded, Severity};
use clap::{Args, ValueEnum};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// The policy is invalid, or has warnings where those count as errors.
const INVALID: u8 = 3;

#[derive(Debug, Args)]
pub struct Check {
    /// Files of the policy, and folders with *.yaml and *.yml files.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Make warnings errors.
    #[arg(long)]
    strict: bool,
    /// Text for people goes to stderr, the others to stdout.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Output {
    Text,
    Json,
    Sarif,
    Github,
}

impl Check {
    pub fn run(self) -> ExitCode {
        let (good, found) = match config::load(&self.paths) {
            Ok(loaded) => (Some(summary(&loaded)), loaded.warnings),
            Err(problems) => (None, problems),
        };
        let found = if self.strict { found.strict() } else { found };
        self.output.print(&found);
        let Some(summary) = good.filter(|_| !found.has_errors()) else {
            eprintln!("{}", verdict(&found));
            return ExitCode::from(INVALID);
        };
        eprintln!("{summary}");
        ExitCode::SUCCESS
    }
}

impl Output {
    fn print(self, found: &Diagnostics) {
        match self {
            Self::Text => eprint!("{}", found.to_text(Style::of_stderr())),
            Self::Json => result(&format!("{:#}\n", found.to_json())),
            Self::Sarif => result(&format!("{:#}\n", found.to_sarif())),
            Self::Github => result(&found.to_github()),
        }
    }
}

/// A reader that has gone away has read enough; the exit code still says how it went.
fn result(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn summary(loaded: &Loaded) -> String {
    let policy = &loaded.policy;
    let always = [
        (policy.routes.iter().count(), "route"),
        (policy.rules.len(), "rule"),
        (policy.assurance.len(), "assurance level"),
    ];
    let where_there = [(policy.floors.iter().count(), "floor"), (policy.context.signals.iter().count(), "signal")];
    let counts = always.into_iter().chain(where_there.into_iter().filter(|(number, _)| *number > 0));
    let counts: Vec<_> = counts.map(|(number, noun)| count(number, noun)).collect();
    format!("the policy is good: {}", counts.join(", "))
}

fn verdict(found: &Diagnostics) -> String {
    let (errors, warnings) = (found.count(Severity::Error), found.count(Severity::Warning));
    match warnings {
        0 => format!("the policy is refused: {}", count(errors, "error")),
        _ => format!("the policy is refused: {}, {}", count(errors, "error"), count(warnings, "warning")),
    }
}

fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}
