//! A gate with operators.

use crate::support::gate::Gate;
use crate::support::{Result, http, repository};
use reqwest::{Method, Response};
use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

pub(crate) const ADMIN: &str = "ad31n0123456789abcdef0123456789abcdef";
pub(crate) const READ: &str = "4ead0123456789abcdef0123456789abcdef";

pub(crate) struct World {
    pub gate: Gate,
    dir: TempDir,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: String,
}

impl World {
    pub(crate) async fn start() -> Result<Self> {
        Self::start_with(&[]).await
    }

    /// With these arguments beside the tokens'.
    pub(crate) async fn start_with(arguments: &[&str]) -> Result<Self> {
        Self::start_policy(&fs::read_to_string(repository("tests/policies/answers.yaml"))?, arguments).await
    }

    /// Under a policy in words.
    pub(crate) async fn start_under(policy: &str) -> Result<Self> {
        Self::start_policy(policy, &[]).await
    }

    async fn start_policy(policy: &str, arguments: &[&str]) -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let file = dir.path().join("admin.tokens");
        fs::write(&file, format!("# who operates this gate\nalice admin {ADMIN}\nbob read {READ}\n"))?;
        let file = file.display().to_string();
        let arguments = [&["--admin-token-file", &file], arguments].concat();
        Ok(Self { gate: Gate::start_under(policy, &arguments).await?, dir })
    }

    pub(crate) fn token_file(&self) -> PathBuf {
        self.dir.path().join("admin.tokens")
    }

    /// Asks with these values of `Authorization`.
    pub(crate) async fn ask(&self, method: Method, path: &str, authorization: &[&str]) -> Result<Answer> {
        let url = format!("http://{}{path}", self.gate.stepgate.admin);
        let request = http().build()?.request(method, url);
        let request = authorization.iter().fold(request, |request, value| request.header("authorization", *value));
        Answer::of(request.send().await?).await
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Result<Answer> {
        self.ask(Method::GET, path, &[&format!("Bearer {token}")]).await
    }

    /// Sends a body as an administrator.
    pub(crate) async fn send(&self, method: Method, path: &str, body: impl Into<String>) -> Result<Answer> {
        self.send_as(ADMIN, method, path, body).await
    }

    pub(crate) async fn send_as(
        &self,
        token: &str,
        method: Method,
        path: &str,
        body: impl Into<String>,
    ) -> Result<Answer> {
        let url = format!("http://{}{path}", self.gate.stepgate.admin);
        let request = http().build()?.request(method, url).bearer_auth(token);
        Answer::of(request.header("content-type", "application/json").body(body.into()).send().await?).await
    }

    /// What is found at a path, as a reader sees it.
    pub(crate) async fn look(&self, path: &str) -> Result<Value> {
        let answer = self.get(path, READ).await?;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        Ok(serde_json::from_str(&answer.body)?)
    }

    /// Everything that the program has said so far.
    pub(crate) fn said(&self) -> String {
        self.gate.stepgate.child().stderr().join("\n")
    }
}

impl Answer {
    pub(crate) async fn of(response: Response) -> Result<Self> {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Self { status, headers, body: response.text().await? })
    }

    pub(crate) fn json(&self) -> Result<Value> {
        Ok(serde_json::from_str(&self.body)?)
    }

    /// What a problem says in particular.
    pub(crate) fn detail(&self) -> Result<String> {
        Ok(self.json()?["detail"].as_str().unwrap_or_default().to_owned())
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Checks that it is a problem document of this status and code.
    pub(crate) fn is_problem(&self, status: u16, code: &str) -> Result<()> {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        assert_eq!(self.header("cache-control"), Some("no-store"));
        let problem: Value = serde_json::from_str(&self.body)?;
        assert_eq!((&problem["status"], &problem["code"]), (&status.into(), &code.into()), "{problem}");
        assert_eq!(problem["type"], format!("urn:stepgate:problem:{code}"));
        assert!(problem["title"].is_string() && problem["detail"].is_string(), "{problem}");
        Ok(())
    }
}
