//! What runs the job: it gives the job's steps what each may have, and no more.

use super::attester::Attester;
use super::support::issuers::ATTESTER;
use super::support::mesh::{Mesh, Setting, Transport};
use super::support::serving::Serving;
use super::support::{Result, repository};
use std::path::PathBuf;
use std::process::Output;
use std::{env, fs};
use stepgate::mint::{SigningKey, random_id};
use tokio::process::Command;

pub(crate) const JOB: &str = "ci-shop";
pub(crate) const RUN: &str = "run-4711";
const SCOPES: &str = "builds:read reports:write artifacts:write deployments:create";

#[derive(Debug)]
pub(crate) struct Runner {
    pub(crate) mesh: Mesh,
    pub(crate) token: String,
    /// What this runner is registered with at the attester.
    credential: String,
    client: PathBuf,
    attester: Serving,
}

impl Runner {
    pub(crate) async fn start() -> Result<Self> {
        let client = client()?;
        let setting = Setting { policy: "examples/ci/policy.yaml", ..Setting::quickstart() };
        let mesh = Mesh::start(setting, Transport::Unix, Ok).await?;
        let (credential, token) = (random_id()?, mesh.issuers.bearer(JOB, SCOPES)?);
        let key = SigningKey::from_jwk(&mesh.issuers.attester.private_jwk()?)?;
        let attester = Attester::new(ATTESTER, key, [(JOB.to_owned(), credential.clone())]);
        let attester = Serving::start(attester.router()).await?;
        fs::write(mesh.dir().join("token"), &token)?;
        Ok(Self { mesh, token, credential, client, attester })
    }

    /// A step that has the job's token.
    pub(crate) async fn step(&self, step: &str) -> Result<()> {
        succeeded(self.script(step).output().await?).map(drop)
    }

    /// A step that may also prove that it runs here. Only a protected one should.
    pub(crate) async fn protected_step(&self, step: &str) -> Result<String> {
        let file = self.mesh.dir().join("credential");
        fs::write(&file, &self.credential)?;
        let mut script = self.script(step);
        script.env("CREDENTIAL_FILE", &file).env("CLIENT", &self.client);
        script.env("ATTESTER", format!("http://{}/attestations", self.attester.address));
        let output = script.output().await;
        fs::remove_file(file)?;
        succeeded(output?)
    }

    fn script(&self, step: &str) -> Command {
        let mut script = Command::new(repository("examples/ci/job.sh"));
        script.arg(step).kill_on_drop(true);
        script.env("API", format!("http://{}", self.mesh.envoy.address));
        script.env("TOKEN_FILE", self.mesh.dir().join("token")).env("RUN_ID", RUN);
        script
    }
}

fn succeeded(output: Output) -> Result<String> {
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout)?);
    }
    Err(format!("job.sh: {}: {}", output.status, String::from_utf8_lossy(&output.stderr)).into())
}

/// The example `client`, which cargo puts beside this one.
fn client() -> Result<PathBuf> {
    let path = env::current_exe()?.with_file_name("client");
    if path.exists() { Ok(path) } else { Err("the client is not built; run `cargo build --example client`".into()) }
}
