//! How the story is told: numbered steps, one or two lines each, with what really came back.

use super::support::Result;
use super::support::answer::Answer;
use std::fmt::Debug;
use std::process::ExitCode;
use tokio::signal::ctrl_c;
use tokio::signal::unix::{SignalKind, signal};

#[derive(Debug, Default)]
pub(crate) struct Teller {
    step: usize,
    title: &'static str,
}

impl Teller {
    pub(crate) fn step(&mut self, title: &'static str) {
        self.step += 1;
        self.title = title;
        println!("\n{:2}  {title}", self.step);
    }

    /// How it ended, for people and for scripts.
    pub(crate) fn conclude(&self, told: Result<()>) -> ExitCode {
        match told {
            Ok(()) => {
                println!("\nAll went as told, and nothing is left running.");
                ExitCode::SUCCESS
            }
            Err(why) => {
                eprintln!("\n{} went wrong: {why}", self.place());
                ExitCode::FAILURE
            }
        }
    }

    fn place(&self) -> String {
        match self.step {
            0 => "starting up".to_owned(),
            step => format!("step {step} ({})", self.title),
        }
    }
}

/// The story, unless someone stops it: then every process that it started ends with it.
pub(crate) async fn or_interrupted<T>(story: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::select! {
        told = story => told,
        interrupted = interruption() => interrupted.and(Err("interrupted".into())),
    }
}

pub(crate) async fn interruption() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        pressed = ctrl_c() => Ok(pressed?),
        _ = terminate.recv() => Ok(()),
    }
}

/// One call and its answer; `note` is what is worth seeing of it.
pub(crate) fn show(call: &str, answer: &Answer, note: &str) {
    note_aligned(call, &format!("{}  {note}", answer.status));
}

pub(crate) fn note_aligned(call: &str, text: &str) {
    println!("    {call:<56} {}", text.trim_end());
}

pub(crate) fn note(text: &str) {
    println!("    {text}");
}

/// What the story promises, checked.
pub(crate) fn expect<T: PartialEq + Debug + Copy>(what: &str, is: T, should_be: T) -> Result<()> {
    if is == should_be {
        return Ok(());
    }
    Err(format!("{what} should be {should_be:?} and is {is:?}").into())
}

pub(crate) fn expect_status(answer: &Answer, should_be: u16) -> Result<()> {
    if answer.status == should_be {
        return Ok(());
    }
    Err(format!("the status should be {should_be} and is {}: {}", answer.status, answer.body).into())
}

/// A step-up or refusal: 401 with this problem code.
pub(crate) fn expect_refusal(answer: &Answer, code: &str) -> Result<()> {
    expect_status(answer, 401)?;
    expect("the problem's code", answer.code().as_str(), code)
}

/// The start of something long.
pub(crate) fn short(text: &str) -> String {
    match text.get(..24) {
        Some(start) => format!("{start}…"),
        None => text.to_owned(),
    }
}
