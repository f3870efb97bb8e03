//! What the measured servers need on disk: a policy of 200 routes, its keys, the request's body, the sockets.

use crate::Result;
use crate::message::{self, HOST, Issuers};
use envoy_types::pb::envoy::service::auth::v3::CheckRequest;
use prost::Message;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use stepgate::clock::{Clock, SystemClock};
use tempfile::TempDir;

const ROUTES: usize = 200;

/// A temporary folder; gone when dropped.
#[derive(Debug)]
pub(crate) struct Folder {
    temporary: TempDir,
    message: CheckRequest,
    issuers: Issuers,
    state: Option<String>,
}

impl Folder {
    pub(crate) fn create() -> Result<Self> {
        let temporary = tempfile::tempdir()?;
        let issuers = Issuers::generate()?;
        let message = issuers.routine(SystemClock.now().as_secs())?;
        let created = Self { temporary, message, issuers, state: None };
        fs::create_dir(created.policy())?;
        created.issuers.publish(&created.policy())?;
        fs::write(created.policy().join("policy.yaml"), policy()?)?;
        fs::write(created.challenge_keys(), "5ca1ab1e".repeat(8))?;
        fs::write(created.body(), message::framed(&created.message)?)?;
        Ok(created)
    }

    /// Where servers find the state that they share.
    pub(crate) fn share(self, state: String) -> Self {
        Self { state: Some(state), ..self }
    }

    pub(crate) fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    pub(crate) fn challenge_keys(&self) -> PathBuf {
        self.path().join("challenge.keys")
    }

    pub(crate) fn message(&self) -> &CheckRequest {
        &self.message
    }

    pub(crate) fn issuers(&self) -> &Issuers {
        &self.issuers
    }

    pub(crate) fn message_bytes(&self) -> usize {
        self.message.encoded_len()
    }

    pub(crate) fn policy(&self) -> PathBuf {
        self.path().join("policy")
    }

    /// The body of a call.
    pub(crate) fn body(&self) -> PathBuf {
        self.path().join("body")
    }

    pub(crate) fn path(&self) -> &Path {
        self.temporary.path()
    }
}

/// 100 services of two routes: reading is routine, writing needs fresh attestation.
fn policy() -> Result<String> {
    let mut policy = format!(
        r#"version: 1
resource: https://{HOST}
issuers:
  idp:      {{ issuer: https://idp.example.com, audiences: [https://{HOST}], algorithms: [ES256], keys: {{ file: idp.jwks.json }} }}
  attester: {{ issuer: https://attest.example.com, algorithms: [ES256], keys: {{ file: attester.jwks.json }} }}
credentials:
  bearer: {{ issuers: [idp] }}
scopes:
  elevated: ["*:write"]
attestations:
  workload: {{ profile: oauth-client-attestation, issuers: [attester] }}
  wimse: {{ profile: wimse, issuers: [attester] }}
assurance:
  - {{ name: fresh, max_age: 5m, accept: [workload, wimse], challenge: required }}
rules:
  - {{ name: elevated-on-sensitive, when: {{ sensitivity: high, privilege: elevated }}, require: fresh }}
routes:
"#
    );
    for service in (message::SERVICE - ROUTES / 4)..(message::SERVICE + ROUTES / 4) {
        let path = format!("/v1/service-{service}/items/{{id}}");
        writeln!(
            policy,
            r#"  - {{ name: read-{service}, match: {{ methods: [GET], path: "{path}" }}, sensitivity: moderate, scopes: ["service-{service}:read"] }}
  - {{ name: write-{service}, match: {{ methods: [PUT], path: "{path}" }}, sensitivity: high, scopes: ["service-{service}:write"] }}"#
        )?;
    }
    Ok(policy)
}
