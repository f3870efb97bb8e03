//! Requests that another program reads otherwise, or that can't be read at all.

use crate::support::Result;
use crate::support::authz::Ask;
use crate::support::verdict::Refusal;
use crate::{READ, Stage};
use envoy_types::pb::envoy::service::auth::v3::attribute_context::Request;
use envoy_types::pb::envoy::service::auth::v3::{AttributeContext, CheckRequest};
use rstest::rstest;

/// Some server reads each as the refund, whose scope the token has.
#[rstest]
#[case("/v1/payments/7/%72efund")]
#[case("/v1/payments/7/refund?x=/v1/payments/7")]
#[case("//v1/payments/7/refund")]
#[case("/v1//payments/7/refund")]
#[case("/./v1/payments/7/refund")]
#[case("/x/../v1/payments/7/refund")]
#[case("/x/%2e%2e/v1/payments/7/refund")]
#[case("/x/..;/v1/payments/7/refund")]
#[case("/v1/payments/7;x=1/refund")]
#[case("/v1/payments/7%2frefund")]
#[case("/v1/payments/7%5crefund")]
#[case("/v1/payments/7\\refund")]
#[case("/v1/payments/7/refund/")]
#[case("/v1/payments/7/refund.")]
#[case("/V1/PAYMENTS/7/REFUND")]
#[case("/v1/payments/7/refund%20")]
#[tokio::test]
async fn no_other_spelling_of_a_sensitive_path_is_routine(#[case] path: &str) -> Result<()> {
    let stage = Stage::set().await?;
    let asked = Refusal::new(401, "use_attestation_challenge", "attestation_missing");
    stage.refuses(&stage.workload.call("POST", path), &asked).await
}

#[rstest]
#[case("")]
#[case("*")]
#[case("v1/payments/7")]
#[case("https://api.example.com/v1/payments/7")]
#[case("/v1/payments/7#refund")]
#[case("/v1/payments/%zz")]
#[case("/v1/payments/7%00")]
#[case("/v1/payments/7%0d%0a")]
#[case("/v1/payments/7 HTTP/1.1")]
#[case("/%c0%ae%c0%ae/v1/payments/7")]
#[tokio::test]
async fn a_path_that_can_not_be_read_is_refused(#[case] path: &str) -> Result<()> {
    let stage = Stage::set().await?;
    let malformed = Refusal::without_error(400, "invalid_request", "malformed_path");
    stage.refuses(&stage.workload.call("GET", path), &malformed).await
}

#[rstest]
#[case("x-http-method-override", "POST")]
#[case("x-http-method", "DELETE")]
#[case("x-method-override", "delete")]
#[case("x-original-url", "/v1/payments/7/unknown")]
#[case("x-rewrite-url", "/v1/unknown")]
#[tokio::test]
async fn a_header_that_makes_another_request_of_it_is_judged_too(
    #[case] name: &str,
    #[case] value: &str,
) -> Result<()> {
    let stage = Stage::set().await?;
    let read = stage.workload.call("GET", READ);
    stage.passes(&read).await?;
    let verdict = stage.gate.check(&read.header(name, value)).await?;
    assert_eq!(verdict.refusal()?.code, "use_attestation_challenge", "{verdict:?}");
    Ok(())
}

#[rstest]
#[case("malformed_host", Ask::new("GET", READ).at_host(""))]
#[case("malformed_host", Ask::new("GET", READ).at_host("user@api.example.com"))]
#[case("malformed_method", Ask::new("", READ))]
#[case("malformed_method", Ask::new("GET /v1", READ))]
#[tokio::test]
async fn a_request_without_a_host_or_method_is_refused(#[case] reason: &str, #[case] ask: Ask) -> Result<()> {
    let stage = Stage::set().await?;
    let call = ask.header("authorization", format!("Bearer {}", stage.workload.token));
    stage.refuses(&call, &Refusal::without_error(400, "invalid_request", reason)).await
}

#[tokio::test]
async fn a_check_of_nothing_shows_no_credential() -> Result<()> {
    let stage = Stage::set().await?;
    let with_request = AttributeContext { request: Some(Request::default()), ..AttributeContext::default() };
    for attributes in [None, Some(AttributeContext::default()), Some(with_request)] {
        let verdict = stage.gate.authz.send(CheckRequest { attributes }).await?;
        assert_eq!(
            verdict.refusal()?,
            Refusal::without_error(401, "invalid_token", "credential_missing"),
            "{verdict:?}"
        );
    }
    Ok(())
}

#[rstest]
#[case("OPTIONS", "*")]
#[case("CONNECT", "")]
#[case("GET", "/")]
#[case("get", READ)]
#[case("PROPFIND", READ)]
#[tokio::test]
async fn what_no_route_names_is_not_routine(#[case] method: &str, #[case] path: &str) -> Result<()> {
    let stage = Stage::set().await?;
    let asked = Refusal::new(401, "use_attestation_challenge", "attestation_missing");
    stage.refuses(&stage.workload.call(method, path), &asked).await
}

/// It answers with 200, but never lets anything through.
#[tokio::test]
async fn the_challenge_endpoint_lets_nothing_through() -> Result<()> {
    let stage = Stage::set().await?;
    let call = stage.workload.call("POST", "/.well-known/stepgate/challenge?x=1").header("x-original-url", READ);
    let verdict = stage.gate.check(&call).await?;
    assert_eq!(verdict.denied()?.status.as_ref().map(|status| status.code), Some(200));
    for path in ["//.well-known/stepgate/challenge", "/.well-known/stepgate/challenge/"] {
        let verdict = stage.gate.check(&stage.workload.call("POST", path)).await?;
        assert_eq!(verdict.refusal()?.code, "use_attestation_challenge", "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn a_request_that_can_be_read_in_very_many_ways_is_refused() -> Result<()> {
    let stage = Stage::set().await?;
    for path in ["/a%2f..%5c.;x//./b;y\\..%2f/c".to_owned(), "/..%2f".repeat(1_000)] {
        let verdict = stage.gate.check(&stage.workload.call("GET", &path)).await?;
        assert_ne!(verdict.refusal()?.status, 503, "{path}");
    }
    Ok(())
}
