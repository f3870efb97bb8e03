//! Callers who are known by their client certificate, as Envoy shows it or tells of it.

use crate::support::Result;
use crate::support::answer::Answer;
use crate::support::certificates::{dns, uri};
use crate::support::mesh::{Mesh, Setting, Transport};
use crate::workload::Workload;
use crate::{READ, REFUND, SPIFFE_ID};
use rstest::rstest;
use serde_json::json;

const ADMIN: &str = "spiffe://example.org/ns/billing/sa/admin";
pub(crate) const SAN_MATCHER: &str = "/static_resources/listeners/0/filter_chains/0/transport_socket/typed_config\
    /common_tls_context/validation_context/match_typed_subject_alt_names";

#[rstest]
#[tokio::test]
async fn a_certificate_with_one_uri_name_tells_who_calls(
    #[values(Transport::Tcp, Transport::Unix)] transport: Transport,
) -> Result<()> {
    let mesh = Mesh::mtls(transport, Ok).await?;
    let caller = mesh.certified_caller(&mesh.authority.client(vec![uri(SPIFFE_ID)?])?)?;
    assert_eq!(Answer::to(caller.get(READ)).await?.status, 200);
    assert_eq!(mesh.upstream.last()?.header("x-stepgate-principal"), Some(SPIFFE_ID));

    let asked = Answer::to(caller.post(REFUND)).await?;
    assert_eq!(asked.status, 401, "{asked:?}");
    let challenge = asked.challenge().ok_or("no challenge")?;
    let answered = Workload::certified()?.answer(&mesh, caller.post(REFUND), challenge)?;
    assert_eq!(Answer::to(answered).await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn of_a_chain_that_a_caller_sends_its_own_certificate_arrives() -> Result<()> {
    let mesh = Mesh::mtls(Transport::Unix, Ok).await?;
    let mut chain = mesh.authority.client(vec![uri(SPIFFE_ID)?])?;
    chain.certificate.push_str(mesh.authority.pem());
    assert_eq!(Answer::to(mesh.certified_caller(&chain)?.get(READ)).await?.status, 200);
    assert_eq!(mesh.upstream.last()?.header("x-stepgate-principal"), Some(SPIFFE_ID));
    Ok(())
}

#[tokio::test]
async fn a_certificate_whose_dns_name_spells_a_spiffe_id_names_nobody() -> Result<()> {
    let mesh = Mesh::mtls(Transport::Unix, |bootstrap| bootstrap.with(SAN_MATCHER, json!([]))).await?;
    let true_one = mesh.certified_caller(&mesh.authority.client(vec![uri(SPIFFE_ID)?])?)?;
    assert_eq!(Answer::to(true_one.get(READ)).await?.status, 200);

    let false_one = mesh.certified_caller(&mesh.authority.client(vec![dns(SPIFFE_ID)?])?)?;
    assert_eq!(Answer::to(false_one.get(READ)).await?.status, 401);
    assert_eq!(mesh.upstream.received().len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_certificate_whose_dns_name_spells_a_spiffe_id_is_stopped_by_the_shipped_bootstrap() -> Result<()> {
    let mesh = Mesh::mtls(Transport::Unix, Ok).await?;
    let caller = mesh.certified_caller(&mesh.authority.client(vec![dns(SPIFFE_ID)?])?)?;
    assert!(caller.get(READ).send().await.is_err());
    assert!(mesh.upstream.received().is_empty());
    Ok(())
}

#[tokio::test]
async fn a_certificate_with_two_uri_names_names_nobody() -> Result<()> {
    let mesh = Mesh::mtls(Transport::Unix, Ok).await?;
    let names = vec![uri(SPIFFE_ID)?, uri(ADMIN)?];
    let caller = mesh.certified_caller(&mesh.authority.client(names)?)?;
    assert_eq!(Answer::to(caller.get(READ)).await?.status, 401);
    assert!(mesh.upstream.received().is_empty());
    Ok(())
}

/// `forward_client_cert_details: SANITIZE_SET`, as in the shipped bootstrap.
#[rstest]
#[case::nothing(None)]
#[case::another_name(Some(format!("URI={ADMIN}")))]
#[case::another_name_behind_a_quote(Some(format!("Subject=\"\",URI={ADMIN}")))]
#[tokio::test]
async fn who_is_told_of_in_a_header_is_who_showed_the_certificate(#[case] forged: Option<String>) -> Result<()> {
    let setting = Setting::of("tests/policies/reported.yaml", "envoy/bootstrap.yaml");
    let mesh = Mesh::start(setting, Transport::Unix, Ok).await?;
    let caller = mesh.certified_caller(&mesh.authority.client(vec![uri(SPIFFE_ID)?])?)?;
    let forge = |request: reqwest::RequestBuilder| match &forged {
        Some(value) => request.header("x-forwarded-client-cert", value),
        None => request,
    };
    assert_eq!(Answer::to(forge(caller.get(READ))).await?.status, 200);
    assert_eq!(mesh.upstream.last()?.header("x-stepgate-principal"), Some(SPIFFE_ID));

    let asked = Answer::to(forge(caller.post(REFUND))).await?;
    let challenge = asked.challenge().ok_or("no challenge")?;
    let answered = Workload::certified()?.answer(&mesh, forge(caller.post(REFUND)), challenge)?;
    assert_eq!(Answer::to(answered).await?.status, 200);
    Ok(())
}
