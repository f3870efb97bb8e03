//! Certificates that Envoy has verified, and that name somebody only for those who look too quickly.

use crate::support::Result;
use crate::support::authz::Ask;
use crate::support::certificates::{Authority, dns, uri};
use crate::support::gate::Gate;
use crate::support::verdict::Refusal;
use crate::{READ, REFUND};
use rcgen::SanType;
use rstest::rstest;

const SPIFFE_ID: &str = "spiffe://example.org/ns/billing/sa/web";

/// Callers are known by their certificate alone.
async fn gate() -> Result<Gate> {
    let policy = std::fs::read_to_string(crate::support::repository("tests/policies/mtls.yaml"))?;
    let strict = policy.replace("trust_domains: [example.org]", "trust_domains: [example.org], certificate: required");
    assert_ne!(strict, policy);
    Gate::start_under(&strict, &[]).await
}

fn nobody() -> Refusal {
    Refusal::without_error(401, "invalid_token", "credential_missing")
}

async fn names_nobody(gate: &Gate, pem: &str) -> Result<()> {
    // Envoy tells of the name that it took the certificate for, which may be the very one.
    for ask in [Ask::new("GET", READ), Ask::new("POST", REFUND)] {
        let verdict = gate.check(&ask.certificate(pem).principal(SPIFFE_ID)).await?;
        assert_eq!(verdict.refusal()?, nobody(), "{verdict:?}");
    }
    Ok(())
}

#[rstest]
#[case::a_dns_name_that_spells_a_spiffe_id(vec![dns(SPIFFE_ID)?])]
#[case::a_dns_name_beside_another(vec![dns(SPIFFE_ID)?, dns("bot.example.org")?])]
#[case::two_uri_names(vec![uri(SPIFFE_ID)?, uri("spiffe://example.org/ns/billing/sa/admin")?])]
#[case::the_same_uri_name_twice(vec![uri(SPIFFE_ID)?, uri(SPIFFE_ID)?])]
#[case::another_uri_beside_the_name(vec![uri("https://example.org/")?, uri(SPIFFE_ID)?])]
#[case::no_names(vec![])]
#[case::another_trust_domain(vec![uri("spiffe://example.com/ns/billing/sa/web")?])]
#[case::a_trust_domain_below(vec![uri("spiffe://sub.example.org/ns/billing/sa/web")?])]
#[case::a_trust_domain_that_begins_alike(vec![uri("spiffe://example.org.thief.example/ns/billing/sa/web")?])]
#[case::a_trust_domain_behind_user_information(vec![uri("spiffe://example.org@thief.example/ns/billing/sa/web")?])]
#[case::a_trust_domain_with_a_port(vec![uri("spiffe://example.org:443/ns/billing/sa/web")?])]
#[case::capitals_in_the_trust_domain(vec![uri("spiffe://EXAMPLE.org/ns/billing/sa/web")?])]
#[case::dot_segments(vec![uri("spiffe://example.org/ns/x/../billing/sa/web")?])]
#[case::an_encoded_slash(vec![uri("spiffe://example.org/ns%2Fbilling/sa/web")?])]
#[case::a_query(vec![uri("spiffe://example.org/ns/billing/sa/web?admin")?])]
#[case::a_slash_at_the_end(vec![uri("spiffe://example.org/ns/billing/sa/web/")?])]
#[tokio::test]
async fn a_certificate_without_exactly_one_spiffe_id_of_ours_names_nobody(#[case] names: Vec<SanType>) -> Result<()> {
    names_nobody(&gate().await?, &Authority::new()?.client(names)?.certificate).await
}

#[tokio::test]
async fn the_certificate_of_a_workload_names_it() -> Result<()> {
    let gate = gate().await?;
    let pem = Authority::new()?.client(vec![uri(SPIFFE_ID)?])?.certificate;
    let verdict = gate.check(&Ask::new("GET", READ).certificate(&pem)).await?;
    verdict.allowed()?;
    assert_eq!(verdict.metadata("principal"), SPIFFE_ID);
    Ok(())
}

#[tokio::test]
async fn two_certificates_name_nobody_in_either_order() -> Result<()> {
    let (gate, authority) = (gate().await?, Authority::new()?);
    let (thief, victim) =
        (authority.client(vec![dns("thief.example.org")?])?, authority.client(vec![uri(SPIFFE_ID)?])?);
    names_nobody(&gate, &format!("{}{}", thief.certificate, victim.certificate)).await?;
    names_nobody(&gate, &format!("{}{}", victim.certificate, thief.certificate)).await
}

#[tokio::test]
async fn a_certificate_within_a_broken_one_names_nobody() -> Result<()> {
    let victim = Authority::new()?.client(vec![uri(SPIFFE_ID)?])?.certificate;
    names_nobody(&gate().await?, &format!("-----BEGIN CERTIFICATE-----\n\0\n{victim}")).await
}

#[rstest]
#[case::no_pem("spiffe://example.org/ns/billing/sa/web")]
#[case::pem_of_nothing("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n")]
#[case::pem_of_something_else("-----BEGIN CERTIFICATE-----\nc3BpZmZlOi8vZXhhbXBsZS5vcmc=\n-----END CERTIFICATE-----\n")]
#[tokio::test]
async fn a_certificate_that_cannot_be_read_names_nobody(#[case] pem: &str) -> Result<()> {
    names_nobody(&gate().await?, pem).await
}

#[tokio::test]
async fn where_certificates_are_required_a_name_without_one_is_nobodys() -> Result<()> {
    names_nobody(&gate().await?, "").await
}

#[tokio::test]
async fn a_forwarded_certificate_in_a_header_names_nobody() -> Result<()> {
    let forwarded = Ask::new("GET", READ).header("x-forwarded-client-cert", format!("URI={SPIFFE_ID}"));
    let verdict = gate().await?.check(&forwarded).await?;
    assert_eq!(verdict.refusal()?, nobody(), "{verdict:?}");
    Ok(())
}
