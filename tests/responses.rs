//! What comes back, to the byte: headers in their order, bodies with their members in order, metadata, and what is taken
//! off the request. Ids and challenges are masked, for they differ each time.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use envoy_types::pb::envoy::config::core::v3::HeaderValueOption;
use envoy_types::pb::envoy::service::auth::v3::CheckResponse;
use envoy_types::pb::envoy::service::auth::v3::check_response::HttpResponse;
use envoy_types::pb::google::protobuf::{Value, value::Kind};
use insta::assert_snapshot;
use serde_json::json;
use std::time::Duration;
use support::authz::Ask;
use support::gate::{Gate, challenge_at};
use support::held::Held;
use support::issuers::{RESOURCE, bearer};
use support::verdict::Verdict;
use support::wait::until;
use support::workload::Workload;
use support::{Result, now};

const READ: &str = "/v1/payments/7";
const REFUND: &str = "/v1/payments/7/refund";
const NAME: &str = "billing-web";

/// The gate and a workload with the scopes for reading and refunding.
async fn stage() -> Result<(Gate, Workload)> {
    let gate = Gate::start("answers").await?;
    let workload = Workload::new(&gate.issuers, NAME, "payments:read payments:refund")?;
    Ok((gate, workload))
}

/// A refund with an attestation of that age, and a proof with that challenge.
fn refund(gate: &Gate, workload: &Workload, age: u64, challenge: Option<&str>) -> Result<Ask> {
    let mut proof = workload.proof("POST", REFUND)?;
    if let Some(challenge) = challenge {
        proof = proof.claim("nonce", challenge);
    }
    let attestation = gate.issuers.attestation_at(now() - age, NAME, workload.key.public())?;
    Ok(workload.call_with("POST", REFUND, &attestation, &proof.sign(&workload.key)?))
}

#[tokio::test]
async fn a_routine_call_is_allowed() -> Result<()> {
    let (gate, workload) = stage().await?;
    let call = workload.call("GET", READ).header("x-stepgate-principal", "admin").header("x-stepgate-other", "x");
    assert_snapshot!(written(&gate.check(&call).await?));
    Ok(())
}

#[tokio::test]
async fn a_call_that_proved_itself_is_allowed() -> Result<()> {
    let (gate, workload) = stage().await?;
    let challenge = challenge_at(now(), RESOURCE, NAME)?;
    let attestation = support::issuers::attestation(NAME, workload.key.public()).claim("txn", "run-8841");
    let proof = workload.proof("POST", REFUND)?.claim("nonce", challenge).sign(&workload.key)?;
    let call = workload.call_with("POST", REFUND, &attestation.sign(&gate.issuers.attester)?, &proof);
    assert_snapshot!(written(&gate.check(&call).await?));
    Ok(())
}

#[tokio::test]
async fn a_step_up() -> Result<()> {
    let (gate, workload) = stage().await?;
    let verdict = gate.check(&workload.call("POST", REFUND)).await?;
    // The same challenge three times.
    let challenge = verdict.challenge().ok_or("no challenge")?;
    assert_eq!(verdict.problem()?["challenge"], challenge);
    assert_eq!(support::verdict::value(&verdict.denied()?.headers, "dpop-nonce"), Some(challenge));
    assert_snapshot!(written(&verdict));
    Ok(())
}

#[tokio::test]
async fn a_step_up_of_an_unknown_route() -> Result<()> {
    let (gate, workload) = stage().await?;
    assert_snapshot!(written(&gate.check(&workload.call("GET", "/v2/unknown")).await?));
    Ok(())
}

/// The scheme is the one that the caller used.
#[tokio::test]
async fn a_step_up_of_a_token_that_is_bound_to_a_key() -> Result<()> {
    let (gate, mut workload) = stage().await?;
    let bound = bearer(NAME, "payments:refund").claim("cnf", json!({ "jkt": workload.key.public().thumbprint() }));
    workload.token = bound.sign(&gate.issuers.idp)?;
    let proof = workload.proof("POST", REFUND)?.sign(&workload.key)?;
    let call = Ask::new("POST", REFUND).header("authorization", format!("DPoP {}", workload.token));
    assert_snapshot!(written(&gate.check(&call.header("dpop", proof)).await?));
    Ok(())
}

