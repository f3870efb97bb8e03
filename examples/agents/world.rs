//! Who takes part: the MCP server behind Envoy, an attester, the agent, and others who call the same tools.

use super::agent::{Agent, MCP, accepting, message};
use super::attester::Attester;
use super::server;
use super::step_up::{Config, StepUpClient};
use super::support::answer::Answer;
use super::support::issuers::{ATTESTER, RESOURCE};
use super::support::mesh::{Caller, Mesh, Setting, Transport};
use super::support::serving::Serving;
use super::support::{Result, http};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use stepgate::mint::{SigningKey, random_id};

pub(crate) const AGENT: &str = "close-books";
pub(crate) const SERVICE: &str = "nightly-cleanup";
pub(crate) const TASK: &str = "close-books-2026-11";
pub(crate) const SCOPES: &str = "ledger:read ledger:write payments:delete tools:other";

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) mesh: Mesh,
    pub(crate) agent: Agent,
    /// The agent's token, which someone else has got hold of.
    pub(crate) token: String,
    caller: Caller,
    _attester: Serving,
}

impl World {
    pub(crate) async fn start() -> Result<Self> {
        // The Envoy of the other example: what it has to be like doesn't hang on who calls.
        let (policy, bootstrap) = ("examples/agents/policy.yaml", "examples/mcp/envoy.yaml");
        let setting = Setting { policy, bootstrap, service: server::router() };
        let mesh = Mesh::start(setting, Transport::Unix, Ok).await?;
        let (credential, token) = (random_id()?, mesh.issuers.bearer(AGENT, SCOPES)?);
        let key = SigningKey::from_jwk(&mesh.issuers.attester.private_jwk()?)?;
        let attester = Attester::new(ATTESTER, key, [(AGENT.to_owned(), credential.clone())]);
        let attester = Serving::start(attester.router()).await?;
        let config = Config {
            resource: RESOURCE.parse()?,
            connect: format!("http://{}", mesh.envoy.address).parse()?,
            token: token.clone(),
            attester: format!("http://{}/attestations", attester.address).parse()?,
            credential,
            task: Some(TASK.to_owned()),
        };
        let agent = Agent::new(StepUpClient::new(http().default_headers(accepting()).build()?, config)?);
        Ok(Self { caller: mesh.caller()?, mesh, agent, token, _attester: attester })
    }

    /// A tool call with a token and nothing else.
    pub(crate) async fn tool_with(&self, token: &str, name: &str, arguments: &Value) -> Result<Answer> {
        let call = message(1, "tools/call", &json!({ "name": name, "arguments": arguments }));
        Answer::to(self.post(token).json(&call)).await
    }

    pub(crate) fn post(&self, token: &str) -> RequestBuilder {
        self.caller.post(MCP).headers(accepting()).bearer_auth(token)
    }

    /// How often stepgate asked for proof, as it counts itself.
    pub(crate) async fn challenges(&self) -> Result<u64> {
        self.mesh.stepgate.count("stepgate_decisions_total", &[("decision", "step_up")]).await
    }

    /// How many attestations stepgate has seen for the first time.
    pub(crate) async fn attestations(&self) -> Result<u64> {
        let labels = [("cache", "attestation"), ("outcome", "miss")];
        self.mesh.stepgate.count("stepgate_cache_lookups_total", &labels).await
    }
}
