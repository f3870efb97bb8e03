//! The binary with a policy of its own, asked over gRPC without an Envoy between.

use super::authz::{Ask, Authz};
use super::issuers::Issuers;
use super::stepgate::{Listen, Stepgate};
use super::verdict::Verdict;
use super::{Result, repository};
use ::stepgate::challenge::ChallengeKeys;
use ::stepgate::identity::Principal;
use ::stepgate::policy::Origin;
use ::stepgate::time::UnixTime;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// The challenge key of every gate, so that a test can make challenges of any age.
pub const CHALLENGE_KEY: &str = "5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e";

#[derive(Debug)]
pub struct Gate {
    pub stepgate: Stepgate,
    pub authz: Authz,
    pub issuers: Issuers,
    dir: TempDir,
}

impl Gate {
    /// Under a policy of `tests/policies`.
    pub async fn start(policy: &str) -> Result<Self> {
        Self::start_with(policy, &[]).await
    }

    pub async fn start_with(policy: &str, arguments: &[&str]) -> Result<Self> {
        let policy = fs::read_to_string(repository(&format!("tests/policies/{policy}.yaml")))?;
        Self::start_under(&policy, arguments).await
    }

    /// Under a policy in words, which finds the issuers' keys beside it.
    pub async fn start_under(policy: &str, arguments: &[&str]) -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let issuers = Issuers::new()?;
        issuers.write_jwks(dir.path())?;
        let (file, keys) = (dir.path().join("policy.yaml"), dir.path().join("challenge.keys"));
        fs::write(&file, policy)?;
        fs::write(&keys, CHALLENGE_KEY)?;
        let keys = keys.display().to_string();
        let arguments = [&["--challenge-key-file", &keys], arguments].concat();
        let stepgate = Stepgate::start(&file, &Listen::any(), &arguments).await?;
        let authz = Authz::connect(&stepgate.listen).await?;
        Ok(Self { stepgate, authz, issuers, dir })
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub async fn check(&self, ask: &Ask) -> Result<Verdict> {
        self.authz.check(ask).await
    }

    /// The text of the policy.
    pub fn policy(&self) -> Result<String> {
        Ok(fs::read_to_string(self.dir().join("policy.yaml"))?)
    }

    /// Puts another policy in its place; it is in force soon, not at once.
    pub fn replace_policy(&self, policy: &str) -> Result<()> {
        Ok(fs::write(self.dir().join("policy.yaml"), policy)?)
    }
}

/// A challenge as a gate made it at that time, for this caller and resource.
pub fn challenge_at(time: u64, resource: &str, principal: &str) -> Result<String> {
    let keys = ChallengeKeys::parse(CHALLENGE_KEY)?;
    let principal = Principal::parse(principal).map_err(|why| format!("{principal}: {why:?}"))?;
    let resource = Origin::parse(resource).map_err(|why| format!("{resource}: {why:?}"))?;
    let challenge = keys.issue(UnixTime::from_secs(time), [7; 12], &resource, &principal);
    challenge.ok_or_else(|| "no challenge".into())
}
