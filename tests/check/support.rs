//! A folder with a good policy and its keys, and what becomes of them.

use assert_cmd::Command;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use stepgate::config::{self, Diagnostics, Loaded};
use tempfile::TempDir;

/// Every section that this version takes.
pub(crate) const GOOD: &str = r#"
version: 1
mode: enforce
resource: https://api.example.com
issuers:
  idp:
    issuer: https://idp.example.com
    audiences: [https://api.example.com]
    algorithms: [ES256, RS256]
    subjects: ["spiffe://example.org/**", "billing-*"]
    keys: { file: keys/idp.jwks.json }
  attester: { algorithms: [ES256], keys: { file: keys/attester.jwks.json } }
credentials:
  identity: [mtls, bearer]
  mtls: { trust_domains: [example.org], certificate: required }
  bearer: { issuers: [idp], header: authorization, subject: sub, scopes: scope, delegated: false }
  leeway: 10s
scopes:
  elevated: ["payments:refund", "admin:*"]
routes:
  - { name: read, match: { methods: [GET], path: "/v1/payments/{id}" }, sensitivity: moderate, scopes: [payments:read] }
  - { name: refund, match: { methods: [POST], path: "/v1/payments/{id}/refund" }, sensitivity: high, scopes: [payments:refund] }
unmatched: { sensitivity: critical }
attestations:
  workload: { profile: oauth-client-attestation, issuers: [attester], proof: any, forward: true }
assurance:
  - { name: fresh, max_age: 5m, accept: [workload] }
  - { name: bound, max_age: 60s, accept: [workload], challenge: required }
rules:
  - { name: elevated-on-sensitive, when: { sensitivity: high, privilege: elevated }, require: fresh, controls: ["OWASP-NHI5:2025"] }
  - { name: critical, when: { sensitivity: critical }, require: bound }
"#;

/// RFC 7515 appendix A.3.
pub(crate) const JWKS: &str = r#"{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;

/// A folder that is gone with this value.
#[derive(Debug)]
pub(crate) struct Folder(TempDir);

impl Folder {
    /// With keys and no policy.
    pub(crate) fn new() -> Self {
        let folder = Self(TempDir::new().unwrap());
        for issuer in ["idp", "attester"] {
            folder.write(&format!("keys/{issuer}.jwks.json"), JWKS);
        }
        folder
    }

    pub(crate) fn with(policy: &str) -> Self {
        let folder = Self::new();
        folder.write("policy.yaml", policy);
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn load(&self) -> Result<Loaded, Diagnostics> {
        config::load(&[self.path().to_owned()])
    }

    /// Runs `stepgate check` here, so that every path in its output is relative.
    pub(crate) fn check(&self, arguments: &[&str]) -> Output {
        let mut command = Command::cargo_bin("stepgate").unwrap();
        command.arg("check").args(arguments).current_dir(self.path()).output().unwrap()
    }
}

/// The good policy with some sections replaced or added. A section that says `gone` is taken out.
pub(crate) fn changed(change: &str) -> String {
    let mut sections = sections(GOOD);
    let changes = self::sections(change);
    sections.retain(|(key, _)| !changes.iter().any(|(changed, _)| changed == key));
    sections.extend(changes.into_iter().filter(|(key, text)| text.trim() != format!("{key}: gone")));
    sections.into_iter().map(|(_, text)| text).collect()
}

/// Top-level keys and the lines that belong to each.
pub(crate) fn sections(policy: &str) -> Vec<(&str, String)> {
    let mut sections: Vec<(&str, String)> = Vec::new();
    for line in policy.lines().filter(|line| !line.is_empty()) {
        match line.split_once(':') {
            Some((key, _)) if !line.starts_with([' ', '#', '-']) => sections.push((key, format!("{line}\n"))),
            _ => {
                let (_, text) = sections.last_mut().unwrap();
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    sections
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}
