//! `stepgate test`: the policy's own tests.
#![allow(clippy::unwrap_used, reason = "tests")]

mod mistakes;
mod outputs;
mod results;
#[path = "../support/mod.rs"]
mod support;

use assert_cmd::Command;
use std::fs;
use std::process::Output;
use support::issuers::Issuers;
use support::repository;
use tempfile::TempDir;

/// A folder with a policy, in which each change replaces a text, and the keys of its issuers.
struct Desk(TempDir);

impl Desk {
    fn new(changes: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        Issuers::new().unwrap().write_jwks(folder.path()).unwrap();
        let mut policy = fs::read_to_string(repository("tests/policies/tested.yaml")).unwrap();
        for (text, other) in changes {
            assert!(policy.contains(text), "{text}");
            policy = policy.replacen(text, other, 1);
        }
        fs::write(folder.path().join("policy.yaml"), policy).unwrap();
        Self(folder)
    }

    /// With one more test in a file beside the policy.
    fn with_test(test: &str) -> Self {
        let desk = Self::new(&[]);
        desk.write("tests.yaml", &format!("version: 1\ntests:\n  - {test}\n"));
        desk
    }

    fn write(&self, name: &str, content: &str) {
        fs::write(self.0.path().join(name), content).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::cargo_bin("stepgate").unwrap();
        command.current_dir(self.0.path()).args(["test", "."]).args(arguments).output().unwrap()
    }
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}
