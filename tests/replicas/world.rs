//! Three processes under one policy and one challenge key, and what they share.

use crate::support::answer::Answer;
use crate::support::authz::{Ask, Authz};
use crate::support::gate::CHALLENGE_KEY;
use crate::support::holder::Holder;
use crate::support::issuers::Issuers;
use crate::support::stepgate::{Listen, Stepgate};
use crate::support::valkey::Valkey;
use crate::support::verdict::Verdict;
use crate::support::wait::until;
use crate::support::{Result, http, repository};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

pub(crate) const WEB: &str = "spiffe://example.org/ns/billing/sa/web";
pub(crate) const BATCH: &str = "spiffe://example.org/ns/billing/sa/batch";
pub(crate) const REFUND: &str = "/v1/payments/7/refund";
pub(crate) const READ: &str = "/v1/payments/7";
pub(crate) const END: &str = "/.well-known/stepgate/tasks/end";
pub(crate) const TASK: &str = "run-7";
/// The stream that revocations stand in.
pub(crate) const STREAM: &str = "stepgate:revocations";

const OPERATOR: &str = "ad31n0123456789abcdef0123456789abcdef";

pub(crate) struct World {
    pub valkey: Valkey,
    pub replicas: Vec<Replica>,
    pub web: Holder,
    pub issuers: Issuers,
    folder: TempDir,
    more: Vec<String>,
}

pub(crate) struct Replica {
    pub stepgate: Stepgate,
    pub authz: Authz,
    pub operator: Operator,
}

/// Whoever talks to the control API of one replica.
#[derive(Clone)]
pub(crate) struct Operator {
    origin: String,
    http: reqwest::Client,
}

impl World {
    pub(crate) async fn start() -> Result<Self> {
        Self::start_under(&policy()?, &[]).await
    }

    /// Under a level whose evidence can be judged without the store, once all revocations are known.
    pub(crate) async fn start_without_single_use() -> Result<Self> {
        Self::start_under(&policy()?.replace(", single_use: true", ""), &[]).await
    }

