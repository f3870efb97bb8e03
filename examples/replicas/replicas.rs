//! Who takes part: three stepgates that share one Valkey, one Envoy in front of a service, an attester, and the workload.

use super::attester::Attester;
use super::support::answer::Answer;
use super::support::envoy::{Bootstrap, Envoy};
use super::support::issuers::{ATTESTER, Issuers, RESOURCE, bearer};
use super::support::serving::Serving;
use super::support::stepgate::{Listen, Stepgate};
use super::support::upstream::{Upstream, agreeable};
use super::support::wait::until;
use super::support::{Result, http, now, repository};
use super::task_client::{Config, TaskClient};
use super::valkey::Valkey;
use reqwest::header::HeaderMap;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};
use stepgate::mint::{PublicJwk, SigningKey, challenge_key, random_id};
use tempfile::TempDir;

pub(crate) const WORKLOAD: &str = "nightly-refunds";
const SCOPES: &str = "payments:read payments:refund";
const TOKEN_SECONDS: u64 = 600;
/// Who operates the control API.
const OPERATOR: &str = "alice";
pub(crate) const REPLICAS: usize = 3;
/// Envoy goes round; should it pass one over for a moment, it comes to it soon.
const MOST_CALLS: usize = 4 * REPLICAS;

/// Fields end in this order: nothing is asked for after it is gone.
#[derive(Debug)]
pub(crate) struct Replicas {
    pub(crate) envoy: Envoy,
    pub(crate) stepgates: Vec<Stepgate>,
    valkey: Valkey,
    pub(crate) upstream: Upstream,
    /// The workload's own client.
    pub(crate) client: TaskClient,
    issuers: Issuers,
    attester: Serving,
    http: Client,
    /// The operator's token.
    admin_token: String,
    dir: TempDir,
}

impl Replicas {
    pub(crate) async fn start() -> Result<Self> {
        let (dir, issuers) = (tempfile::tempdir()?, Issuers::new()?);
        let admin_token = write_files(dir.path(), &issuers)?;
        let valkey = Valkey::start(dir.path()).await?;
        let stepgates = stepgates(dir.path(), &valkey).await?;
        let upstream = Upstream::start(agreeable()).await?;
        let envoy = bootstrap(dir.path(), &stepgates)?.with_upstream(upstream.address)?.start().await?;
        let credential = random_id()?;
        let key = SigningKey::from_jwk(&issuers.attester.private_jwk()?)?;
        let attester = Attester::new(ATTESTER, key, [(WORKLOAD.to_owned(), credential.clone())]);
        let attester = Serving::start(attester.router()).await?;
        let config = Config {
            resource: RESOURCE.parse()?,
            connect: format!("http://{}", envoy.address).parse()?,
            attester: format!("http://{}/attestations", attester.address).parse()?,
            credential,
        };
        let http = http().build()?;
        let client = TaskClient::new(http.clone(), config)?;
        let mut own = Self { envoy, stepgates, valkey, upstream, client, issuers, attester, http, admin_token, dir };
        own.renew_token()?;
        Ok(own)
    }

    /// Has the identity provider issue a token for the workload's key.
    pub(crate) fn renew_token(&mut self) -> Result<()> {
        let key = PublicJwk::parse(&serde_json::to_value(self.client.public_key())?)?;
        let token = bearer(WORKLOAD, SCOPES).issued(now(), TOKEN_SECONDS);
        let token = token.claim("cnf", json!({ "jkt": key.thumbprint() })).sign(&self.issuers.idp)?;
        self.client.take_token(token);
        Ok(())
    }

    /// A call by the workload's client, which answers what it is asked.
    pub(crate) async fn by_client(&mut self, method: &str, path: &str) -> Result<Answer> {
        Answer::read(self.client.call(method.parse()?, path).await?).await
    }

    /// A call with these headers as they stand.
    pub(crate) async fn send(&self, method: &Method, path: &str, headers: HeaderMap) -> Result<Answer> {
        let url = format!("http://{}{path}", self.envoy.address);
        Answer::to(self.http.request(method.clone(), url).headers(headers)).await
    }

