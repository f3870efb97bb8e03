//! Every policy that is shown to users loads: those of the examples, and those in the documents.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use assert_cmd::Command;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use stepgate::mint::{Algorithm, SigningKey, jwks};
use support::certificates::Authority;
use support::{Result, repository};

/// What begins every policy, and nothing else that is written in YAML here.
const BEGINNING: &str = "version: 1";

/// `stepgate check` on a policy with the keys that it names beside it, and its own tests where it has some.
fn is_good(policy: &str) -> Result<()> {
    let dir = tempfile::tempdir()?;
    for name in key_files(policy) {
        fs::write(dir.path().join(name), keys()?)?;
    }
    let file = dir.path().join("policy.yaml");
    fs::write(&file, policy)?;
    succeeds(&["check", "--strict"], &file, policy)?;
    if policy.contains("\ntests:") { succeeds(&["test"], &file, policy) } else { Ok(()) }
}

fn succeeds(arguments: &[&str], file: &Path, policy: &str) -> Result<()> {
    let output = Command::cargo_bin("stepgate")?.args(arguments).arg(file).output()?;
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{arguments:?}: {}\n{policy}", String::from_utf8_lossy(&said));
    Ok(())
}

/// The names of key files in a policy.
fn key_files(policy: &str) -> impl Iterator<Item = &str> {
    let named = policy.split("file: ").skip(1).filter_map(|rest| rest.split([' ', '}', '\n']).next());
    named.filter(|name| name.ends_with(".jwks.json"))
}

/// A key set for every algorithm that policies name; made once, for RSA keys take their time.
fn keys() -> Result<&'static str> {
    static KEYS: OnceLock<String> = OnceLock::new();
    if let Some(keys) = KEYS.get() {
        return Ok(keys);
    }
    let all = [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256].map(SigningKey::generate);
    let all = all.into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(KEYS.get_or_init(|| jwks(&all).to_string()))
}

fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(files_below(&path)?);
        } else {
            files.push(path);
        }
    }
    Ok(files)
}

/// Files below these folders whose names end so, each with its text.
fn texts(folders: &[&str], extensions: &[&str]) -> Result<Vec<(PathBuf, String)>> {
    let mut found = Vec::new();
    for folder in folders {
        for file in files_below(&repository(folder))? {
            if file.extension().is_some_and(|own| extensions.iter().any(|extension| own == *extension)) {
                found.push((file.clone(), fs::read_to_string(&file)?));
            }
        }
    }
    Ok(found)
}

/// The YAML blocks of a document.
fn blocks(document: &str) -> impl Iterator<Item = &str> {
    document.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next())
}

fn is_policy(text: &str) -> bool {
    text.lines().any(|line| line == BEGINNING)
}

#[test]
fn every_policy_of_the_examples_is_good() -> Result<()> {
    let policies: Vec<_> = texts(&["examples", "envoy"], &["yaml", "yml"])?;
    let policies: Vec<_> = policies.into_iter().filter(|(_, text)| is_policy(text)).collect();
    assert!(policies.iter().any(|(file, _)| file.ends_with("quickstart/policy.yaml")), "{policies:?}");
    policies.iter().try_for_each(|(_, text)| is_good(text))
}

#[test]
fn every_policy_in_a_document_is_good() -> Result<()> {
    let readme = fs::read_to_string(repository("README.md"))?;
    let documents = texts(&["examples", "envoy", "docs"], &["md"])?;
    let documents = documents.iter().map(|(_, text)| text.as_str()).chain([readme.as_str()]);
    let policies: Vec<_> = documents.flat_map(blocks).filter(|block| is_policy(block)).collect();
    assert!(!policies.is_empty());
    policies.into_iter().try_for_each(is_good)
}

