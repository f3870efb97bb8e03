//! A whole mesh on one machine: callers, Envoy, stepgate and the service behind them.

use super::answer::Answer;
use super::certificates::{Authority, Certified};
use super::envoy::{Bootstrap, Envoy};
use super::issuers::Issuers;
use super::stepgate::{Listen, Stepgate};
use super::upstream::{Upstream, agreeable};
use super::wait::until;
use super::{Result, http, repository};
use axum::Router;
use reqwest::{Certificate, Client, ClientBuilder, Identity, Method, RequestBuilder};
use serde_json::Value;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use tempfile::TempDir;

/// The service's name, as callers and the policy know it.
pub const HOST: &str = "api.example.com";

/// Fields end in this order: nothing is asked for after it is gone.
#[derive(Debug)]
pub struct Mesh {
    pub envoy: Envoy,
    pub stepgate: Stepgate,
    pub upstream: Upstream,
    pub issuers: Issuers,
    pub authority: Authority,
    dir: TempDir,
}

/// What a mesh is made of: files of the repository, and the service.
#[derive(Debug, Clone)]
pub struct Setting {
    pub policy: &'static str,
    pub bootstrap: &'static str,
    pub service: Router,
}

/// How Envoy reaches stepgate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    Tcp,
    Unix,
}

/// Someone who calls the service, through Envoy.
#[derive(Debug, Clone)]
pub struct Caller {
    http: Client,
    base: String,
}

impl Mesh {
    /// The quickstart's policy and its Envoy: bearer tokens over plain HTTP.
    pub async fn quickstart(transport: Transport) -> Result<Self> {
        Self::quickstart_with(transport, Ok).await
    }

    pub async fn quickstart_with(
        transport: Transport,
        adapt: impl FnOnce(Bootstrap) -> Result<Bootstrap>,
    ) -> Result<Self> {
        Self::start(Setting::quickstart(), transport, adapt).await
    }

    /// The hardened bootstrap, where callers show client certificates.
    pub async fn mtls(transport: Transport, adapt: impl FnOnce(Bootstrap) -> Result<Bootstrap>) -> Result<Self> {
        Self::start(Setting::of("tests/policies/mtls.yaml", "envoy/bootstrap.yaml"), transport, adapt).await
    }

    pub async fn start(
        setting: Setting,
        transport: Transport,
        adapt: impl FnOnce(Bootstrap) -> Result<Bootstrap>,
    ) -> Result<Self> {
        Self::start_in(tempfile::tempdir()?, Issuers::new()?, setting, transport, adapt).await
    }

    /// The same in a folder that holds what else the policy names.
    pub async fn start_in(
        dir: TempDir,
        issuers: Issuers,
        setting: Setting,
        transport: Transport,
        adapt: impl FnOnce(Bootstrap) -> Result<Bootstrap>,
    ) -> Result<Self> {
        let authority = Authority::new()?;
        issuers.write_jwks(dir.path())?;
        authority.write_server(HOST, dir.path())?;
        let file = dir.path().join("policy.yaml");
        fs::copy(repository(setting.policy), &file)?;
        let listen = match transport {
            Transport::Tcp => Listen::any(),
            Transport::Unix => Listen::Unix(dir.path().join("authz.sock")),
        };
        let upstream = Upstream::start(setting.service).await?;
        let stepgate = Stepgate::start(&file, &listen, &[]).await?;
        let bootstrap = Bootstrap::read(setting.bootstrap, dir.path())?;
        let bootstrap = bootstrap.with_stepgate(&stepgate.listen)?.with_upstream(upstream.address)?;
        let envoy = adapt(bootstrap)?.start().await?;
        Ok(Self { envoy, stepgate, upstream, issuers, authority, dir })
    }

    /// The folder of the policy and its keys; gone with the mesh.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Writes something else into the policy while all runs, and waits until it is in force.
    pub async fn edit_policy(&self, from: &str, to: &str) -> Result<()> {
        let file = self.dir().join("policy.yaml");
        let policy = fs::read_to_string(&file)?;
        if !policy.contains(from) {
            return Err(format!("the policy has no `{from}`").into());
        }
        let before = self.stepgate.reloads().await?;
        fs::write(&file, policy.replace(from, to))?;
        let reloads = async || self.stepgate.reloads().await.ok();
        until("the changed policy", async || reloads().await.filter(|now| *now > before)).await.map(drop)
    }

    /// What the decision log says of the call that was just answered so.
    pub async fn logged(&self, answer: &Answer) -> Result<Value> {
        let refused = answer.json().ok().and_then(|body| Some(body.get("decision_id")?.as_str()?.to_owned()));
        let passed = || Some(self.upstream.last().ok()?.header("x-stepgate-decision-id")?.to_owned());
        let id = refused.or_else(passed).ok_or("nothing was decided")?;
        self.stepgate.decision(&id).await
    }

    /// A caller over plain HTTP.
    pub fn caller(&self) -> Result<Caller> {
        Caller::new("http", self.envoy.address, http())
    }

    /// A caller over plain HTTP, from one of this machine's own addresses.
    pub fn caller_from(&self, address: IpAddr) -> Result<Caller> {
        Caller::new("http", self.envoy.address, http().local_address(address))
    }

    /// A caller over HTTP/2, as gRPC clients are.
    pub fn http2_caller(&self) -> Result<Caller> {
        Caller::new("http", self.envoy.address, http().http2_prior_knowledge())
    }

    /// A caller with a client certificate.
    pub fn certified_caller(&self, certified: &Certified) -> Result<Caller> {
        let identity = Identity::from_pem(format!("{}{}", certified.key, certified.certificate).as_bytes())?;
        let authority = Certificate::from_pem(self.authority.pem().as_bytes())?;
        Caller::new("https", self.envoy.address, http().identity(identity).tls_certs_only([authority]))
    }
}

impl Setting {
    pub fn quickstart() -> Self {
        Self::of("examples/quickstart/policy.yaml", "examples/quickstart/envoy.yaml")
    }

    pub fn context() -> Self {
        Self::of("examples/context/policy.yaml", "examples/context/envoy.yaml")
    }

    pub fn tokens() -> Self {
        Self::of("examples/tokens/policy.yaml", "examples/tokens/envoy.yaml")
    }

    /// These files, in front of a service that answers 200 to everything.
    pub fn of(policy: &'static str, bootstrap: &'static str) -> Self {
        Self { policy, bootstrap, service: agreeable() }
    }
}

impl Caller {
    fn new(scheme: &str, envoy: SocketAddr, http: ClientBuilder) -> Result<Self> {
        let base = format!("{scheme}://{HOST}:{}", envoy.port());
        Ok(Self { http: http.resolve(HOST, envoy).build()?, base })
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base))
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    pub fn post(&self, path: &str) -> RequestBuilder {
        self.request(Method::POST, path)
    }
}
