//! Proofs of possession that were made for something else, by somebody else, or shown before.

use crate::forge::Parts;
use crate::support::issuers::RESOURCE;
use crate::support::verdict::Refusal;
use crate::support::{Result, now};
use crate::{REFUND, Stage};
use rstest::rstest;
use serde_json::{Value, json};
use stepgate::mint::{Algorithm, Jwt, SigningKey, ath};

/// Makes another proof of one that would pass; the keys are the workload's and the thief's.
type Forge = Box<dyn FnOnce(&Jwt, &SigningKey, &SigningKey) -> Result<String>>;

#[rstest]
#[case::another_method(claim("htm", "GET"), "method_mismatch")]
#[case::the_method_in_small_letters(claim("htm", "post"), "method_mismatch")]
#[case::no_method(without("htm"), "malformed")]
#[case::another_path(claim("htu", format!("{RESOURCE}/v1/payments/8/refund")), "target_mismatch")]
#[case::a_path_above(claim("htu", format!("{RESOURCE}/v1/payments/7")), "target_mismatch")]
#[case::a_path_in_other_letters(claim("htu", format!("{RESOURCE}/V1/payments/7/refund")), "target_mismatch")]
#[case::a_path_with_a_slash_more(claim("htu", format!("{RESOURCE}{REFUND}/")), "target_mismatch")]
#[case::another_host(claim("htu", format!("https://other.example.com{REFUND}")), "target_mismatch")]
#[case::another_scheme(claim("htu", format!("http://api.example.com{REFUND}")), "target_mismatch")]
#[case::another_port(claim("htu", format!("{RESOURCE}:8443{REFUND}")), "target_mismatch")]
#[case::a_host_behind_user_information(claim("htu", format!("{RESOURCE}@thief.example{REFUND}")), "target_mismatch")]
#[case::a_path_alone(claim("htu", REFUND), "target_mismatch")]
#[case::no_target(without("htu"), "malformed")]
#[case::another_token(claim("ath", ath("another")), "token_mismatch")]
#[case::no_token(without("ath"), "token_mismatch")]
#[case::no_identifier(without("jti"), "malformed")]
#[case::an_empty_identifier(claim("jti", ""), "malformed")]
#[case::a_long_identifier(claim("jti", "j".repeat(257)), "malformed")]
#[case::a_number_for_an_identifier(claim("jti", 7), "malformed")]
#[case::too_old(claim("iat", now() - 75), "stale")]
#[case::of_the_future(claim("iat", now() + 60), "stale")]
#[case::at_no_time(without("iat"), "malformed")]
#[case::plain_jwt(header("typ", "JWT"), "wrong_type")]
#[case::type_of_an_attestation(header("typ", "oauth-client-attestation+jwt"), "wrong_type")]
#[case::jku(header("jku", "https://thief.example/jwks.json"), "forbidden_header")]
#[case::unknown_crit(header("crit", json!(["htm"])), "forbidden_header")]
#[case::a_symmetric_key(header("jwk", json!({ "kty": "oct", "k": "c2VjcmV0" })), "key_mismatch")]
#[case::by_the_thief(Box::new(by_the_thief), "key_mismatch")]
#[case::by_the_thief_in_the_workloads_name(Box::new(by_the_thief_in_the_workloads_name), "bad_signature")]
#[case::with_the_private_key(Box::new(with_the_private_key), "forbidden_header")]
#[case::alg_none(changed(|parts| Parts { header: parts.header.replace("ES256", "none"), ..parts }), "algorithm_not_allowed")]
#[case::hs256(changed(|parts| Parts { header: parts.header.replace("ES256", "HS256"), ..parts }), "algorithm_not_allowed")]
#[case::an_algorithm_of_another_key(changed(|parts| Parts { header: parts.header.replace("ES256", "RS256"), ..parts }), "algorithm_not_allowed")]
#[case::a_claim_twice(changed(|parts| parts.with_claim_member(r#""htm":"POST""#)), "malformed")]
#[case::changed_after_signing(changed(|parts| parts.with_claim_member(r#""x":1"#)), "bad_signature")]
#[case::eighty_kib(claim("x", "x".repeat(80 * 1024)), "oversize")]
#[tokio::test]
async fn a_proof_that_is_not_for_this_call_is_refused(#[case] forge: Forge, #[case] fault: &str) -> Result<()> {
    let stage = Stage::set().await?;
    stage.passes(&stage.refund()?).await?;

    let good = stage.workload.proof("POST", REFUND)?;
    let forged = forge(&good, &stage.workload.key, &SigningKey::generate(Algorithm::Es256)?)?;
    let attestation = stage.workload.attestation(&stage.gate.issuers)?;
    let call = stage.workload.call_with("POST", REFUND, &attestation, &forged);
    stage.refuses(&call, &Refusal::new(401, "invalid_dpop_proof", &format!("proof_{fault}"))).await
}

#[tokio::test]
async fn an_attestation_without_proof_is_refused() -> Result<()> {
    let stage = Stage::set().await?;
    let attestation = stage.workload.attestation(&stage.gate.issuers)?;
    let call = stage.workload.call("POST", REFUND).header("oauth-client-attestation", attestation);
    stage.refuses(&call, &Refusal::new(401, "invalid_client_attestation", "proof_missing")).await
}