/// What stands around the policy lines of a document that are no whole policy.
const FRAME: &str = r#"
version: 1
resource: https://api.example.com
issuers:
  idp: { issuer: https://idp.example.com, audiences: [https://api.example.com], algorithms: [ES256], keys: { file: idp.jwks.json }, subjects: ["*"] }
  attester: { algorithms: [ES256], keys: { file: attester.jwks.json } }
  wimse: { algorithms: [ES256], keys: { file: wimse.jwks.json } }
  edge: { audiences: [stepgate], algorithms: [ES256], keys: { file: edge.jwks.json } }
credentials: { mtls: { trust_domains: [example.org], certificate: required }, bearer: { issuers: [idp] } }
routes: [{ name: read, match: { path: /v1/payments }, sensitivity: low }]
"#;

/// In a file beside the frame: files are merged.
#[test]
fn the_policy_lines_for_every_profile_are_good() -> Result<()> {
    let readme = fs::read_to_string(repository("examples/profiles/README.md"))?;
    let begins = |block: &&str| block.starts_with("issuers:") || block.starts_with("attestations:");
    let lines: Vec<_> = blocks(&readme).filter(begins).collect();
    assert!(lines.len() >= 8, "{lines:?}");
    for lines in lines {
        let dir = tempfile::tempdir()?;
        for name in key_files(FRAME) {
            fs::write(dir.path().join(name), keys()?)?;
        }
        fs::write(dir.path().join("cluster-ca.pem"), Authority::new()?.pem())?;
        fs::write(dir.path().join("frame.yaml"), FRAME)?;
        fs::write(dir.path().join("lines.yaml"), format!("version: 1\n{lines}"))?;
        succeeds(&["check", "--strict"], dir.path(), lines)?;
    }
    Ok(())
}

/// All documents for users, each with its place.
fn documents() -> Result<Vec<(PathBuf, String)>> {
    let mut documents = texts(&["examples", "envoy", "docs"], &["md"])?;
    for name in ["README.md", "CONTRIBUTING.md"] {
        documents.push((repository(name), fs::read_to_string(repository(name))?));
    }
    Ok(documents)
}

/// Where the links of a document lead, but for those that leave the repository.
fn links(document: &str) -> impl Iterator<Item = &str> {
    let targets = document.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets.filter(|target| !target.contains("://"))
}

/// The name that a heading has in links, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

fn leads_somewhere(from: &Path, link: &str) -> Result<bool> {
    let (path, wanted) = link.split_once('#').unwrap_or((link, ""));
    let place = if path.is_empty() { from.to_owned() } else { from.with_file_name("").join(path) };
    if wanted.is_empty() || !place.exists() {
        return Ok(place.exists());
    }
    let text = fs::read_to_string(&place)?;
    let mut headings = text.lines().filter_map(|line| line.strip_prefix('#'));
    Ok(headings.any(|heading| anchor(heading.trim_start_matches('#').trim()) == wanted))
}

#[test]
fn every_link_in_a_document_leads_somewhere() -> Result<()> {
    let mut dead = Vec::new();
    let mut count = 0;
    for (file, text) in documents()? {
        for link in links(&text) {
            count += 1;
            if !leads_somewhere(&file, link)? {
                dead.push(format!("{}: {link}", file.display()));
            }
        }
    }
    assert!(dead.is_empty() && count > 20, "of {count}: {dead:#?}");
    assert!(!leads_somewhere(&repository("README.md"), "docs/grants.md#no-such-heading")?);
    Ok(())
}

/// The words that allow a command, as Valkey's rules write them.
fn allowed(text: &str) -> BTreeSet<&str> {
    text.split([' ', '\n', '"', '`', ';']).filter(|word| word.starts_with('+') && word.len() > 1).collect()
}

/// The test there allows these commands and no others, and all passes.
#[test]
fn the_store_needs_the_commands_that_the_document_names() -> Result<()> {
    let tried = fs::read_to_string(repository("src/store/valkey/tests/access.rs"))?;
    let told = fs::read_to_string(repository("docs/grants.md"))?;
    let mut told = allowed(&told);
    assert!(told.remove("+config|get"), "which it does without");
    assert_eq!(told, allowed(&tried));
    Ok(())
}

/// "Ten lines of policy": a few more are a different promise.
#[test]
fn the_policy_of_the_readme_has_about_ten_lines() -> Result<()> {
    let readme = fs::read_to_string(repository("README.md"))?;
    let policy = blocks(&readme).find(|block| is_policy(block)).ok_or("no policy in the README")?;
    assert!((10..=11).contains(&policy.lines().count()), "{policy}");
    Ok(())
}
