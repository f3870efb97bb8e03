//! Who takes part: the mesh of the quickstart, an attester, the true workload with its client, and a thief.

use super::attester::Attester;
use super::step_up::{Config, StepUpClient};
use super::support::answer::Answer;
use super::support::issuers::{ATTESTER, RESOURCE};
use super::support::mesh::{Caller, HOST, Mesh, Transport};
use super::support::serving::Serving;
use super::support::{Result, http};
use std::fs;
use stepgate::mint::{SigningKey, random_id};

/// The workload, and what its token grants.
pub(crate) const WORKLOAD: &str = "billing-web";
const SCOPES: &str = "payments:read payments:refund";
/// For who looks around with KEEP=1: a working day.
const KEPT_TOKEN_SECONDS: u64 = 12 * 3600;

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) mesh: Mesh,
    /// The token that a thief has stolen from the workload.
    pub(crate) token: String,
    /// Someone with a plain HTTP client.
    pub(crate) caller: Caller,
    /// The workload's own client.
    pub(crate) client: StepUpClient,
    attester: Serving,
}

impl World {
    pub(crate) async fn start() -> Result<Self> {
        let mesh = Mesh::quickstart(Transport::Unix).await?;
        let credential = random_id()?;
        let attester = attester(&mesh, &credential).await?;
        let token = mesh.issuers.bearer_for(KEPT_TOKEN_SECONDS, WORKLOAD, SCOPES)?;
        let config = Config {
            resource: RESOURCE.parse()?,
            connect: format!("http://{}", mesh.envoy.address).parse()?,
            token: token.clone(),
            attester: format!("http://{}/attestations", attester.address).parse()?,
            credential,
            task: None,
        };
        let client = StepUpClient::new(http().build()?, config)?;
        println!(
            "A payments service, a real Envoy in front of it, and stepgate beside Envoy ({}).",
            mesh.stepgate.listen
        );
        Ok(Self { caller: mesh.caller()?, mesh, token, client, attester })
    }

    /// A call with the token and nothing else.
    pub(crate) async fn with_token(&self, method: &str, path: &str) -> Result<Answer> {
        let request = self.caller.request(method.parse()?, path);
        Answer::to(request.bearer_auth(&self.token)).await
    }

    /// A call by the workload's client.
    pub(crate) async fn by_client(&mut self, method: &str, path: &str) -> Result<Answer> {
        Answer::read(self.client.call(method.parse()?, path).await?).await
    }

    /// Says how to look around.
    pub(crate) fn invite(&self) -> Result<()> {
        let file = self.mesh.dir().join("token");
        fs::write(&file, &self.token)?;
        let (envoy, stepgate) = (&self.mesh.envoy, &self.mesh.stepgate);
        let call = format!("-H 'Host: {HOST}' -H \"Authorization: Bearer $(cat {})\"", file.display());
        println!("\nIt goes on running until Ctrl-C:");
        println!("    envoy     http://{} (admin http://{})", envoy.address, envoy.admin);
        println!("    stepgate  {} (admin http://{})", stepgate.listen, stepgate.admin);
        println!("    attester  http://{}", self.attester.address);
        println!("    policy    {}", self.mesh.dir().join("policy.yaml").display());
        println!("\nTry a routine call, a refund, and what stepgate counted:");
        println!("    curl -i http://{}/v1/payments/7 {call}", envoy.address);
        println!("    curl -i -X POST http://{}/v1/payments/7/refund {call}", envoy.address);
        println!("    curl -s http://{}/metrics | grep '^stepgate_decisions_total'", stepgate.admin);
        Ok(())
    }

    /// Stops everything, and sees that stepgate stops well.
    pub(crate) async fn end(mut self) -> Result<()> {
        self.mesh.envoy.stop().await?;
        let ended = self.mesh.stepgate.terminate().await?;
        if ended.success() { Ok(()) } else { Err(format!("stepgate should exit with 0: {ended}").into()) }
    }
}

async fn attester(mesh: &Mesh, credential: &str) -> Result<Serving> {
    let key = SigningKey::from_jwk(&mesh.issuers.attester.private_jwk()?)?;
    let attester = Attester::new(ATTESTER, key, [(WORKLOAD.to_owned(), credential.to_owned())]);
    Serving::start(attester.router()).await
}
