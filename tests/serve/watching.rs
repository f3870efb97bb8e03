//! Health, and the metrics that operators build on.

use crate::support::Result;
use crate::support::authz::Ask;
use crate::support::gate::Gate;
use crate::support::stepgate::binary;
use crate::support::workload::Workload;
use crate::{NAME, READ, REFUND, SCOPES};
use rstest::rstest;
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

/// `stepgate health` asking there.
fn health(admin: &str) -> Result<(Option<i32>, String)> {
    let output = assert_cmd::Command::new(binary()?).args(["health", "--admin", admin]).output()?;
    Ok((output.status.code(), String::from_utf8(output.stderr)?))
}

#[tokio::test]
async fn it_says_that_it_is_well_in_every_way_that_is_asked() -> Result<()> {
    let gate = Gate::start("answers").await?;
    assert_eq!(gate.stepgate.get("/livez").await?, "ok\n");
    assert_eq!(gate.stepgate.get("/readyz").await?, "ok\n");
    assert_eq!(health(&gate.stepgate.admin.to_string())?, (Some(0), String::new()));
    let channel = Endpoint::new(format!("http://{}", gate.stepgate.listen))?.connect().await?;
    for service in ["", "envoy.service.auth.v3.Authorization"] {
        let request = HealthCheckRequest { service: service.to_owned() };
        let answer = HealthClient::new(channel.clone()).check(request).await?.into_inner();
        assert_eq!(answer.status(), ServingStatus::Serving, "{service:?}");
    }
    Ok(())
}

#[tokio::test]
async fn nobody_there_is_not_well() -> Result<()> {
    let mut gate = Gate::start("answers").await?;
    let admin = gate.stepgate.admin.to_string();
    assert!(gate.stepgate.terminate().await?.success());
    let (code, said) = health(&admin)?;
    assert_eq!(code, Some(1));
    assert!(said.contains(&admin), "{said}");
    Ok(())
}

#[tokio::test]
async fn without_an_admin_token_the_control_api_is_closed() -> Result<()> {
    let gate = Gate::start("answers").await?;
    for path in ["/", "/v1/policy", "/v1/decisions", "/v1/grants", "/v1/revocations", "/v1/inventory", "/v1/events"] {
        let answer =
            crate::support::http().build()?.get(format!("http://{}{path}", gate.stepgate.admin)).send().await?;
        assert_eq!(answer.status(), 403, "{path}");
        assert!(answer.text().await?.contains("--admin-token-file"));
    }
    Ok(())
}

