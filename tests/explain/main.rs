//! `stepgate explain`: one request, every step and why.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod by_flags;
mod from_files;
mod mistakes;
#[path = "../support/mod.rs"]
mod support;

use assert_cmd::Command;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use support::issuers::Issuers;
use support::repository;
use tempfile::TempDir;

/// A Monday.
const AT: &str = "2026-11-23T10:00:00Z";
const WEB: &str = "spiffe://example.org/ns/billing/sa/web";
const REFUND: &str = "/v1/payments/7/refund";

/// A folder with a policy and the keys of its issuers.
struct Desk {
    folder: TempDir,
    issuers: Issuers,
}

impl Desk {
    fn new() -> Self {
        let (folder, issuers) = (TempDir::new().unwrap(), Issuers::new().unwrap());
        issuers.write_jwks(folder.path()).unwrap();
        fs::copy(repository("tests/policies/tested.yaml"), folder.path().join("policy.yaml")).unwrap();
        Self { folder, issuers }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    fn run(&self, arguments: &[&str], stdin: &str) -> Output {
        let mut command = Command::cargo_bin("stepgate").unwrap();
        command.current_dir(self.path()).args(["explain", "--policy", "policy.yaml"]).args(arguments);
        command.write_stdin(stdin).output().unwrap()
    }

    /// What it says of a request that it can explain.
    fn explain(&self, arguments: &[&str]) -> String {
        self.explain_from(arguments, "")
    }

    fn explain_from(&self, arguments: &[&str], stdin: &str) -> String {
        let output = self.run(arguments, stdin);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The value beside a label.
fn fact<'t>(text: &'t str, label: &str) -> &'t str {
    let line = text.lines().find(|line| line.starts_with(&format!("{label} "))).unwrap_or_default();
    line.strip_prefix(label).unwrap_or_default().trim()
}