#[tokio::test]
async fn an_attestation_that_is_too_old() -> Result<()> {
    let (gate, workload) = stage().await?;
    assert_snapshot!(written(&gate.check(&refund(&gate, &workload, 90, None)?).await?));
    Ok(())
}

#[tokio::test]
async fn an_attestation_that_is_rejected() -> Result<()> {
    let (gate, workload) = stage().await?;
    let call = workload.call_with("POST", REFUND, "eyJ.eyJ.c2ln", "eyJ.eyJ.c2ln");
    assert_snapshot!(written(&gate.check(&call).await?));
    Ok(())
}

#[tokio::test]
async fn more_challenges_than_may_be_left_unanswered() -> Result<()> {
    let policy = std::fs::read_to_string(support::repository("tests/policies/answers.yaml"))?;
    let gate = Gate::start_under(&format!("{policy}\nchallenges: {{ per_minute: 1 }}\n"), &[]).await?;
    let workload = Workload::new(&gate.issuers, NAME, "payments:read payments:refund")?;
    let call = workload.call("POST", REFUND);
    gate.check(&call).await?;
    // Between the two a second may have begun.
    let refused = written(&gate.check(&call).await?).replace("retry-after: 59", "retry-after: 60");
    assert_snapshot!(refused);
    Ok(())
}

#[tokio::test]
async fn a_proof_without_its_challenge() -> Result<()> {
    let (gate, workload) = stage().await?;
    assert_snapshot!(written(&gate.check(&refund(&gate, &workload, 0, None)?).await?));
    Ok(())
}

#[tokio::test]
async fn a_proof_that_is_rejected() -> Result<()> {
    let (gate, workload) = stage().await?;
    let challenge = challenge_at(now(), RESOURCE, NAME)?;
    let call = refund(&gate, &workload, 0, Some(&challenge))?;
    gate.check(&call).await?.allowed()?;
    assert_snapshot!(written(&gate.check(&call).await?));
    Ok(())
}

#[tokio::test]
async fn no_credential() -> Result<()> {
    let (gate, _) = stage().await?;
    assert_snapshot!(written(&gate.check(&Ask::new("GET", READ)).await?));
    Ok(())
}

#[tokio::test]
async fn a_bad_credential() -> Result<()> {
    let (gate, _) = stage().await?;
    let call = Ask::new("GET", READ).header("authorization", "Bearer eyJ.eyJ.c2ln");
    assert_snapshot!(written(&gate.check(&call).await?));
    Ok(())
}

#[tokio::test]
async fn a_bad_credential_in_the_scheme_of_bound_tokens() -> Result<()> {
    let (gate, _) = stage().await?;
    let call = Ask::new("GET", READ).header("authorization", "DPoP eyJ.eyJ.c2ln");
    assert_snapshot!(written(&gate.check(&call).await?));
    Ok(())
}

#[tokio::test]
async fn a_credential_without_the_scope() -> Result<()> {
    let (gate, mut workload) = stage().await?;
    workload.token = gate.issuers.bearer(NAME, "payments:read")?;
    assert_snapshot!(written(&gate.check(&workload.call("POST", REFUND)).await?));
    Ok(())
}

#[tokio::test]
async fn a_refusal_by_a_rule() -> Result<()> {
    let (gate, workload) = stage().await?;
    assert_snapshot!(written(&gate.check(&workload.call("GET", "/closed/door")).await?));
    Ok(())
}

#[tokio::test]
async fn a_path_that_cannot_be_read() -> Result<()> {
    let (gate, workload) = stage().await?;
    assert_snapshot!(written(&gate.check(&workload.call("GET", "/v1/%zz?token=secret")).await?));
    Ok(())
}

