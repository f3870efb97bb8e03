//! The binary under a policy that names its keys and does not hold them.

use crate::support::Result;
use crate::support::authz::{Ask, Authz};
use crate::support::certificates::Authority;
use crate::support::issuers::{IDP, Issuers, RESOURCE, bearer};
use crate::support::stepgate::{Listen, Stepgate};
use crate::support::verdict::Verdict;
use crate::support::wait::until;
use std::fs;
use std::path::Path;
use stepgate::mint::{Algorithm, SigningKey};
use tempfile::TempDir;

pub(crate) const READ: &str = "/v1/payments/7";
pub(crate) const REFUND: &str = "/v1/payments/7/refund";
pub(crate) const NAME: &str = "billing-web";
pub(crate) const SCOPES: &str = "payments:read payments:refund";

pub(crate) struct World {
    pub stepgate: Stepgate,
    pub authz: Authz,
    pub issuers: Issuers,
    pub authority: Authority,
    dir: TempDir,
}

/// A folder with what the policies name, before anything runs.
pub(crate) struct Ground {
    pub issuers: Issuers,
    pub authority: Authority,
    dir: TempDir,
}

impl Ground {
    pub(crate) fn new() -> Result<Self> {
        let (issuers, authority, dir) = (Issuers::new()?, Authority::new()?, tempfile::tempdir()?);
        issuers.write_jwks(dir.path())?;
        fs::write(dir.path().join("ca.pem"), authority.pem())?;
        Ok(Self { issuers, authority, dir })
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Starts under a policy with these keys for bearers and for attestations; ready or not.
    pub(crate) async fn launch(self, idp: &str, attester: &str) -> Result<World> {
        let file = self.dir.path().join("policy.yaml");
        fs::write(&file, policy(idp, attester))?;
        let stepgate = Stepgate::launch(&file, &Listen::any(), &[]).await?;
        let authz = Authz::connect(&stepgate.listen).await?;
        let Self { issuers, authority, dir } = self;
        Ok(World { stepgate, authz, issuers, authority, dir })
    }

    pub(crate) async fn start(self, idp: &str, attester: &str) -> Result<World> {
        let world = self.launch(idp, attester).await?;
        world.stepgate.ready().await?;
        Ok(world)
    }
}

impl World {
    pub(crate) fn replace_policy(&self, idp: &str, attester: &str) -> Result<()> {
        Ok(fs::write(self.dir.path().join("policy.yaml"), policy(idp, attester))?)
    }

    /// What becomes of a routine call with this token.
    pub(crate) async fn read(&self, token: &str) -> Result<Verdict> {
        self.authz.check(&Ask::new("GET", READ).header("authorization", format!("Bearer {token}"))).await
    }

    /// The reason that a routine call with this token gets.
    pub(crate) async fn reason(&self, token: &str) -> Result<String> {
        Ok(self.read(token).await?.metadata("reason").to_owned())
    }

    pub(crate) async fn looks(&self, issuer: &str, outcome: &str) -> Result<u64> {
        self.stepgate.count("stepgate_jwks_refreshes_total", &[("issuer", issuer), ("outcome", outcome)]).await
    }

    pub(crate) async fn keys(&self, issuer: &str) -> Result<u64> {
        self.stepgate.count("stepgate_jwks_keys", &[("issuer", issuer)]).await
    }

    /// Waits until a routine call with this token gets this reason.
    pub(crate) async fn until_reason(&self, token: &str, reason: &str) -> Result<()> {
        let is_it = async || self.reason(token).await.ok().filter(|found| found == reason);
        until(&format!("a call to be {reason}"), is_it).await.map(drop)
    }
}

pub(crate) fn key() -> Result<SigningKey> {
    Ok(SigningKey::generate(Algorithm::Es256)?)
}

pub(crate) fn token(key: &SigningKey) -> Result<String> {
    Ok(bearer(NAME, SCOPES).sign(key)?)
}

/// Keys at this URL, under the CA of the test.
pub(crate) fn at(url: &str) -> String {
    format!("{{ url: \"{url}\", ca: ca.pem }}")
}

pub(crate) const IDP_FILE: &str = "{ file: idp.jwks.json }";
pub(crate) const ATTESTER_FILE: &str = "{ file: attester.jwks.json }";

fn policy(idp: &str, attester: &str) -> String {
    format!(
        r#"
version: 1
resource: {RESOURCE}
issuers:
  idp: {{ issuer: {IDP}, audiences: [{RESOURCE}], algorithms: [ES256], keys: {idp} }}
  attester: {{ issuer: https://attest.example.com, algorithms: [ES256], keys: {attester} }}
credentials:
  bearer: {{ issuers: [idp] }}
scopes:
  elevated: ["payments:refund"]
routes:
  - {{ name: read-payment, match: {{ methods: [GET], path: "/v1/payments/{{id}}" }}, sensitivity: moderate, scopes: [payments:read] }}
  - {{ name: refund, match: {{ methods: [POST], path: "/v1/payments/{{id}}/refund" }}, sensitivity: high, scopes: [payments:refund] }}
  - {{ name: open, match: {{ methods: [GET], path: "/x" }}, sensitivity: low, anonymous: true }}
attestations:
  workload: {{ profile: oauth-client-attestation, issuers: [attester] }}
assurance:
  - {{ name: fresh, max_age: 5m, accept: [workload] }}
rules:
  - {{ name: elevated-on-sensitive, when: {{ sensitivity: high, privilege: elevated }}, require: fresh }}
"#
    )
}
