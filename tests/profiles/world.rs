//! A mesh under the policy of the example, the platforms that vouch for its workload, and both clients.

use crate::client::{Arguments, Client};
use crate::platforms::Platforms;
use crate::support::answer::Answer;
use crate::support::certificates::uri;
use crate::support::issuers::Issuers;
use crate::support::mesh::{Mesh, Setting, Transport};
use crate::support::serving::Serving;
use crate::support::{Result, http, repository};
use clap::Parser;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use stepgate::mint::{SigningKey, random_id};
use tokio::process::Command;

pub(crate) const REFUND: &str = "/v1/payments/7/refund";
pub(crate) const PAYOUT: &str = "/v1/payouts";
pub(crate) const DEPLOY: &str = "/v1/deployments/production";
pub(crate) const CLOSE: &str = "/v1/ledger/2026-11/close";
const SPIFFE_ID: &str = "spiffe://example.org/ns/billing/sa/web";
const TOKEN_REQUEST: &str = "api/v1/namespaces/billing/serviceaccounts/web/token";
/// Callers of the example may come without a certificate, with their token alone; a matcher for names would want one.
const CERTIFICATE_REQUIRED: &str =
    "/static_resources/listeners/0/filter_chains/0/transport_socket/typed_config/require_client_certificate";
const SAN_MATCHER: &str = "/static_resources/listeners/0/filter_chains/0/transport_socket/typed_config\
    /common_tls_context/validation_context/match_typed_subject_alt_names";
const PACKAGES: &str = ".tools/python";

#[derive(Debug)]
pub(crate) struct World {
    mesh: Mesh,
    platforms: Serving,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Rust,
    Python,
}

/// What came of it for the client.
#[derive(Debug)]
pub(crate) enum Outcome {
    Answer(u16, Value),
    Failure(String),
}

impl World {
    pub(crate) async fn start() -> Result<Self> {
        let (dir, issuers, credential) = (tempfile::tempdir()?, Issuers::new()?, random_id()?);
        let attester = SigningKey::from_jwk(&issuers.attester.private_jwk()?)?;
        let platforms = Platforms::new(&credential)?.with_attester(attester);
        platforms.write_jwks(dir.path())?;
        let setting = Setting::of("examples/profiles/policy.yaml", "envoy/bootstrap.yaml");
        let mesh = Mesh::start_in(dir, issuers, setting, Transport::Unix, |bootstrap| {
            bootstrap.with(CERTIFICATE_REQUIRED, json!(false))?.with(SAN_MATCHER, json!([]))
        });
        let (mesh, platforms) = (mesh.await?, Serving::start(platforms.router()).await?);
        let world = Self { mesh, platforms };
        world.write(&credential)?;
        Ok(world)
    }

    /// What the workload has.
    fn write(&self, credential: &str) -> Result<()> {
        let issuers = &self.mesh.issuers;
        let billing = issuers.bearer("billing-web", "payments:read payments:refund payments:payout ledger:close")?;
        let certified = self.mesh.authority.client(vec![uri(SPIFFE_ID)?])?;
        fs::write(self.file("credential"), credential)?;
        fs::write(self.file("billing.token"), billing)?;
        fs::write(self.file("ci.token"), issuers.bearer("ci-deploy", "builds:read deployments:create")?)?;
        Ok(fs::write(self.file("workload.pem"), format!("{}{}", certified.certificate, certified.key))?)
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.mesh.dir().join(name)
    }

    /// The arguments of either client for a call by this way; what the platform is to find is added to its URL.
    pub(crate) fn arguments(&self, way: &str, path: &str, found: &str) -> Vec<String> {
        let token = if path == DEPLOY { "ci.token" } else { "billing.token" };
        let platform = match way {
            "client-attestation" | "client-attestation-pop" => "attester",
            "kubernetes" => TOKEN_REQUEST,
            "spiffe" => "spire",
            "certificate" => "edge",
            "ear" => "verifier",
            own => own,
        };
        let platform = format!("http://{}/{platform}{found}", self.platforms.address);
        let file = |name: &str| self.file(name).display().to_string();
        let mut arguments: Vec<_> = [way, "POST", path].map(str::to_owned).into();
        arguments.extend(["--connect".to_owned(), format!("https://{}", self.mesh.envoy.address)]);
        arguments.extend(["--ca".to_owned(), file("ca.crt"), "--token-file".to_owned(), file(token)]);
        arguments.extend(["--platform".to_owned(), platform, "--credential-file".to_owned(), file("credential")]);
        arguments
    }

