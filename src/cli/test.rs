//! `stepgate test`: the policy's own tests, and what none of them reaches.

mod coverage;
mod json;
mod junit;
mod text;
mod verdict;

use super::exit;
use crate::case::Ground;
use crate::challenge::ChallengeKeys;
use crate::config::source::Position;
use crate::config::{self, Diagnostics, Loaded};
use clap::{Args, ValueEnum};
use coverage::Coverage;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use verdict::Verdict;

#[derive(Debug, Args)]
pub struct Test {
    /// Files of the policy, and folders with *.yaml and *.yml files.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
    /// Also list the routes and rules that no test reaches.
    #[arg(long)]
    coverage: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Output {
    Text,
    Json,
    Junit,
}

/// How all tests of a policy went.
struct Report<'p> {
    verdicts: Vec<Verdict<'p>>,
    /// Where it was asked for.
    coverage: Option<Coverage<'p>>,
    /// The files, to say where something stands.
    files: &'p Diagnostics,
}

impl Test {
    pub fn run(self) -> ExitCode {
        let loaded = match config::load(&self.paths) {
            Ok(loaded) => loaded,
            Err(problems) => return exit::policy(&problems),
        };
        if loaded.tests.is_empty() {
            eprintln!("stepgate test: the policy has no `tests`");
        }
        let report = report(&loaded, self.coverage);
        let text = match self.output {
            Output::Text => report.to_text(),
            Output::Json => format!("{:#}\n", report.to_json()),
            Output::Junit => report.to_junit(),
        };
        // A reader that has gone away has read enough; the exit code still says how it went.
        let _ = std::io::stdout().write_all(text.as_bytes());
        if report.failed() == 0 { ExitCode::SUCCESS } else { ExitCode::from(exit::FAILED) }
    }
}

fn report(loaded: &Loaded, with_coverage: bool) -> Report<'_> {
    // Challenges are given as already verified.
    let challenges = ChallengeKeys::single(&[0; ChallengeKeys::KEY_BYTES]);
    let ground = Ground { policy: &loaded.policy, keyring: &loaded.keyring, challenges: &challenges };
    let mut reached = Coverage::none_of(&loaded.policy);
    let verdicts = loaded.tests.iter().map(|test| {
        let decision = test.request.decide(ground, test.at);
        reached.reach(&decision);
        Verdict::of(test, ground.policy, &decision)
    });
    Report { verdicts: verdicts.collect(), coverage: with_coverage.then_some(reached), files: &loaded.warnings }
}

impl Report<'_> {
    fn failed(&self) -> usize {
        self.verdicts.iter().filter(|verdict| !verdict.passed()).count()
    }

    fn passed(&self) -> usize {
        self.verdicts.len() - self.failed()
    }

    /// The file and the place in it.
    fn place(&self, place: config::source::Place) -> (&Path, Position) {
        match self.files.source(place.source) {
            Some(source) => (source.path.strip_prefix(".").unwrap_or(&source.path), source.position(place.start)),
            None => (Path::new(""), Position { line: 1, column: 1 }),
        }
    }
}
