//! The part about tasks: a grant is given once, counts in every replica, and ends in all of them.

use super::replicas::{REPLICAS, Replicas, WORKLOAD, next_second};
use super::support::Result;
use super::support::answer::Answer;
use super::teller::{Teller, expect, expect_refusal, expect_status, note, note_aligned, show};
use reqwest::Method;
use serde_json::json;

const REFUND: &str = "/v1/payments/7/refund";
const CALL: &str = "POST /v1/payments/7/refund";
const ACTIVE: &str = "status: active";
const OFFBOARDED: &str = "status: offboarded";
/// The replica that is killed, and the one that an operator talks to.
const FIRST: usize = 1;

pub(crate) async fn tell(teller: &mut Teller, world: &mut Replicas) -> Result<()> {
    teller.step("The first call of a task attests: one replica gives the challenge, any other takes its answer");
    first_call(world).await?;
    teller.step("The other calls of the task bring no attestation; the grant counts in every replica");
    granted(world).await?;
    teller
        .step("A call that somebody overheard passes nowhere again: each proof counts once, in all replicas together");
    overheard(world).await?;
    teller.step("A replica is killed: the task goes on at the others. Started again, it knows the grant");
    killed(world).await?;
    teller.step("The task ends, and with it the grant and the attestation behind it");
    ended(world).await?;
    teller.step("An administrator revokes the workload at one replica, in the middle of its next task: all refuse it");
    revoked(world).await?;
    teller.step("The workload is offboarded by a line of the policy: its running grant dies, and does not come back");
    offboarded(world).await
}

async fn first_call(world: &mut Replicas) -> Result<()> {
    world.client.begin("run-1");
    let headers = world.client.headers(&Method::POST, REFUND, false)?;
    let asked = world.send(&Method::POST, REFUND, headers).await?;
    expect_refusal(&asked, "use_attestation_challenge")?;
    let by = world.decided(&asked).await?;
    show(&format!("{CALL}  (token and its proof)"), &asked, &format!("{}, by replica {by}", asked.code()));
    attest(world).await?;
    let received = world.upstream.last()?;
    expect("the task", received.header("x-stepgate-task"), Some("run-1"))
}

async fn granted(world: &Replicas) -> Result<()> {
    granted_everywhere(world, REPLICAS).await?;
    let mut ids = Vec::new();
    for replica in 1..=REPLICAS {
        let grants = world.listed(replica, "grants").await?;
        expect("the number of grants", grants.len(), 1)?;
        ids.extend(grants.first().and_then(|grant| grant.get("id")?.as_str().map(str::to_owned)));
    }
    ids.dedup();
    expect("the number of different grants", ids.len(), 1)?;
    note("GET /v1/grants of each replica: the same one");
    Ok(())
}

async fn overheard(world: &Replicas) -> Result<()> {
    let headers = world.client.headers(&Method::POST, REFUND, false)?;
    let own = world.send(&Method::POST, REFUND, headers.clone()).await?;
    expect_status(&own, 200)?;
    show(&format!("{CALL}  (the workload)"), &own, &format!("by replica {}", world.decided(&own).await?));
    for _ in 1..REPLICAS {
        let again = world.send(&Method::POST, REFUND, headers.clone()).await?;
        expect_refusal(&again, "invalid_dpop_proof")?;
        let by = world.decided(&again).await?;
        show(&format!("{CALL}  (a thief, same bytes)"), &again, &format!("{}, by replica {by}", again.code()));
    }
    Ok(())
}

async fn killed(world: &mut Replicas) -> Result<()> {
    world.kill(FIRST).await?;
    note(&format!("replica {FIRST} is killed"));
    granted_everywhere(world, REPLICAS - 1).await?;
    world.start_again(FIRST).await?;
    note(&format!("replica {FIRST} is started again"));
    granted_everywhere(world, REPLICAS).await
}

