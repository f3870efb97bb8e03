//! A gate that remembers grants, and a workload whose token is bound to its key.

use crate::support::answer::Answer;
use crate::support::authz::Authz;
use crate::support::gate::Gate;
use crate::support::holder::Holder;
use crate::support::verdict::Verdict;
use crate::support::{Result, http};
use serde_json::Value;
use tempfile::NamedTempFile;

pub(crate) const WEB: &str = "spiffe://example.org/ns/billing/sa/web";
pub(crate) const BATCH: &str = "spiffe://example.org/ns/billing/sa/batch";
pub(crate) const REFUND: &str = "/v1/payments/7/refund";
pub(crate) const READ: &str = "/v1/payments/7";
pub(crate) const END: &str = "/.well-known/stepgate/tasks/end";
pub(crate) const TASK: &str = "run-7";

const OPERATOR: &str = "ad31n0123456789abcdef0123456789abcdef";

pub(crate) struct World {
    pub gate: Gate,
    pub web: Holder,
    /// Gone with the world.
    _tokens: NamedTempFile,
}

impl World {
    pub(crate) async fn start() -> Result<Self> {
        Self::start_with(&[]).await
    }

    pub(crate) async fn start_with(arguments: &[&str]) -> Result<Self> {
        let tokens = NamedTempFile::new()?;
        std::fs::write(tokens.path(), format!("alice admin {OPERATOR}\n"))?;
        let file = tokens.path().display().to_string();
        let gate = Gate::start_with("grants", &[&["--admin-token-file", &file], arguments].concat()).await?;
        let web = Holder::new(&gate.issuers, WEB)?;
        Ok(Self { gate, web, _tokens: tokens })
    }

    /// The first call of a task: with an attestation and its proof.
    pub(crate) async fn attest(&self, path: &str) -> Result<Verdict> {
        self.gate.check(&self.web.attested(&self.gate.issuers, "POST", path, TASK)?).await
    }

    /// Any other: with the token and its proof alone.
    pub(crate) async fn call(&self, path: &str) -> Result<Verdict> {
        self.gate.check(&self.web.plain("POST", path)?).await
    }

    pub(crate) async fn end(&self, who: &Holder) -> Result<Verdict> {
        self.gate.check(&who.attested(&self.gate.issuers, "POST", END, TASK)?).await
    }

    /// What the control API answers the operator.
    pub(crate) async fn operate(&self, method: &str, path: &str, body: Option<Value>) -> Result<Answer> {
        let url = format!("http://{}{path}", self.gate.stepgate.admin);
        let request = http().build()?.request(method.parse()?, url).bearer_auth(OPERATOR);
        Answer::to(if let Some(body) = body { request.json(&body) } else { request }).await
    }

    /// Through another connection, as another Envoy has one.
    pub(crate) async fn another_connection(&self) -> Result<Authz> {
        Authz::connect(&self.gate.stepgate.listen).await
    }
}

#[track_caller]
pub(crate) fn assert_said(verdict: &Verdict, decision: &str, reason: &str) {
    assert_eq!(verdict.said(), (decision, reason));
}
