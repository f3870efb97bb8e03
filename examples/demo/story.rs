//! The story, step by step.

use super::support::answer::Answer;
use super::support::issuers::proof;
use super::support::{Result, now};
use super::teller::{Teller, expect, expect_refusal, expect_status, note, note_aligned, short, show};
use super::world::{WORKLOAD, World};
use stepgate::mint::{Algorithm, SigningKey};

const READ: &str = "/v1/payments/7";
const REFUND: &str = "/v1/payments/7/refund";
const UNKNOWN: &str = "/v1/exports";
const CHAIN: u32 = 5;
/// Older than the policy's `max_age`, and not yet expired.
const STALE_SECONDS: u64 = 600;

pub(crate) async fn tell(teller: &mut Teller, world: &mut World) -> Result<()> {
    teller.step("A routine read passes, with a token and nothing else");
    routine_read(world).await?;
    teller.step("A thief with the workload's token tries a refund, and is asked for proof");
    stolen_token(world).await?;
    teller.step("The true workload tries the same; its client answers the challenge by itself");
    answered_challenge(world).await?;
    teller.step("Five more refunds on the same attestation, each with its own proof, none of them asked for");
    chain(world).await?;
    teller.step("The thief replays a call of the workload to the letter, attestation and proof");
    replay(world).await?;
    teller.step("An attestation from ten minutes ago is not fresh enough");
    stale_attestation(world).await?;
    teller.step("A route that the policy does not know is challenged, not waved through");
    unknown_route(world).await?;
    teller.step("What the service sees: stepgate's words, not the caller's, and none of the proof");
    seen_by_service(world).await?;
    teller.step("stepgate is killed: nothing gets through");
    killed(world).await?;
    teller.step("stepgate is started again: all works");
    started_again(world).await
}

async fn routine_read(world: &World) -> Result<()> {
    let answer = world.with_token("GET", READ).await?;
    expect_status(&answer, 200)?;
    let received = world.mesh.upstream.last()?;
    expect("the decision", received.header("x-stepgate-decision"), Some("allowed"))?;
    show("GET /v1/payments/7  (token)", &answer, "x-stepgate-decision: allowed");
    Ok(())
}

async fn stolen_token(world: &World) -> Result<()> {
    let answer = world.with_token("POST", REFUND).await?;
    expect_refusal(&answer, "use_attestation_challenge")?;
    let challenge = answer.challenge().ok_or("no challenge came along")?;
    let asked = answer.header("www-authenticate").ok_or("no www-authenticate came along")?;
    show("POST /v1/payments/7/refund  (token)", &answer, &format!("challenge {}", short(challenge)));
    note(&format!("www-authenticate: {asked}"));
    Ok(())
}

async fn answered_challenge(world: &mut World) -> Result<()> {
    let before = step_ups(world).await?;
    let answer = world.by_client("POST", REFUND).await?;
    expect_status(&answer, 200)?;
    expect("the number of step-ups on the way", step_ups(world).await? - before, 1.0)?;
    let received = world.mesh.upstream.last()?;
    expect("the decision", received.header("x-stepgate-decision"), Some("verified"))?;
    expect("the assurance", received.header("x-stepgate-assurance"), Some("fresh"))?;
    show("POST /v1/payments/7/refund  (401, attester, again)", &answer, "x-stepgate-decision: verified");
    let next = answer.challenge().ok_or("no next challenge came along")?;
    note(&format!("the next challenge came with the answer: {}", short(next)));
    Ok(())
}

async fn chain(world: &mut World) -> Result<()> {
    let (asked, hits) = (step_ups(world).await?, attestation_hits(world).await?);
    let mut statuses = Vec::new();
    for _ in 0..CHAIN {
        let answer = world.by_client("POST", REFUND).await?;
        expect_status(&answer, 200)?;
        statuses.push(answer.status.to_string());
    }
    note_aligned("POST /v1/payments/7/refund  (the workload, five times)", &statuses.join(" "));
    expect("the number of step-ups on the way", step_ups(world).await? - asked, 0.0)?;
    let hits = attestation_hits(world).await? - hits;
    expect("that the attestation was remembered each time", hits >= f64::from(CHAIN), true)?;
    note(&format!("stepgate_cache_lookups_total{{cache=\"attestation\",outcome=\"hit\"}} grew by {hits}"));
    Ok(())
}

