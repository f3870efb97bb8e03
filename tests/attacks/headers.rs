//! Headers that stand twice, belong to stepgate, or are no text.

use crate::support::Result;
use crate::support::authz::Ask;
use crate::support::issuers::attestation;
use crate::support::verdict::{Refusal, value};
use crate::{NAME, READ, REFUND, Stage};
use envoy_types::pb::envoy::config::core::v3::{HeaderMap, HeaderValue};
use envoy_types::pb::envoy::service::auth::v3::CheckRequest;
use envoy_types::pb::envoy::service::auth::v3::attribute_context::HttpRequest;
use rstest::rstest;

const ATTESTATION: &str = "oauth-client-attestation";

impl Stage {
    /// The parts of a refund that passes: attestation and proof.
    fn evidence(&self) -> Result<(String, String)> {
        let proof = self.workload.proof("POST", REFUND)?.sign(&self.workload.key)?;
        Ok((self.workload.attestation(&self.gate.issuers)?, proof))
    }
}

fn http_of(request: &mut CheckRequest) -> &mut HttpRequest {
    request.attributes.as_mut().unwrap().request.as_mut().unwrap().http.as_mut().unwrap()
}

#[tokio::test]
async fn two_attestations_are_refused_whichever_is_good() -> Result<()> {
    let stage = Stage::set().await?;
    let (good, proof) = stage.evidence()?;
    let other = stage.gate.issuers.attestation("billing-admin", stage.workload.key.public())?;
    for (first, second) in [(&good, &other), (&other, &good), (&good, &good)] {
        let call = stage.workload.call_with("POST", REFUND, first, &proof).header(ATTESTATION, second);
        stage.refuses(&call, &Refusal::new(401, "invalid_client_attestation", "attestation_malformed")).await?;
        let apart = Refusal::new(401, "invalid_client_attestation", "attestation_repeated");
        stage.refuses(&call.apart(), &apart).await?;
    }
    stage.passes(&stage.workload.call_with("POST", REFUND, &good, &proof)).await
}

#[tokio::test]
async fn two_attestations_are_seen_in_capitals_and_across_both_forms_of_headers() -> Result<()> {
    let stage = Stage::set().await?;
    let (good, proof) = stage.evidence()?;
    let expected = Refusal::new(401, "invalid_client_attestation", "attestation_repeated");
    let call = stage.workload.call_with("POST", REFUND, &good, &proof).apart();
    stage.refuses(&call.clone().header("OAuth-Client-Attestation", &good), &expected).await?;

    let mut request = call.to_check_request();
    http_of(&mut request).headers.insert(ATTESTATION.to_owned(), good);
    let verdict = stage.gate.authz.send(request).await?;
    assert_eq!(verdict.refusal()?, expected, "{verdict:?}");
    Ok(())
}

#[tokio::test]
async fn two_proofs_are_refused() -> Result<()> {
    let stage = Stage::set().await?;
    let ((good, proof), (_, other)) = (stage.evidence()?, stage.evidence()?);
    let call = stage.workload.call_with("POST", REFUND, &good, &proof).header("dpop", other);
    stage.refuses(&call, &Refusal::new(401, "invalid_dpop_proof", "proof_malformed")).await?;
    stage.refuses(&call.apart(), &Refusal::new(401, "invalid_dpop_proof", "proof_repeated")).await
}

#[rstest]
#[case::of_our_scheme("Bearer eyJ.eyJ.c2ln")]
#[case::of_another_scheme("Basic dXNlcjpwYXNz")]
#[tokio::test]
async fn two_authorizations_are_refused_whichever_comes_first(#[case] other: &str) -> Result<()> {
    let stage = Stage::set().await?;
    let own = format!("Bearer {}", stage.workload.token);
    let expected = Refusal::without_error(400, "invalid_request", "repeated_authorization");
    for (first, second) in [(own.as_str(), other), (other, own.as_str())] {
        let call = Ask::new("GET", READ).header("authorization", first).header("authorization", second);
        stage.refuses(&call, &expected).await?;
        stage.refuses(&call.apart(), &expected).await?;
    }
    Ok(())
}

