//! Who takes part: the mesh of an example, an attester, the true workload with its client, and a thief.

use super::attester::Attester;
use super::endpoint::TokenEndpoint;
use super::step_up::{Body, Config, StepUpClient};
use super::support::answer::Answer;
use super::support::issuers::{ATTESTER, RESOURCE};
use super::support::mesh::{Caller, HOST, Mesh, Setting, Transport};
use super::support::serving::Serving;
use super::support::{Result, http};
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use stepgate::mint::{Algorithm, SigningKey, random_id};

/// The workload, and what its token grants.
pub(crate) const WORKLOAD: &str = "billing-web";
const SCOPES: &str = "payments:read payments:refund reports:read";
/// For who looks around with KEEP=1: a working day.
const KEPT_TOKEN_SECONDS: u64 = 12 * 3600;
/// A credential that lives longer counts as unusual in the example of context.
const SHORT_TOKEN_SECONDS: u64 = 1800;
/// Where the workload normally doesn't call from: an address of this machine in another network than the declared one.
pub(crate) const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(127, 0, 7, 1);

/// Where the token endpoint takes requests, and what the workload may have of it.
pub(crate) const TOKENS: &str = "/oauth2/token";
const TOKEN_ISSUER: &str = "https://tokens.example.com";
const ISSUED_SCOPES: &str = "payments:read payments:refund admin:users";

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
    invitation: Invitation,
}

/// For who looks around.
#[derive(Debug, Clone, Copy)]
struct Invitation {
    title: &'static str,
    /// A call that is worth trying, as curl's arguments behind Envoy's address.
    call: &'static str,
}

impl World {
    pub(crate) async fn quickstart() -> Result<Self> {
        let invitation = Invitation { title: "The payments service", call: "/v1/payments/7/refund -X POST" };
        let world = Self::start(Setting::quickstart(), KEPT_TOKEN_SECONDS, invitation).await?;
        println!(
            "A payments service, a real Envoy in front of it, and stepgate beside Envoy ({}).",
            world.mesh.stepgate.listen
        );
        Ok(world)
    }

    pub(crate) async fn context() -> Result<Self> {
        let invitation = Invitation {
            title: "The same with context; its caller is offboarded, until the policy says `status: active` again",
            call: "/v1/reports/2026-10 --interface 127.0.7.1",
        };
        let world = Self::start(Setting::context(), SHORT_TOKEN_SECONDS, invitation).await?;
        println!("\nThe same, with a policy that says who normally does what (examples/context).");
        Ok(world)
    }

    pub(crate) async fn tokens() -> Result<Self> {
        let key = SigningKey::generate(Algorithm::Es256)?;
        let clients = [(WORKLOAD.to_owned(), ISSUED_SCOPES.to_owned())];
        let endpoint = TokenEndpoint::new(TOKEN_ISSUER, RESOURCE, key, clients);
        let setting = Setting { service: endpoint.router(), ..Setting::tokens() };
        let call = "/oauth2/token -d 'grant_type=client_credentials&scope=admin:users'";
        let invitation = Invitation { title: "The token endpoint", call };
        let world = Self::start(setting, KEPT_TOKEN_SECONDS, invitation).await?;
        println!("\nAn OAuth token endpoint in the service's place (examples/tokens).");
        Ok(world)
    }

    async fn start(setting: Setting, token_seconds: u64, invitation: Invitation) -> Result<Self> {
        let mesh = Mesh::start(setting, Transport::Unix, Ok).await?;
        let credential = random_id()?;
        let attester = attester(&mesh, &credential).await?;
        let token = mesh.issuers.bearer_for(token_seconds, WORKLOAD, SCOPES)?;
        let config = Config {
            resource: RESOURCE.parse()?,
            connect: format!("http://{}", mesh.envoy.address).parse()?,
            token: token.clone(),
            attester: format!("http://{}/attestations", attester.address).parse()?,
            credential,
            task: None,
        };
        let client = StepUpClient::new(http().build()?, config)?;
        Ok(Self { caller: mesh.caller()?, mesh, token, client, attester, invitation })
    }

    /// A call with the token and nothing else.
    pub(crate) async fn with_token(&self, method: &str, path: &str) -> Result<Answer> {
        let request = self.caller.request(method.parse()?, path);
        Answer::to(request.bearer_auth(&self.token)).await
    }

    /// The same from another network.
    pub(crate) async fn with_token_elsewhere(&self, method: &str, path: &str) -> Result<Answer> {
        let caller = self.mesh.caller_from(IpAddr::V4(ELSEWHERE))?;
        Answer::to(caller.request(method.parse()?, path).bearer_auth(&self.token)).await
    }

    /// A request for a token, with the workload's credential and nothing else.
    pub(crate) async fn ask_for_token(&self, form: &str) -> Result<Answer> {
        let request = self.caller.post(TOKENS).bearer_auth(&self.token).body(form.to_owned());
        Answer::to(request.header("content-type", "application/x-www-form-urlencoded")).await
    }

    /// A call by the workload's client.
    pub(crate) async fn by_client(&mut self, method: &str, path: &str) -> Result<Answer> {
        Answer::read(self.client.call(method.parse()?, path).await?).await
    }

    /// A request for a token by the workload's client.
    pub(crate) async fn token_by_client(&mut self, form: &str) -> Result<Answer> {
        let form = Body::Form(form.to_owned());
        Answer::read(self.client.call_with("POST".parse()?, TOKENS, Some(&form)).await?).await
    }

    /// Says how to look around.
    pub(crate) fn invite(&self) -> Result<()> {
        let file = self.mesh.dir().join("token");
        fs::write(&file, &self.token)?;
        let (envoy, stepgate) = (&self.mesh.envoy, &self.mesh.stepgate);
        println!("\n{}:", self.invitation.title);
        println!("    envoy     http://{} (admin http://{})", envoy.address, envoy.admin);
        println!("    stepgate  {} (admin http://{})", stepgate.listen, stepgate.admin);
        println!("    attester  http://{}", self.attester.address);
        println!("    policy    {}", self.mesh.dir().join("policy.yaml").display());
        let token = format!("-H \"Authorization: Bearer $(cat {})\"", file.display());
        println!("    curl -i http://{}{} -H 'Host: {HOST}' {token}", envoy.address, self.invitation.call);
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