#[tokio::test]
async fn a_proof_without_attestation_is_asked_for_one() -> Result<()> {
    let stage = Stage::set().await?;
    let proof = stage.workload.proof("POST", REFUND)?.sign(&stage.workload.key)?;
    let call = stage.workload.call("POST", REFUND).header("dpop", proof);
    stage.refuses(&call, &Refusal::new(401, "use_attestation_challenge", "attestation_missing")).await
}

#[tokio::test]
async fn an_attestation_is_no_proof() -> Result<()> {
    let stage = Stage::set().await?;
    let attestation = stage.workload.attestation(&stage.gate.issuers)?;
    let call = stage.workload.call_with("POST", REFUND, &attestation, &attestation);
    stage.refuses(&call, &Refusal::new(401, "invalid_dpop_proof", "proof_wrong_type")).await
}

fn replayed() -> Refusal {
    Refusal::new(401, "invalid_dpop_proof", "proof_replayed")
}

#[tokio::test]
async fn the_same_proof_does_not_pass_twice() -> Result<()> {
    let stage = Stage::set().await?;
    let call = stage.refund()?;
    stage.passes(&call).await?;
    stage.refuses(&call, &replayed()).await?;
    stage.refuses(&call.apart(), &replayed()).await
}

/// What counts is key and `jti`, not the bytes: ECDSA signs the same twice in two ways.
#[tokio::test]
async fn the_same_proof_signed_again_does_not_pass_twice() -> Result<()> {
    let stage = Stage::set().await?;
    let attestation = stage.workload.attestation(&stage.gate.issuers)?;
    let proof = stage.workload.proof("POST", REFUND)?;
    for expected in [None, Some(replayed())] {
        let signed = proof.clone().claim("iat", now()).sign(&stage.workload.key)?;
        let call = stage.workload.call_with("POST", REFUND, &attestation, &signed);
        match expected {
            None => stage.passes(&call).await?,
            Some(refusal) => stage.refuses(&call, &refusal).await?,
        }
    }
    Ok(())
}

#[tokio::test]
async fn of_one_proof_shown_many_times_at_once_one_passes() -> Result<()> {
    let stage = Stage::set().await?;
    let call = stage.refund()?;
    let mut at_once = tokio::task::JoinSet::new();
    for _ in 0..32 {
        let (authz, call) = (stage.gate.authz.clone(), call.clone());
        at_once.spawn(async move { authz.check(&call).await });
    }
    let verdicts = at_once.join_all().await.into_iter().collect::<Result<Vec<_>>>()?;
    let (first, others): (Vec<_>, Vec<_>) = verdicts.iter().partition(|verdict| verdict.is_allowed());
    assert_eq!(first.len(), 1);
    for verdict in others {
        assert_eq!(verdict.refusal()?, replayed());
    }
    Ok(())
}

/// Else a thief who sees a proof could make it worthless by showing it first with something that is wrong.
#[tokio::test]
async fn a_refused_call_does_not_use_up_the_proof() -> Result<()> {
    let stage = Stage::set().await?;
    let proof = stage.workload.proof("POST", REFUND)?.sign(&stage.workload.key)?;
    let old = stage.gate.issuers.attestation_at(now() - 400, crate::NAME, stage.workload.key.public())?;
    let call = stage.workload.call_with("POST", REFUND, &old, &proof);
    stage.refuses(&call, &Refusal::new(401, "use_fresh_attestation", "attestation_too_old")).await?;
    let attestation = stage.workload.attestation(&stage.gate.issuers)?;
    stage.passes(&stage.workload.call_with("POST", REFUND, &attestation, &proof)).await
}

fn saying(change: impl FnOnce(Jwt) -> Jwt + 'static) -> Forge {
    Box::new(|jwt, workload, _| Ok(change(jwt.clone()).sign(workload)?))
}

fn header(name: &'static str, value: impl Into<Value>) -> Forge {
    let value = value.into();
    saying(move |jwt| jwt.header(name, value))
}

fn claim(name: &'static str, value: impl Into<Value>) -> Forge {
    let value = value.into();
    saying(move |jwt| jwt.claim(name, value))
}

fn without(name: &'static str) -> Forge {
    saying(move |jwt| jwt.without(name))
}

fn changed(change: impl FnOnce(Parts) -> Parts + 'static) -> Forge {
    Box::new(|jwt, workload, _| Ok(change(Parts::of(&jwt.sign(workload)?)?).unsigned()))
}

fn by_the_thief(jwt: &Jwt, _: &SigningKey, thief: &SigningKey) -> Result<String> {
    Ok(jwt.clone().header("jwk", thief.public().to_json()).sign(thief)?)
}

fn by_the_thief_in_the_workloads_name(jwt: &Jwt, _: &SigningKey, thief: &SigningKey) -> Result<String> {
    Ok(jwt.sign(thief)?)
}

fn with_the_private_key(jwt: &Jwt, workload: &SigningKey, _: &SigningKey) -> Result<String> {
    Ok(jwt.clone().header("jwk", workload.private_jwk()?).sign(workload)?)
}
