//! A gate that remembers grants, and a workload whose token is bound to its key.

use crate::support::answer::Answer;
use crate::support::authz::{Ask, Authz};
use crate::support::gate::Gate;
use crate::support::issuers::{RESOURCE, attestation, bearer};
use crate::support::verdict::Verdict;
use crate::support::{Result, http, now};
use serde_json::{Value, json};
use std::time::Duration;
use stepgate::mint::{Algorithm, Jwt, SigningKey};
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
    pub web: Workload,
    /// Gone with the world.
    _tokens: NamedTempFile,
}

/// A workload with a token that is bound to its own key.
pub(crate) struct Workload {
    pub name: &'static str,
    pub key: SigningKey,
    pub token: String,
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
        let web = Workload::new(&gate, WEB)?;
        Ok(Self { gate, web, _tokens: tokens })
    }

    /// The first call of a task: with an attestation and its proof.
    pub(crate) async fn attest(&self, path: &str) -> Result<Verdict> {
        self.gate.check(&self.web.attested(&self.gate, "POST", path, TASK)?).await
    }

    /// Any other: with the token and its proof alone.
    pub(crate) async fn call(&self, path: &str) -> Result<Verdict> {
        self.gate.check(&self.web.plain("POST", path)?).await
    }

    pub(crate) async fn end(&self, who: &Workload) -> Result<Verdict> {
        self.gate.check(&who.attested(&self.gate, "POST", END, TASK)?).await
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

impl Workload {
    pub(crate) fn new(gate: &Gate, name: &'static str) -> Result<Self> {
        let key = SigningKey::generate(Algorithm::Es256)?;
        Ok(Self { name, token: Self::token_for(gate, name, &key)?, key })
    }

    /// A new token, issued now.
    pub(crate) fn renew(&mut self, gate: &Gate) -> Result<()> {
        self.token = Self::token_for(gate, self.name, &self.key)?;
        Ok(())
    }

    fn token_for(gate: &Gate, name: &str, key: &SigningKey) -> Result<String> {
        let scopes = "payments:read payments:refund payments:wipe";
        let token = bearer(name, scopes).claim("cnf", json!({ "jkt": key.public().thumbprint() }));
        Ok(token.sign(&gate.issuers.idp)?)
    }

    pub(crate) fn plain(&self, method: &str, path: &str) -> Result<Ask> {
        let proof = Jwt::proof(self.key.public(), method, &format!("{RESOURCE}{path}"))?;
        let proof = proof.claim("iat", now()).with_token(&self.token).sign(&self.key)?;
        Ok(Ask::new(method, path).header("authorization", format!("DPoP {}", self.token)).header("dpop", proof))
    }

    pub(crate) fn attested(&self, gate: &Gate, method: &str, path: &str, task: &str) -> Result<Ask> {
        let attestation = attestation(self.name, self.key.public()).claim("txn", task);
        Ok(self.plain(method, path)?.header("oauth-client-attestation", attestation.sign(&gate.issuers.attester)?))
    }
}

/// What is issued in the second of a revocation is void by it, so that whoever wants something that is not waits for the
/// next.
pub(crate) async fn next_second() {
    let second = now();
    while now() == second {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub(crate) fn said(verdict: &Verdict) -> (String, String) {
    (verdict.metadata("decision").to_owned(), verdict.metadata("reason").to_owned())
}

#[track_caller]
pub(crate) fn assert_said(verdict: &Verdict, decision: &str, reason: &str) {
    assert_eq!(said(verdict), (decision.to_owned(), reason.to_owned()));
}