/// A missing series can't raise an alert: rates need the zero before the first count.
#[tokio::test]
async fn every_series_that_can_be_known_stands_at_zero_from_the_start() -> Result<()> {
    let gate = Gate::start("answers").await?;
    let metrics = gate.stepgate.get("/metrics").await?;
    let value = |series: &str| metrics.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    let decisions = ["allow", "step_up", "deny", "challenge"];
    for route in ["read-payment", "refund", "export", "open", "closed", "unmatched"] {
        for decision in decisions {
            let series = format!(r#"stepgate_decisions_total{{decision="{decision}",mode="enforce",route="{route}"}}"#);
            assert_eq!(value(&series), Some("0"), "{series}\n{metrics}");
        }
        let series = format!(r#"stepgate_challenges_total{{outcome="issued",route="{route}"}}"#);
        assert_eq!(value(&series), Some("0"), "{series}\n{metrics}");
    }
    for series in [
        r#"decision_reasons_total{decision="deny",reason="closed_for_good"}"#,
        r#"decision_reasons_total{decision="step_up",reason="proof_replayed"}"#,
        r#"decision_reasons_total{decision="deny",reason="overload"}"#,
        r#"rule_matches_total{mode="enforce",rule="never"}"#,
        r#"attestation_verifications_total{attestation="workload",outcome="verified"}"#,
        r#"attestation_verifications_total{attestation="workload",outcome="rejected"}"#,
        r#"cache_lookups_total{cache="bearer",outcome="hit"}"#,
        r#"cache_lookups_total{cache="attestation",outcome="miss"}"#,
        r#"cache_entries{cache="certificate"}"#,
        r#"policy_reloads_total{outcome="accepted"}"#,
        r#"policy_reloads_total{outcome="rejected"}"#,
        "in_flight",
        "shed_total",
        "panics_total",
        "decision_log_dropped_total",
    ] {
        assert_eq!(value(&format!("stepgate_{series}")), Some("0"), "{series}\n{metrics}");
    }
    assert_eq!(value(r#"stepgate_jwks_keys{issuer="idp"}"#), Some("1"));
    assert!(metrics.contains("process_resident_memory_bytes"));
    Ok(())
}

/// Asks of the counter before and after one call.
async fn counts(gate: &Gate, call: &Ask, name: &str, labels: &[(&str, &str)]) -> Result<()> {
    let name = format!("stepgate_{name}");
    let before = gate.stepgate.count(&name, labels).await?;
    gate.check(call).await?;
    let after = gate.stepgate.count(&name, labels).await?;
    assert_eq!(after - before, 1, "{name} {labels:?}");
    Ok(())
}

#[rstest]
#[case("decisions_total", &[("decision", "step_up"), ("route", "refund"), ("mode", "enforce")])]
#[case("decision_reasons_total", &[("decision", "step_up"), ("reason", "attestation_missing")])]
#[case("rule_matches_total", &[("rule", "elevated-on-sensitive"), ("mode", "enforce")])]
#[case("challenges_total", &[("route", "refund"), ("outcome", "issued")])]
#[case("check_duration_seconds_count", &[("decision", "step_up")])]
#[case("cache_lookups_total", &[("cache", "bearer"), ("outcome", "miss")])]
#[tokio::test]
async fn a_step_up_is_counted(#[case] name: &str, #[case] labels: &[(&str, &str)]) -> Result<()> {
    let gate = Gate::start("answers").await?;
    let workload = Workload::new(&gate.issuers, NAME, SCOPES)?;
    counts(&gate, &workload.call("POST", REFUND), name, labels).await
}

#[rstest]
#[case("decision_reasons_total", &[("decision", "allow"), ("reason", "attested")])]
#[case("challenges_total", &[("route", "refund"), ("outcome", "answered")])]
#[case("attestation_verifications_total", &[("attestation", "workload"), ("outcome", "verified")])]
#[case("cache_lookups_total", &[("cache", "attestation"), ("outcome", "miss")])]
#[tokio::test]
async fn an_answered_challenge_is_counted(#[case] name: &str, #[case] labels: &[(&str, &str)]) -> Result<()> {
    let gate = Gate::start("answers").await?;
    let workload = Workload::new(&gate.issuers, NAME, SCOPES)?;
    counts(&gate, &crate::replicas::answer(&gate, &workload).await?, name, labels).await
}

#[tokio::test]
async fn a_token_that_is_shown_again_is_remembered() -> Result<()> {
    let gate = Gate::start("answers").await?;
    let workload = Workload::new(&gate.issuers, NAME, SCOPES)?;
    gate.check(&workload.call("GET", READ)).await?;
    let hit = [("cache", "bearer"), ("outcome", "hit")];
    counts(&gate, &workload.call("GET", READ), "cache_lookups_total", &hit).await
}

/// Labels come from the policy, or anybody could fill the memory of whoever scrapes.
#[tokio::test]
async fn callers_make_no_series() -> Result<()> {
    let gate = Gate::start("answers").await?;
    let series = |metrics: String| metrics.lines().filter(|line| !line.starts_with('#')).count();
    let before = series(gate.stepgate.get("/metrics").await?);
    for number in 0..20 {
        let workload = Workload::new(&gate.issuers, &format!("workload-{number}"), SCOPES)?;
        gate.check(&workload.call(&format!("METHOD{number}"), &format!("/path/{number}"))).await?;
    }
    let metrics = gate.stepgate.get("/metrics").await?;
    assert!(!metrics.contains("workload-") && !metrics.contains("/path/"), "{metrics}");
    assert_eq!(series(metrics), before);
    Ok(())
}