#[rstest]
#[tokio::test]
async fn headers_that_only_stepgate_may_set_are_overwritten_or_taken_off(
    #[values(true, false)] apart: bool,
) -> Result<()> {
    let stage = Stage::set().await?;
    let forged = [
        ("x-stepgate-decision", "verified"),
        ("x-stepgate-decision-id", "0"),
        ("x-stepgate-principal", "admin"),
        ("x-stepgate-route", "refund"),
        ("x-stepgate-assurance", "bound"),
        ("x-stepgate-task", "task"),
        ("x-stepgate-made-up", "yes"),
    ];
    let call = forged.iter().fold(stage.workload.call("GET", READ), |call, (name, value)| call.header(name, *value));
    let verdict = stage.gate.check(&if apart { call.apart() } else { call }).await?;
    let allowed = verdict.allowed()?;
    for option in &allowed.headers {
        assert_eq!(option.append_action().as_str_name(), "OVERWRITE_IF_EXISTS_OR_ADD");
    }
    assert_eq!(value(&allowed.headers, "x-stepgate-decision"), Some("allowed"));
    assert_eq!(value(&allowed.headers, "x-stepgate-principal"), Some(NAME));
    for (name, _) in forged {
        let set = value(&allowed.headers, name).is_some();
        let removed = allowed.headers_to_remove.iter().any(|removed| removed == name);
        assert!(set != removed, "{name} is set: {set}, removed: {removed}");
    }
    Ok(())
}

#[tokio::test]
async fn evidence_does_not_reach_the_service() -> Result<()> {
    let stage = Stage::set().await?;
    let (good, proof) = stage.evidence()?;
    for (method, path) in [("POST", REFUND), ("GET", READ)] {
        let verdict = stage.gate.check(&stage.workload.call_with(method, path, &good, &proof)).await?;
        let removed = &verdict.allowed()?.headers_to_remove;
        for name in [ATTESTATION, "dpop"] {
            assert!(removed.iter().any(|removed| removed == name), "{name} is not in {removed:?}");
        }
    }
    Ok(())
}

/// Envoy writes `!` for bytes that are not UTF-8.
#[tokio::test]
async fn an_attestation_that_is_no_text_is_refused() -> Result<()> {
    let stage = Stage::set().await?;
    let (good, proof) = stage.evidence()?;
    let expected = Refusal::new(401, "invalid_client_attestation", "attestation_malformed");
    let call = |attestation: &str| stage.workload.call_with("POST", REFUND, attestation, &proof);
    stage.refuses(&call(&format!("{good}!")), &expected).await?;

    let mut request = call(&good).apart().to_check_request();
    let Some(HeaderMap { headers }) = &mut http_of(&mut request).header_map else { panic!("no map") };
    let header = headers.iter_mut().find(|header| header.key == ATTESTATION).unwrap();
    *header = HeaderValue { raw_value: [good.as_bytes(), &[0xff]].concat(), ..header.clone() };
    let verdict = stage.gate.authz.send(request).await?;
    assert_eq!(verdict.refusal()?, expected, "{verdict:?}");
    Ok(())
}

#[tokio::test]
async fn what_an_attester_writes_can_not_break_out_of_a_header() -> Result<()> {
    let stage = Stage::set().await?;
    let (key, issuers) = (&stage.workload.key, &stage.gate.issuers);
    for task in ["run-7\r\nx-admin: 1", "run\u{0}7", "caf\u{e9}", ""] {
        let attestation = attestation(NAME, key.public()).claim("txn", task).sign(&issuers.attester)?;
        let proof = stage.workload.proof("POST", REFUND)?.sign(key)?;
        let verdict = stage.gate.check(&stage.workload.call_with("POST", REFUND, &attestation, &proof)).await?;
        let allowed = verdict.allowed()?;
        assert_eq!(value(&allowed.headers, "x-stepgate-task"), None, "{task:?}");
        assert!(allowed.headers_to_remove.iter().any(|name| name == "x-stepgate-task"));
    }
    Ok(())
}

#[rstest]
#[case::with_a_line_break("billing\r\nx-admin: 1")]
#[case::with_a_space("billing web")]
#[case::with_a_letter_that_looks_like_another("b\u{456}lling-web")]
#[case::empty("")]
#[case::long(&"x".repeat(2_049))]
#[tokio::test]
async fn a_name_that_is_no_visible_ascii_is_nobodys(#[case] name: &str) -> Result<()> {
    let mut stage = Stage::set().await?;
    stage.workload.token = stage.gate.issuers.bearer(name, crate::SCOPES)?;
    let verdict = stage.gate.check(&stage.workload.call("GET", READ)).await?;
    let refusal = verdict.refusal()?;
    assert_eq!((refusal.status, refusal.code.as_str()), (401, "invalid_token"), "{verdict:?}");
    Ok(())
}