    /// The arguments for a token that the cluster has put into a file, for our audience and no challenge.
    pub(crate) async fn projected(&self, path: &str) -> Result<Vec<String>> {
        let url = format!("http://{}/{TOKEN_REQUEST}", self.platforms.address);
        let request = http().build()?.post(url).bearer_auth(fs::read_to_string(self.file("credential"))?);
        let answer = Answer::to(request.json(&json!({ "spec": { "audiences": ["stepgate"] } }))).await?.json()?;
        let (token, file) = (answer["status"]["token"].as_str().ok_or("no token")?, self.file("projected.token"));
        fs::write(&file, token)?;
        let mut arguments = self.arguments("projected", path, "");
        let place =
            arguments.iter_mut().skip_while(|argument| *argument != "--platform").nth(1).ok_or("no platform")?;
        *place = file.display().to_string();
        Ok(arguments)
    }

    /// The same by a caller with its client certificate.
    pub(crate) fn certified(&self, arguments: Vec<String>) -> Vec<String> {
        with(arguments, &["--certificate", &self.file("workload.pem").display().to_string()])
    }

    /// What the decision log says of an answer that was refused.
    pub(crate) async fn reason(&self, body: &Value) -> Result<String> {
        let id = body["decision_id"].as_str().ok_or_else(|| format!("no decision in {body}"))?;
        let decision = self.mesh.stepgate.decision(id).await?;
        Ok(decision["reason"].as_str().unwrap_or_default().to_owned())
    }
}

pub(crate) fn with(mut arguments: Vec<String>, more: &[&str]) -> Vec<String> {
    arguments.extend(more.iter().map(|argument| (*argument).to_owned()));
    arguments
}

impl Language {
    pub(crate) async fn call(self, arguments: &[String]) -> Result<Outcome> {
        match self {
            Self::Rust => in_rust(arguments).await,
            Self::Python => in_python(arguments).await,
        }
    }
}

async fn in_rust(arguments: &[String]) -> Result<Outcome> {
    let name = "profiles".to_owned();
    let client = Client::new(Arguments::try_parse_from(std::iter::once(&name).chain(arguments))?)?;
    Ok(match client.call().await {
        Ok(answer) => Outcome::Answer(answer.status.as_u16(), serde_json::from_str(&answer.body)?),
        Err(why) => Outcome::Failure(why.to_string()),
    })
}

async fn in_python(arguments: &[String]) -> Result<Outcome> {
    let packages = repository(PACKAGES);
    if !packages.join(".installed").exists() {
        return Err("the packages of the client in Python are missing; run `make tools`".into());
    }
    let output = python(&packages).args(arguments).output().await.map_err(|why| format!("can't run python3: {why}"))?;
    let (stdout, stderr) = (String::from_utf8(output.stdout.clone())?, String::from_utf8(output.stderr.clone())?);
    let Some((status, body)) = stdout.split_once(' ') else { return Ok(Outcome::Failure(stderr)) };
    let status: u16 = status.parse()?;
    check_exit(status, &output)?;
    Ok(Outcome::Answer(status, serde_json::from_str(body)?))
}

fn python(packages: &Path) -> Command {
    let mut python = Command::new("python3");
    python.arg(repository("examples/profiles/client.py")).env("PYTHONPATH", packages).kill_on_drop(true);
    python.env("PYTHONDONTWRITEBYTECODE", "1");
    python
}

/// Scripts go by how it ends.
fn check_exit(status: u16, output: &Output) -> Result<()> {
    if output.status.success() == (status == 200) {
        return Ok(());
    }
    Err(format!("client.py: {} after {status}: {}", output.status, String::from_utf8_lossy(&output.stderr)).into())
}
