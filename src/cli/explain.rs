//! `stepgate explain`: one request, every step and why.

mod answer;
mod caller;
mod flags;
mod given;
mod live;
mod page;
mod readings;
mod rules;
mod scopes;
mod signals;

use super::exit;
use crate::attestation::ProofFault;
use crate::case::Ground;
use crate::challenge::ChallengeKeysError;
use crate::clock::{Clock, SystemClock};
use crate::config::{self, Diagnostics, Loaded};
use crate::decision::Decision;
use crate::ext_authz::json::JsonError;
use crate::inputs::Inputs;
use crate::policy::Policy;
use crate::reason::Reason;
use crate::request::RequestFacts;
use crate::store::NoRandomness;
use crate::time::UnixTime;
use clap::Args;
use flags::Flags;
use given::Given;
use jiff::Timestamp;
use page::Page;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

const EXAMPLES: &str = "\
A request is given by flags, credentials as already verified:
  stepgate explain --policy policy.yaml --method POST --path /v1/payments/7/refund \\
      --principal spiffe://example.org/ns/billing/sa/web --scope payments:refund

or by a file: the request of a policy's own test, a line of the decision log, or a CheckRequest as JSON, whose tokens are
verified with the keys of the policy:
  grep 4f6a… decisions.jsonl | stepgate explain --policy policy.yaml --request -";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Explain {
    /// Policy files, and folders with them.
    #[arg(long, value_name = "PATH", num_args = 1.., required = true)]
    policy: Vec<PathBuf>,
    /// A request in a file, or `-` for stdin.
    #[arg(long, value_name = "FILE", conflicts_with = "Flags")]
    request: Option<PathBuf>,
    #[command(flatten)]
    flags: Flags,
    /// When it comes, such as 2026-11-23T10:00:00Z; else when the log or the recorded call says, else now.
    #[arg(long, value_name = "TIME", value_parser = flags::moment)]
    at: Option<UnixTime>,
    /// The keys of the challenges in a recorded call.
    #[arg(long, value_name = "FILE", requires = "request")]
    challenge_key_file: Option<PathBuf>,
}

/// Why a request can't be explained.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("`{}`: {source}", .path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("`{}` is no JSON: {source}", .path.display())]
    Json { path: PathBuf, source: serde_json::Error },
    #[error("`{}`: {source}", .path.display())]
    CheckRequest { path: PathBuf, source: JsonError },
    #[error("`{}` is no request: it is no JSON object", .path.display())]
    NoObject { path: PathBuf },
    #[error("`{}` is no request\n{}", .path.display(), said(.problems))]
    Request { path: PathBuf, problems: Diagnostics },
    #[error("`{}`: {source}", .path.display())]
    ChallengeKeys { path: PathBuf, source: ChallengeKeysError },
    #[error("give a host with `--host`: the policy has no `resource` that would say it")]
    NoHost,
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    #[error("can't verify: {0}")]
    Runtime(io::Error),
    #[error("can't verify: {0}")]
    Meters(#[from] prometheus::Error),
}

/// A request that was decided.
struct Explained<'a> {
    policy: &'a Policy,
    at: UnixTime,
    /// Nothing where the request can't be judged at all.
    facts: Option<&'a RequestFacts>,
    /// Where the request is given and not shown.
    inputs: Option<&'a Inputs>,
    decision: &'a Decision,
}

impl Explain {
    pub fn run(self) -> ExitCode {
        let loaded = match config::load(&self.policy) {
            Ok(loaded) => loaded,
            Err(problems) => return exit::policy(&problems),
        };
        match self.explain(&loaded) {
            Ok(text) => {
                // A reader that has gone away has read enough.
                let _ = io::stdout().write_all(text.as_bytes());
                ExitCode::SUCCESS
            }
            Err(failure) => {
                eprintln!("stepgate explain: {failure}");
                ExitCode::from(failure.code())
            }
        }
    }

    fn explain(self, loaded: &Loaded) -> Result<String, Failure> {
        let policy = &loaded.policy;
        let (given, told) = match self.request {
            Some(path) => given::read(&path)?,
            None => (Given::Inputs(Box::new(self.flags.inputs(policy)?)), None),
        };
        let at = self.at.or(told).unwrap_or_else(|| SystemClock.now());
        let has_keys = self.challenge_key_file.is_some();
        let challenges = live::challenge_keys(self.challenge_key_file)?;
        let ground = Ground { policy, keyring: &loaded.keyring, challenges: &challenges };
        match given {
            Given::Inputs(inputs) => {
                for (kind, name) in inputs.unknown_names(policy) {
                    eprintln!("stepgate explain: the policy has no {kind} `{name}`: that says nothing to it");
                }
                let (facts, decision) = (inputs.facts().ok(), inputs.decide(ground, at));
                let explained =
                    Explained { policy, at, facts: facts.as_ref(), inputs: Some(&inputs), decision: &decision };
                Ok(explained.text())
            }
            Given::CheckRequest(check) => {
                let (facts, decision) = live::decide(ground, *check, at)?;
                if *decision.reason() == Reason::Proof(ProofFault::ChallengeForeign) && !has_keys {
                    eprintln!("stepgate explain: name the keys of the challenge with `--challenge-key-file`");
                }
                let explained = Explained { policy, at, facts: facts.as_ref(), inputs: None, decision: &decision };
                Ok(explained.text())
            }
        }
    }
}

impl Explained<'_> {
    fn text(&self) -> String {
        let mut page = Page::default();
        self.say_request(&mut page);
        if let Some(facts) = self.facts {
            self.say_caller(facts, &mut page);
            self.say_readings(facts, &mut page);
            self.say_scopes(facts, &mut page);
            self.say_signals(facts, &mut page);
            self.say_rules(facts, &mut page);
        }
        self.say_answer(&mut page);
        page.into_text()
    }

    fn say_request(&self, page: &mut Page) {
        let (method, host, path) = match (self.facts, self.inputs) {
            (Some(facts), _) => (facts.method.as_str(), facts.host.as_str(), facts.path.canonical()),
            // What can't be read may hold anything.
            (None, Some(inputs)) => (&*inputs.method, &*inputs.host, inputs.path.split('?').next().unwrap_or_default()),
            (None, None) => ("", "", ""),
        };
        page.fact("request", format!("{} {}{}", method.escape_debug(), host.escape_debug(), path.escape_debug()));
        let at = i64::try_from(self.at.as_secs()).ok().and_then(|secs| Timestamp::from_second(secs).ok());
        page.fact("at", at.unwrap_or(Timestamp::MAX).to_string());
    }
}

impl Failure {
    const fn code(&self) -> u8 {
        match self {
            Self::NoRandomness(_) | Self::Runtime(_) | Self::Meters(_) => exit::UNEXPECTED,
            _ => exit::ARGUMENTS,
        }
    }
}

/// What is wrong with a request, and what to do.
fn said(problems: &Diagnostics) -> String {
    let each = problems.iter().map(|problem| format!("  {}: {}", problem.message, problem.help));
    each.collect::<Vec<_>>().join("\n")
}