async fn ended(world: &mut Replicas) -> Result<()> {
    let attested = world.client.headers(&Method::POST, REFUND, true)?;
    let answer = Answer::read(world.client.end().await?).await?;
    expect_status(&answer, 204)?;
    show("POST /.well-known/stepgate/tasks/end  (the workload)", &answer, "");
    known(world, "task_end").await?;
    refused_everywhere(world, 401, "use_attestation_challenge").await?;
    let old = world.send(&Method::POST, REFUND, attested).await?;
    expect_refusal(&old, "use_fresh_attestation")?;
    show(&format!("{CALL}  (with its attestation)"), &old, &old.code());
    Ok(())
}

async fn revoked(world: &mut Replicas) -> Result<()> {
    begin(world, "run-2").await?;
    let body = json!({ "principal": WORKLOAD, "reason": "its node was tampered with" });
    let answer = world.operate(FIRST, "POST", "/v1/revocations", &body).await?;
    expect_status(&answer, 201)?;
    show(&format!("POST /v1/revocations  (at replica {FIRST})"), &answer, &format!("principal {WORKLOAD}"));
    known(world, "operator").await?;
    refused_everywhere(world, 401, "invalid_token").await
}

async fn offboarded(world: &mut Replicas) -> Result<()> {
    next_second().await;
    world.renew_token()?;
    begin(world, "run-3").await?;
    world.edit_policy(ACTIVE, OFFBOARDED).await?;
    note(&format!("policy.yaml: {OFFBOARDED}"));
    refused_everywhere(world, 403, "offboarded").await?;
    for replica in 1..=REPLICAS {
        expect("the number of grants", world.listed(replica, "grants").await?.len(), 0)?;
    }
    note("GET /v1/grants of each replica: none");
    world.edit_policy(OFFBOARDED, ACTIVE).await?;
    note(&format!("policy.yaml: {ACTIVE}, as by somebody's mistake"));
    refused_everywhere(world, 401, "invalid_token").await
}

/// Another task, as far as its grant.
async fn begin(world: &mut Replicas, task: &str) -> Result<()> {
    world.client.begin(task);
    attest(world).await?;
    granted_everywhere(world, REPLICAS).await
}

async fn attest(world: &mut Replicas) -> Result<()> {
    let answer = world.by_client("POST", REFUND).await?;
    expect_status(&answer, 200)?;
    let decision = world.upstream.last()?.header("x-stepgate-decision").map(str::to_owned);
    expect("the decision", decision.as_deref(), Some("verified"))?;
    let by = world.decided(&answer).await?;
    show(&format!("{CALL}  (401, attester, again)"), &answer, &format!("verified by replica {by}"));
    Ok(())
}

async fn granted_everywhere(world: &Replicas, running: usize) -> Result<()> {
    let is_granted = |answer: &Answer| {
        expect_status(answer, 200)?;
        let decision = world.upstream.last()?.header("x-stepgate-decision").map(str::to_owned);
        expect("the decision", decision.as_deref(), Some("granted"))
    };
    let told = world.everywhere(REFUND, running, is_granted).await?;
    note_aligned(&format!("{CALL}  (token and its proof)"), &format!("{}  granted {}", told.statuses(), told.by()));
    Ok(())
}

async fn refused_everywhere(world: &Replicas, status: u16, code: &str) -> Result<()> {
    let is_refused = |answer: &Answer| {
        expect_status(answer, status)?;
        expect("the problem's code", answer.code().as_str(), code)
    };
    let told = world.everywhere(REFUND, REPLICAS, is_refused).await?;
    note_aligned(&format!("{CALL}  (token and its proof)"), &format!("{}  {code} {}", told.statuses(), told.by()));
    Ok(())
}

/// That a revocation has come to every replica.
async fn known(world: &Replicas, source: &str) -> Result<()> {
    let took = world.revoked_everywhere(source, 1).await?;
    note(&format!("known to all replicas within {} ms", took.as_millis() + 1));
    Ok(())
}