    /// Under another policy, and with more arguments.
    pub(crate) async fn start_under(policy: &str, more: &[&str]) -> Result<Self> {
        let (valkey, folder, issuers) = (Valkey::start().await?, tempfile::tempdir()?, Issuers::new()?);
        issuers.write_jwks(folder.path())?;
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text);
        write("policy.yaml", policy)?;
        write("challenge.keys", CHALLENGE_KEY)?;
        write("admin.tokens", &tokens())?;
        let web = Holder::new(&issuers, WEB)?;
        let more = more.iter().map(|&argument| argument.to_owned()).collect();
        let mut world = Self { valkey, replicas: Vec::new(), web, issuers, folder, more };
        for _ in 0..3 {
            let replica = world.another().await?;
            world.replicas.push(replica);
        }
        Ok(world)
    }

    /// One more, once it is ready.
    pub(crate) async fn another(&self) -> Result<Replica> {
        let replica = self.launch().await?;
        replica.stepgate.ready().await?;
        Ok(replica)
    }

    /// One more, ready or not.
    pub(crate) async fn launch(&self) -> Result<Replica> {
        self.launch_with("challenge.keys").await
    }

    /// One more, with challenge keys out of another file.
    pub(crate) async fn launch_with(&self, keys: &str) -> Result<Replica> {
        let (keys, tokens) = (self.file(keys), self.file("admin.tokens"));
        let (keys, tokens, state) = (keys.display().to_string(), tokens.display().to_string(), self.valkey.url());
        let mut arguments = vec!["--challenge-key-file", &keys, "--admin-token-file", &tokens, "--state", &state];
        arguments.extend(self.more.iter().map(String::as_str));
        Replica::of(Stepgate::launch(&self.file("policy.yaml"), &Listen::any(), &arguments).await?).await
    }

    /// A call of the task, with an attestation and its proof.
    pub(crate) fn attested(&self) -> Result<Ask> {
        self.web.attested(&self.issuers, "POST", REFUND, TASK)
    }

    /// A call of the task with no more than a proof of the token.
    pub(crate) fn plain(&self) -> Result<Ask> {
        self.web.plain("POST", REFUND)
    }

    /// Waits until each of these is known to all replicas.
    pub(crate) async fn all_know(&self, ids: &[String]) -> Result<()> {
        for replica in &self.replicas {
            replica.knows_soon(ids).await?;
        }
        Ok(())
    }

    /// Waits until all replicas say so of the state.
    pub(crate) async fn all_say_state(&self, up: bool) -> Result<()> {
        for replica in &self.replicas {
            replica.says_state(up).await?;
        }
        Ok(())
    }

    /// Writes a file beside the policy.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<()> {
        Ok(fs::write(self.file(name), text)?)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Replica {
    pub(crate) async fn of(stepgate: Stepgate) -> Result<Self> {
        let authz = Authz::connect(&stepgate.listen).await?;
        let operator = Operator::of(&stepgate)?;
        Ok(Self { stepgate, authz, operator })
    }

    pub(crate) async fn check(&self, ask: &Ask) -> Result<Verdict> {
        self.authz.check(ask).await
    }

    /// Waits until calls made like this are answered so.
    pub(crate) async fn soon_says(
        &self,
        decision: &str,
        reason: &str,
        mut call: impl FnMut() -> Result<Ask>,
    ) -> Result<()> {
        let mut last = None;
        let waited = until(reason, async || {
            last = self.check(&call().ok()?).await.ok();
            last.as_ref().filter(|verdict| verdict.said() == (decision, reason)).map(drop)
        });
        let waited = waited.await;
        waited.map_err(|why| format!("{why}; it says {:?}", last.as_ref().map(Verdict::said)).into())
    }

    pub(crate) async fn knows_soon(&self, ids: &[String]) -> Result<()> {
        let knows = async || {
            let known = self.operator.revocations().await.ok()?;
            ids.iter().all(|id| known.contains(id)).then_some(())
        };
        until("the revocations to be known", knows).await
    }

    pub(crate) async fn says_state(&self, up: bool) -> Result<()> {
        let wanted = u64::from(up);
        let says = async || (self.stepgate.count("stepgate_state_up", &[]).await.ok()? == wanted).then_some(());
        until("the state to be told as it is", says).await
    }

    /// Whether its own log says this.
    pub(crate) fn logged(&self, text: &str) -> bool {
        self.stepgate.child().stderr().iter().any(|line| line.contains(text))
    }
}

impl Operator {
    pub(crate) fn of(stepgate: &Stepgate) -> Result<Self> {
        Ok(Self { origin: format!("http://{}", stepgate.admin), http: http().build()? })
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: Option<Value>) -> Result<Answer> {
        let request = self.http.request(method.parse()?, format!("{}{path}", self.origin)).bearer_auth(OPERATOR);
        Answer::to(if let Some(body) = body { request.json(&body) } else { request }).await
    }

    /// Revokes a principal; gives back the revocation's id, where all replicas have been told.
    pub(crate) async fn revoke(&self, principal: &str) -> Result<String> {
        let answer = self.send("POST", "/v1/revocations", Some(json!({ "principal": principal }))).await?;
        let id = answer.json()?.get("id").and_then(Value::as_str).map(str::to_owned);
        id.filter(|_| answer.status == 201).ok_or_else(|| format!("not revoked: {answer:?}").into())
    }

    /// The ids of all that are known.
    pub(crate) async fn revocations(&self) -> Result<BTreeSet<String>> {
        let listed = self.send("GET", "/v1/revocations", None).await?.json()?;
        let all = listed.get("revocations").and_then(Value::as_array).ok_or("no revocations")?;
        Ok(all.iter().filter_map(|one| one.get("id")?.as_str().map(str::to_owned)).collect())
    }
}

/// One proof stands for a task, and passes once in all replicas.
pub(crate) fn policy() -> Result<String> {
    Ok(fs::read_to_string(repository("tests/policies/grants.yaml"))?)
}

/// The content of `--admin-token-file`.
pub(crate) fn tokens() -> String {
    format!("alice admin {OPERATOR}\n")
}