#[tokio::test]
async fn the_challenge_endpoint() -> Result<()> {
    let (gate, workload) = stage().await?;
    let verdict = gate.check(&workload.call("POST", "/.well-known/stepgate/challenge")).await?;
    // 200, and yet not let through.
    assert!(!verdict.is_allowed());
    assert_snapshot!(written(&verdict));
    Ok(())
}

#[tokio::test]
async fn more_calls_than_may_be_in_flight() -> Result<()> {
    let gate = Gate::start_with("answers", &["--max-in-flight", "1"]).await?;
    let held = Held::open(&gate.stepgate.listen).await?;
    let in_flight = async || gate.stepgate.metric("stepgate_in_flight", &[]).await.ok();
    until("the first call", async || in_flight().await.filter(|count| *count > 0.0)).await?;
    assert_snapshot!(written(&gate.check(&Ask::new("GET", READ)).await?));

    // The first one is not forgotten over it.
    let answer = held.finish(&Ask::new("GET", READ)).await?;
    assert_eq!(answer.refusal()?.reason, "credential_missing");
    Ok(())
}

#[tokio::test]
async fn a_deadline_that_is_about_to_pass() -> Result<()> {
    let gate = Gate::start("answers").await?;
    // The message is not whole when the time has run out.
    let held = Held::open_for(&gate.stepgate.listen, Duration::from_millis(50)).await?;
    assert_snapshot!(written(&held.wait().await?));
    Ok(())
}

/// A `CheckResponse` as text.
fn written(verdict: &Verdict) -> String {
    let CheckResponse { status, dynamic_metadata, http_response } = &verdict.0;
    let mut lines = vec![format!("grpc status {}", status.as_ref().unwrap().code)];
    match http_response {
        Some(HttpResponse::OkResponse(ok)) => {
            lines.extend(headers("set", &ok.headers));
            lines.extend(ok.headers_to_remove.iter().map(|name| format!("remove   {name}")));
            lines.extend(headers("respond", &ok.response_headers_to_add));
        }
        Some(HttpResponse::DeniedResponse(denied)) => {
            lines.push(format!("answer   {}", denied.status.as_ref().unwrap().code));
            lines.extend(headers("header", &denied.headers));
            lines.push(denied.body.clone());
        }
        other => lines.push(format!("{other:?}")),
    }
    let mut metadata: Vec<_> = dynamic_metadata.as_ref().unwrap().fields.iter().collect();
    metadata.sort_unstable_by_key(|(name, _)| name.as_str());
    lines.extend(metadata.into_iter().map(|(name, value)| format!("metadata {name} = {}", plain(value))));
    masked(&lines.join("\n"), verdict)
}

fn headers<'h>(verb: &'h str, headers: &'h [HeaderValueOption]) -> impl Iterator<Item = String> + 'h {
    headers.iter().map(move |option| {
        assert_eq!(option.append_action().as_str_name(), "OVERWRITE_IF_EXISTS_OR_ADD");
        let header = option.header.as_ref().unwrap();
        format!("{verb:<8} {}: {}", header.key, header.value)
    })
}

fn plain(value: &Value) -> String {
    match &value.kind {
        Some(Kind::StringValue(text)) => format!("{text:?}"),
        Some(Kind::NumberValue(number)) => number.to_string(),
        Some(Kind::ListValue(list)) => {
            format!("[{}]", list.values.iter().map(plain).collect::<Vec<_>>().join(", "))
        }
        other => format!("{other:?}"),
    }
}

fn masked(text: &str, verdict: &Verdict) -> String {
    let challenge = verdict.challenge().map(str::to_owned).or_else(|| {
        let problem = verdict.problem().ok()?;
        problem.get("attestation_challenge")?.as_str().map(str::to_owned)
    });
    if let Some(challenge) = &challenge {
        assert!(challenge.split('.').skip(1).all(|part| URL_SAFE_NO_PAD.decode(part).is_ok()), "{challenge}");
    }
    let text = text.replace(verdict.metadata("decision_id"), "<decision id>");
    challenge.map_or(text.clone(), |challenge| text.replace(&challenge, "<challenge>"))
}