    /// Calls of the task without an attestation, until each replica that runs has answered one; all of them have to be
    /// answered so. Says who answered, in their order.
    pub(crate) async fn everywhere(
        &self,
        path: &str,
        running: usize,
        is: impl Fn(&Answer) -> Result<()>,
    ) -> Result<Told> {
        let mut told = Told { replicas: Vec::new(), answers: Vec::new() };
        for _ in 0..MOST_CALLS {
            let headers = self.client.headers(&Method::POST, path, false)?;
            let answer = self.send(&Method::POST, path, headers).await?;
            is(&answer)?;
            told.replicas.push(self.decided(&answer).await?);
            told.answers.push(answer);
            if (1..=REPLICAS).filter(|replica| told.replicas.contains(replica)).count() >= running {
                return Ok(told);
            }
        }
        Err(format!("not every replica was asked: {:?}", told.replicas).into())
    }

    /// The replica that answered so, the first is 1.
    pub(crate) async fn decided(&self, answer: &Answer) -> Result<usize> {
        let refused = answer.json().ok().and_then(|body| Some(body.get("decision_id")?.as_str()?.to_owned()));
        let passed = || Some(self.upstream.last().ok()?.header("x-stepgate-decision-id")?.to_owned());
        let id = refused.or_else(passed).ok_or("nothing was decided")?;
        let is_it = |line: &Value| line.get("decision_id").and_then(Value::as_str) == Some(&*id);
        let decided = || self.stepgates.iter().position(|own| own.decisions().iter().any(is_it));
        Ok(until("the decision log", async || decided()).await? + 1)
    }

    /// What the control API of one replica answers the operator; the first is 1.
    pub(crate) async fn operate(&self, replica: usize, method: &str, path: &str, body: &Value) -> Result<Answer> {
        let stepgate = replica.checked_sub(1).and_then(|index| self.stepgates.get(index)).ok_or("no such replica")?;
        let request = self.http.request(method.parse()?, format!("http://{}{path}", stepgate.admin));
        let request = request.bearer_auth(&self.admin_token);
        Answer::to(if body.is_null() { request } else { request.json(body) }).await
    }

    /// What the control API of a replica lists.
    pub(crate) async fn listed(&self, replica: usize, list: &str) -> Result<Vec<Value>> {
        let answer = self.operate(replica, "GET", &format!("/v1/{list}"), &Value::Null).await?;
        Ok(answer.json()?.get(list).and_then(Value::as_array).cloned().ok_or("no list")?)
    }

    /// Waits until each replica has so many revocations of this source, and says how long that took.
    pub(crate) async fn revoked_everywhere(&self, source: &str, count: usize) -> Result<Duration> {
        let since = Instant::now();
        for replica in 1..=REPLICAS {
            let own = async || {
                let listed = self.listed(replica, "revocations").await.ok()?;
                let of_source = |one: &&Value| one.get("source").and_then(Value::as_str) == Some(source);
                (listed.iter().filter(of_source).count() >= count).then_some(())
            };
            until("the revocation in every replica", own).await?;
        }
        Ok(since.elapsed())
    }

    /// Writes something else into the policy that all share, and has them look at once.
    pub(crate) async fn edit_policy(&self, from: &str, to: &str) -> Result<()> {
        let file = self.dir.path().join("policy.yaml");
        let policy = fs::read_to_string(&file)?;
        if !policy.contains(from) {
            return Err(format!("the policy has no `{from}`").into());
        }
        let before = self.reloads().await?;
        fs::write(&file, policy.replace(from, to))?;
        for stepgate in &self.stepgates {
            stepgate.child().signal("HUP").await?;
        }
        let is_new = |now: Vec<u64>| now.iter().zip(&before).all(|(now, before)| now > before);
        until("the changed policy", async || self.reloads().await.ok().filter(|now| is_new(now.clone())))
            .await
            .map(drop)
    }

    async fn reloads(&self) -> Result<Vec<u64>> {
        let mut all = Vec::new();
        for stepgate in &self.stepgates {
            all.push(stepgate.reloads().await?);
        }
        Ok(all)
    }

    /// Kills one, and starts it again where it was.
    pub(crate) async fn kill(&mut self, replica: usize) -> Result<()> {
        self.one(replica)?.kill().await
    }

