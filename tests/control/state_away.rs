//! What operators are told while the state that replicas share is away: it counts here, and is no success.

use crate::support::authz::{Ask, Authz};
use crate::support::gate::CHALLENGE_KEY;
use crate::support::issuers::Issuers;
use crate::support::stepgate::{Listen, Stepgate};
use crate::support::workload::Workload;
use crate::support::{Result, http, repository};
use crate::world::{ADMIN, Answer};
use reqwest::Method;
use serde_json::{Value, json};
use std::fs;
use std::net::TcpListener;
use tempfile::TempDir;

/// A gate whose state was never there.
struct Alone {
    stepgate: Stepgate,
    issuers: Issuers,
    _dir: TempDir,
}

impl Alone {
    async fn start() -> Result<Self> {
        let (dir, issuers) = (tempfile::tempdir()?, Issuers::new()?);
        issuers.write_jwks(dir.path())?;
        let write = |name: &str, text: String| -> Result<_> {
            let path = dir.path().join(name);
            fs::write(&path, text)?;
            Ok(path.display().to_string())
        };
        let policy = write("policy.yaml", fs::read_to_string(repository("tests/policies/answers.yaml"))?)?;
        let tokens = write("admin.tokens", format!("alice admin {ADMIN}\n"))?;
        let keys = write("challenge.keys", CHALLENGE_KEY.to_owned())?;
        // Nobody listens there any more.
        let state = format!("redis://{}", TcpListener::bind("127.0.0.1:0")?.local_addr()?);
        let arguments = ["--admin-token-file", &tokens, "--challenge-key-file", &keys, "--state", &state];
        let stepgate = Stepgate::launch(policy.as_ref(), &Listen::any(), &arguments).await?;
        Ok(Self { stepgate, issuers, _dir: dir })
    }

    async fn send(&self, method: Method, path: &str, body: &Value) -> Result<Answer> {
        let url = format!("http://{}{path}", self.stepgate.admin);
        let request = http().build()?.request(method, url).bearer_auth(ADMIN);
        Answer::of(request.body(body.to_string()).send().await?).await
    }

    async fn listed(&self, list: &str) -> Result<Vec<Value>> {
        let answer = self.send(Method::GET, &format!("/v1/{list}"), &Value::Null).await?;
        Ok(answer.json()?[list].as_array().cloned().ok_or("no list")?)
    }

    async fn reason(&self, call: &Ask) -> Result<String> {
        let verdict = Authz::connect(&self.stepgate.listen).await?.check(call).await?;
        Ok(verdict.metadata("reason").to_owned())
    }
}

#[tokio::test]
async fn a_revocation_counts_here_at_once_and_is_told_to_be_shared_later() -> Result<()> {
    let alone = Alone::start().await?;
    let call = Workload::new(&alone.issuers, "billing-web", "payments:read")?.call("GET", "/v1/payments/7");
    assert_eq!(alone.reason(&call).await?, "routine");
    let answer = alone.send(Method::POST, "/v1/revocations", &json!({ "principal": "billing-web" })).await?;
    answer.is_problem(503, "state_away")?;
    let said = answer.detail()?;
    assert!(said.contains("in force in this process, and will be shared when the state is back"), "{said}");
    let id = alone.listed("revocations").await?[0]["id"].clone();
    assert!(said.contains(id.as_str().ok_or("no id")?), "{said}");
    assert_eq!(alone.reason(&call).await?, "credential_revoked");
    Ok(())
}

#[tokio::test]
async fn a_grant_by_hand_is_there_and_can_be_ended() -> Result<()> {
    let alone = Alone::start().await?;
    let body = json!({ "principal": "web", "routes": ["refund"], "reason": "all is down", "ttl": "30m" });
    let answer = alone.send(Method::POST, "/v1/grants", &body).await?;
    answer.is_problem(503, "state_away")?;
    assert!(answer.detail()?.contains("counts in this process alone until"), "{answer:?}");
    let id = alone.listed("grants").await?[0]["id"].clone();
    let path = format!("/v1/grants/{}", id.as_str().ok_or("no id")?);
    alone.send(Method::DELETE, &path, &Value::Null).await?.is_problem(503, "state_away")?;
    assert_eq!(alone.listed("grants").await?, [Value::Null; 0]);
    alone.send(Method::DELETE, &path, &Value::Null).await?.is_problem(404, "not_found")
}
