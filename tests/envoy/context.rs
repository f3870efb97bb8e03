//! The example of context: the unusual asks for proof where it meets the sensitive, alone it does nothing.

use crate::READ;
use crate::support::answer::Answer;
use crate::support::mesh::{Caller, Mesh, Setting, Transport};
use crate::support::{Result, now};
use crate::workload::Workload;
use rstest::rstest;
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr};

const REPORT: &str = "/v1/reports/2026-10";
/// Outside the network that the example declares.
const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 7, 1));
const HOURS: &str = r#"from: "07:00", to: "20:00", zone: Europe/Berlin"#;
const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

async fn mesh() -> Result<(Mesh, Workload)> {
    let mesh = Mesh::start(Setting::context(), Transport::Unix, Ok).await?;
    let workload = Workload::with_token(&mesh, "payments:read reports:read")?;
    Ok((mesh, workload))
}

async fn call(workload: &Workload, caller: &Caller, path: &str) -> Result<Answer> {
    Answer::to(workload.call(caller.get(path))).await
}

fn fired(line: &Value, signal: &str) -> bool {
    line["signals"].as_array().is_some_and(|signals| signals.contains(&json!(signal)))
}

#[tokio::test]
async fn an_unusual_network_on_a_sensitive_route_is_asked_for_proof_and_passes_with_it() -> Result<()> {
    let (mesh, workload) = mesh().await?;
    assert_eq!(call(&workload, &mesh.caller()?, REPORT).await?.status, 200);

    let elsewhere = mesh.caller_from(ELSEWHERE)?;
    let asked = call(&workload, &elsewhere, REPORT).await?;
    assert_eq!((asked.status, asked.code().as_str()), (401, "use_attestation_challenge"), "{asked:?}");
    let line = mesh.logged(&asked).await?;
    assert!(fired(&line, "new_network"), "{line}");
    assert_eq!((&line["privilege"], &line["rules"]), (&json!("standard"), &json!(["unusual-on-sensitive"])), "{line}");

    let challenge = asked.challenge().ok_or("no challenge")?;
    let answered = workload.prove(&mesh, workload.call(elsewhere.get(REPORT)), "GET", REPORT, challenge)?;
    assert_eq!(Answer::to(answered).await?.status, 200);
    assert_eq!(mesh.upstream.last()?.header("x-stepgate-assurance"), Some("fresh"));
    Ok(())
}

#[tokio::test]
async fn an_unusual_network_on_a_routine_route_passes_and_shows_what_a_watched_rule_would_do() -> Result<()> {
    let (mesh, workload) = mesh().await?;
    let answer = call(&workload, &mesh.caller_from(ELSEWHERE)?, READ).await?;
    assert_eq!((answer.status, answer.challenge()), (200, None), "{answer:?}");
    let line = mesh.logged(&answer).await?;
    assert!(fired(&line, "new_network"), "{line}");
    assert_eq!((&line["decision"], &line["shadow_decision"]), (&json!("allow"), &json!("step_up")), "{line}");
    let watched = [("rule", "unusual-on-moderate"), ("mode", "shadow")];
    assert_eq!(mesh.stepgate.count("stepgate_rule_matches_total", &watched).await?, 1);
    Ok(())
}

#[tokio::test]
async fn an_unusual_hour_alone_changes_nothing() -> Result<()> {
    let (mesh, workload) = mesh().await?;
    let clock = |time: u64| format!("{:02}:{:02}", time % DAY / HOUR, time % HOUR / 60);
    let (from, to) = (clock(now() + 2 * HOUR), clock(now() + 3 * HOUR));
    mesh.edit_policy(HOURS, &format!(r#"from: "{from}", to: "{to}", zone: UTC"#)).await?;
    for path in [REPORT, READ] {
        let answer = call(&workload, &mesh.caller()?, path).await?;
        assert_eq!(answer.status, 200, "{answer:?}");
        let line = mesh.logged(&answer).await?;
        assert_eq!((&line["signals"], &line["anomaly"]), (&json!(["outside_hours"]), &json!(20)), "{line}");
        assert_eq!((&line["decision"], &line["rules"]), (&json!("allow"), &json!([])), "{line}");
    }
    Ok(())
}

#[rstest]
#[tokio::test]
async fn who_is_no_longer_welcome_is_refused_whatever_it_shows(
    #[values("suspended", "offboarded")] status: &str,
) -> Result<()> {
    let (mesh, workload) = mesh().await?;
    let caller = mesh.caller()?;
    let asked = call(&workload, &mesh.caller_from(ELSEWHERE)?, REPORT).await?;
    let challenge = asked.challenge().ok_or("no challenge")?;
    mesh.edit_policy("status: active", &format!("status: {status}")).await?;

    let proven = workload.prove(&mesh, workload.call(caller.get(REPORT)), "GET", REPORT, challenge)?;
    let ahead = workload.call(caller.post("/.well-known/stepgate/challenge"));
    for request in [workload.call(caller.get(READ)), proven, ahead] {
        let answer = Answer::to(request).await?;
        assert_eq!((answer.status, answer.code().as_str(), answer.challenge()), (403, status, None), "{answer:?}");
    }
    assert!(mesh.upstream.received().is_empty());
    Ok(())
}

/// Whoever no entry names has an empty baseline.
#[tokio::test]
async fn a_caller_whom_nobody_described_is_asked_for_proof_where_it_matters() -> Result<()> {
    let (mesh, _) = mesh().await?;
    let token = mesh.issuers.bearer("newcomer", "payments:read reports:read")?;
    let caller = mesh.caller()?;
    assert_eq!(Answer::to(caller.get(READ).bearer_auth(&token)).await?.status, 200);
    let asked = Answer::to(caller.get(REPORT).bearer_auth(&token)).await?;
    assert_eq!(asked.status, 401, "{asked:?}");
    assert_eq!(mesh.logged(&asked).await?["privilege_reasons"], json!(["outside_baseline"]));
    Ok(())
}
