//! The direction of imports, which modules can't enforce: the core knows no async, I/O, clock, log or wire type.
#![expect(clippy::unwrap_used, reason = "a test that can't read the sources has failed")]

use std::fs;
use std::path::{Path, PathBuf};

/// What the decision is made of.
const CORE: [&str; 16] = [
    "time",
    "identity",
    "request",
    "policy",
    "context",
    "attestation",
    "challenge",
    "grant",
    "revocation",
    "event",
    "problem",
    "reason",
    "decision",
    "case",
    "lib",
    "main",
];
/// What the core must not name.
const OUTSIDE: [&str; 12] = [
    "tokio",
    "tonic",
    "envoy_types",
    "moka",
    "prometheus",
    "tracing",
    "hyper",
    "axum",
    "SystemTime",
    "Instant",
    "std::fs",
    "std::net::Tcp",
];
/// Adapters that import only the core; `server`, `admin`, `app` and `cli` put them together.
const ADAPTERS: [&str; 9] = ["config", "ext_authz", "inputs", "keys", "store", "clock", "telemetry", "chassis", "mint"];

/// The adapters that an adapter may name all the same, each with its reason.
const ALLOWED: [(&str, &str); 5] = [
    // A policy's own tests give requests.
    ("config", "inputs"),
    // When keys were good last is told in the time of day.
    ("keys", "clock"),
    // Remembering needs the time, and the clock is a trait.
    ("store", "clock"),
    // A log line has one.
    ("telemetry", "clock"),
    // What could not be read is logged as it was refused.
    ("telemetry", "ext_authz"),
];

#[test]
fn the_core_names_nothing_of_the_outside_world() {
    let mut found = Vec::new();
    for module in &CORE[..14] {
        for file in files_of(module) {
            for (number, line) in code_of(&file) {
                let names =
                    OUTSIDE.iter().chain(&["config", "ext_authz", "store", "telemetry", "server", "admin", "chassis"]);
                for name in names.filter(|name| names_word(&line, name)) {
                    found.push(format!("{}:{number} names {name}: {}", file.display(), line.trim()));
                }
            }
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn adapters_do_not_import_one_another() {
    let mut found = Vec::new();
    for module in ADAPTERS {
        for file in files_of(module) {
            for (number, line) in code_of(&file) {
                let others = ADAPTERS.iter().filter(|other| **other != module && !ALLOWED.contains(&(module, **other)));
                for other in others.filter(|other| line.contains(&format!("crate::{other}"))) {
                    found.push(format!("{}:{number} imports {other}", file.display()));
                }
            }
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn only_decision_makes_a_permit() {
    let makers: Vec<_> = all_files(Path::new("src"))
        .into_iter()
        .filter(|file| code_of(file).iter().any(|(_, line)| line.contains("Permit {") && !line.contains("struct")))
        .collect();
    let outside: Vec<_> = makers.iter().filter(|file| !file.ends_with("src/decision.rs")).collect();
    assert!(outside.is_empty() && !makers.is_empty(), "{outside:?}");
}

#[test]
fn only_answer_makes_a_check_response() {
    let holds_one = |line: &str| ["CheckResponse {", "CheckAnswer {"].iter().any(|made| line.contains(made));
    let makers: Vec<_> = all_files(Path::new("src"))
        .into_iter()
        .filter(|file| {
            let code = code_of(file);
            code.iter().any(|(_, line)| holds_one(line) && !line.contains("->") && !line.contains("struct"))
        })
        .collect();
    assert_eq!(makers, [Path::new("src/ext_authz/answer.rs")]);
}

#[test]
fn only_main_and_the_clock_do_what_only_they_may() {
    for file in all_files(Path::new("src")) {
        for (number, line) in code_of(&file) {
            let exits = line.contains("process::exit");
            let reads_time = line.contains("SystemTime::now") && !file.ends_with("src/clock.rs");
            assert!(!exits && !reads_time, "{}:{number}: {}", file.display(), line.trim());
        }
    }
}

fn files_of(module: &str) -> Vec<PathBuf> {
    let mut files = all_files(&Path::new("src").join(module));
    files.push(Path::new("src").join(format!("{module}.rs")));
    files.retain(|file| file.is_file());
    files
}

/// Production code only: what tests use is their business.
fn all_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files = Vec::new();
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            files.extend(all_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.retain(|file| !file.components().any(|part| part.as_os_str() == "tests") && !file.ends_with("tests.rs"));
    files.sort();
    files
}

/// Lines of code with their numbers: no comments, nothing from `#[cfg(test)]` on.
fn code_of(file: &Path) -> Vec<(usize, String)> {
    let text = fs::read_to_string(file).unwrap();
    let lines = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).enumerate();
    let code = lines.map(|(index, line)| (index + 1, line.split("//").next().unwrap_or_default().to_owned()));
    code.filter(|(_, line)| !line.trim().is_empty()).collect()
}

fn names_word(line: &str, word: &str) -> bool {
    let path = format!("{word}::");
    let before =
        |at: usize| line[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != '"');
    line.match_indices(&path).any(|(at, _)| before(at))
        || (word.starts_with(char::is_uppercase) && line.match_indices(word).any(|(at, _)| before(at)))
}