    pub(crate) async fn start_again(&mut self, replica: usize) -> Result<()> {
        self.one(replica)?.start_again().await
    }

    fn one(&mut self, replica: usize) -> Result<&mut Stepgate> {
        let index = replica.checked_sub(1).ok_or("no such replica")?;
        self.stepgates.get_mut(index).ok_or_else(|| "no such replica".into())
    }

    /// Says how to look around.
    pub(crate) fn invite(&self) {
        println!("\nThree replicas that share a state:");
        println!("    envoy     http://{} (admin http://{})", self.envoy.address, self.envoy.admin);
        for stepgate in &self.stepgates {
            println!("    stepgate  {} (admin http://{})", stepgate.listen, stepgate.admin);
        }
        println!("    valkey    {}", self.valkey.address);
        println!("    attester  http://{}", self.attester.address);
        println!("    policy    {}", self.dir.path().join("policy.yaml").display());
        let token = self.dir.path().join("admin.tokens");
        let token = format!("-H \"Authorization: Bearer $(cut -d' ' -f3 {})\"", token.display());
        for stepgate in &self.stepgates {
            println!("    curl -s http://{}/v1/revocations {token}", stepgate.admin);
        }
    }

    /// Stops everything, and sees that the stepgates stop well.
    pub(crate) async fn end(mut self) -> Result<()> {
        self.envoy.stop().await?;
        for stepgate in &mut self.stepgates {
            let ended = stepgate.terminate().await?;
            if !ended.success() {
                return Err(format!("stepgate should exit with 0: {ended}").into());
            }
        }
        Ok(())
    }
}

/// Calls that were answered, each with the replica that did.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) replicas: Vec<usize>,
    pub(crate) answers: Vec<Answer>,
}

impl Told {
    /// `200 200 200`
    pub(crate) fn statuses(&self) -> String {
        self.answers.iter().map(|answer| answer.status.to_string()).collect::<Vec<_>>().join(" ")
    }

    /// `by replicas 2, 3, 1`
    pub(crate) fn by(&self) -> String {
        let names: Vec<_> = self.replicas.iter().map(ToString::to_string).collect();
        format!("by replicas {}", names.join(", "))
    }
}

/// What is issued in the second of a revocation is void by it, so that whoever wants something that is not waits for the next.
pub(crate) async fn next_second() {
    let second = now();
    while now() == second {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// All that the policy and the flags name. Gives back the operator's token.
fn write_files(dir: &Path, issuers: &Issuers) -> Result<String> {
    issuers.write_jwks(dir)?;
    fs::copy(repository("examples/replicas/policy.yaml"), dir.join("policy.yaml"))?;
    fs::write(dir.join("challenge.keys"), challenge_key()?)?;
    let token = format!("{}{}", random_id()?, random_id()?);
    fs::write(dir.join("admin.tokens"), format!("{OPERATOR} admin {token}\n"))?;
    Ok(token)
}

async fn stepgates(dir: &Path, valkey: &Valkey) -> Result<Vec<Stepgate>> {
    let [policy, keys, tokens] =
        ["policy.yaml", "challenge.keys", "admin.tokens"].map(|name| dir.join(name).display().to_string());
    let state = valkey.url();
    let arguments = ["--state", &state, "--challenge-key-file", &keys, "--admin-token-file", &tokens];
    let mut stepgates = Vec::new();
    for _ in 0..REPLICAS {
        stepgates.push(Stepgate::start(policy.as_ref(), &Listen::any(), &arguments).await?);
    }
    Ok(stepgates)
}

/// The example's Envoy, with the addresses that the system chose.
fn bootstrap(dir: &Path, stepgates: &[Stepgate]) -> Result<Bootstrap> {
    let endpoints = "/static_resources/clusters/0/load_assignment/endpoints/0/lb_endpoints";
    let bootstrap = Bootstrap::read("examples/replicas/envoy.yaml", dir)?;
    stepgates.iter().enumerate().try_fold(bootstrap, |bootstrap, (index, stepgate)| {
        let Listen::Tcp(address) = &stepgate.listen else { return Err("a replica listens on TCP".into()) };
        let place = format!("{endpoints}/{index}/endpoint/address/socket_address/port_value");
        bootstrap.with(&place, address.port().into())
    })
}