async fn replay(world: &World) -> Result<()> {
    let overheard = world.client.headers(&"POST".parse()?, REFUND)?;
    let call = || world.caller.post(REFUND).headers(overheard.clone());
    let true_one = Answer::to(call()).await?;
    expect_status(&true_one, 200)?;
    show("POST /v1/payments/7/refund  (the workload)", &true_one, "");
    let replayed = Answer::to(call()).await?;
    expect_refusal(&replayed, "invalid_dpop_proof")?;
    show("POST /v1/payments/7/refund  (the thief, same bytes)", &replayed, &replayed.code());
    Ok(())
}

async fn stale_attestation(world: &World) -> Result<()> {
    let key = SigningKey::generate(Algorithm::Es256)?;
    let issuers = &world.mesh.issuers;
    let attestation = issuers.attestation_at(now() - STALE_SECONDS, WORKLOAD, key.public())?;
    let asked = world.with_token("POST", REFUND).await?;
    let proof = proof(&key, "POST", REFUND, Some(&world.token), asked.challenge())?;
    let request = world.caller.post(REFUND).bearer_auth(&world.token);
    let request = request.header("OAuth-Client-Attestation", attestation).header("DPoP", proof);
    let answer = Answer::to(request).await?;
    expect_refusal(&answer, "use_fresh_attestation")?;
    show("POST /v1/payments/7/refund  (stale attestation)", &answer, &answer.code());
    Ok(())
}

async fn unknown_route(world: &World) -> Result<()> {
    let answer = world.with_token("POST", UNKNOWN).await?;
    expect_refusal(&answer, "use_attestation_challenge")?;
    show("POST /v1/exports  (token)", &answer, &answer.code());
    Ok(())
}

async fn seen_by_service(world: &World) -> Result<()> {
    let headers = world.client.headers(&"POST".parse()?, REFUND)?;
    let request = world.caller.post(REFUND).headers(headers);
    let request = request.header("x-stepgate-principal", "admin").header("x-stepgate-forged", "yes");
    let answer = Answer::to(request).await?;
    expect_status(&answer, 200)?;
    let received = world.mesh.upstream.last()?;
    expect("the principal", received.header("x-stepgate-principal"), Some(WORKLOAD))?;
    for gone in ["x-stepgate-forged", "oauth-client-attestation", "dpop"] {
        expect(&format!("the header {gone}"), received.header(gone), None)?;
    }
    show("POST /v1/payments/7/refund  (with forged x-stepgate-*)", &answer, "the service saw:");
    received.headers_with("x-stepgate-").iter().for_each(|line| note(line));
    Ok(())
}

async fn killed(world: &mut World) -> Result<()> {
    let before = world.mesh.upstream.received().len();
    world.mesh.stepgate.kill().await?;
    for (method, path) in [("GET", READ), ("POST", REFUND)] {
        let answer = world.with_token(method, path).await?;
        expect_status(&answer, 503)?;
        show(&format!("{method} {path}  (token)"), &answer, "");
    }
    expect("what got through", world.mesh.upstream.received().len() - before, 0)
}

async fn started_again(world: &mut World) -> Result<()> {
    world.mesh.stepgate.start_again().await?;
    let read = world.with_token("GET", READ).await?;
    expect_status(&read, 200)?;
    show("GET /v1/payments/7  (token)", &read, "");
    let refund = world.by_client("POST", REFUND).await?;
    expect_status(&refund, 200)?;
    show("POST /v1/payments/7/refund  (the workload)", &refund, "");
    Ok(())
}

/// How often stepgate asked for proof, as it counts itself.
async fn step_ups(world: &World) -> Result<f64> {
    world.mesh.stepgate.metric("stepgate_decisions_total", &[("decision", "step_up")]).await
}

/// How often an attestation's signature need not be checked again.
async fn attestation_hits(world: &World) -> Result<f64> {
    let labels = [("cache", "attestation"), ("outcome", "hit")];
    world.mesh.stepgate.metric("stepgate_cache_lookups_total", &labels).await
}
