//! Tokens that are bound to a key or certificate, in the hands of somebody who has neither.

use crate::support::authz::Ask;
use crate::support::certificates::{Authority, uri};
use crate::support::issuers::bearer;
use crate::support::verdict::Refusal;
use crate::support::{Result, now};
use crate::{NAME, READ, REFUND, SCOPES, Stage};
use serde_json::{Value, json};
use stepgate::mint::{Algorithm, Jwt, SigningKey};

const SPIFFE_ID: &str = "spiffe://example.org/ns/billing/sa/web";

fn unproven() -> Refusal {
    Refusal::new(401, "invalid_token", "credential_binding_unproven")
}

fn bad_proof(fault: &str) -> Refusal {
    Refusal::new(401, "invalid_dpop_proof", &format!("proof_{fault}"))
}

impl Stage {
    /// The workload gets a token that is bound so.
    fn bind(&mut self, confirmation: Value) -> Result<()> {
        self.workload.token = bearer(NAME, SCOPES).claim("cnf", confirmation).sign(&self.gate.issuers.idp)?;
        Ok(())
    }

    async fn with_bound_token() -> Result<Self> {
        let mut stage = Self::set().await?;
        stage.bind(json!({ "jkt": stage.workload.key.public().thumbprint() }))?;
        Ok(stage)
    }

    fn read_by(&self, scheme: &str) -> Ask {
        Ask::new("GET", READ).header("authorization", format!("{scheme} {}", self.workload.token))
    }

    fn read_with(&self, proof: &Jwt, key: &SigningKey) -> Result<Ask> {
        Ok(self.read_by("DPoP").header("dpop", proof.sign(key)?))
    }
}

#[tokio::test]
async fn a_token_that_is_bound_to_a_key_passes_with_its_proof_and_once() -> Result<()> {
    let stage = Stage::with_bound_token().await?;
    let call = stage.read_with(&stage.workload.proof("GET", READ)?, &stage.workload.key)?;
    stage.passes(&call).await?;
    stage.refuses(&call, &bad_proof("replayed")).await
}

#[tokio::test]
async fn a_token_that_is_bound_to_a_key_is_no_bearer_token() -> Result<()> {
    let stage = Stage::with_bound_token().await?;
    stage.refuses(&stage.read_by("Bearer"), &unproven()).await?;
    let proof = stage.workload.proof("GET", READ)?.sign(&stage.workload.key)?;
    stage.refuses(&stage.read_by("Bearer").header("dpop", proof), &unproven()).await
}

#[tokio::test]
async fn a_token_that_is_bound_to_a_key_does_not_pass_without_proof() -> Result<()> {
    let stage = Stage::with_bound_token().await?;
    stage.refuses(&stage.read_by("DPoP"), &unproven()).await?;
    stage.refuses(&stage.read_by("dpop"), &unproven()).await
}

#[tokio::test]
async fn a_token_that_is_bound_to_a_key_does_not_pass_with_a_proof_that_is_not_its_own() -> Result<()> {
    let stage = Stage::with_bound_token().await?;
    let (key, proof) = (&stage.workload.key, stage.workload.proof("GET", READ)?);
    let thief = SigningKey::generate(Algorithm::Es256)?;
    let by_the_thief = proof.clone().header("jwk", thief.public().to_json());
    stage.refuses(&stage.read_with(&by_the_thief, &thief)?, &bad_proof("key_mismatch")).await?;
    stage.refuses(&stage.read_with(&proof.clone().without("ath"), key)?, &bad_proof("token_mismatch")).await?;
    stage.refuses(&stage.read_with(&proof.clone().claim("htm", "POST"), key)?, &bad_proof("method_mismatch")).await?;
    stage.refuses(&stage.read_with(&proof.claim("iat", now() - 75), key)?, &bad_proof("stale")).await
}

#[tokio::test]
async fn a_token_that_is_bound_to_nothing_is_no_dpop_token() -> Result<()> {
    let stage = Stage::set().await?;
    let call = stage.read_with(&stage.workload.proof("GET", READ)?, &stage.workload.key)?;
    stage.refuses(&call, &unproven()).await
}

#[tokio::test]
async fn a_token_whose_confirmations_disagree_is_refused() -> Result<()> {
    let mut stage = Stage::set().await?;
    let other = SigningKey::generate(Algorithm::Es256)?;
    stage.bind(json!({ "jkt": stage.workload.key.public().thumbprint(), "jwk": other.public().to_json() }))?;
    let call = stage.read_with(&stage.workload.proof("GET", READ)?, &stage.workload.key)?;
    stage.refuses(&call, &Refusal::new(401, "invalid_token", "credential_malformed")).await
}

/// The attestation, its proof and the token have to be of one key.
#[tokio::test]
async fn an_attestation_of_another_key_does_not_step_up_a_bound_token() -> Result<()> {
    let stage = Stage::with_bound_token().await?;
    let (issuers, key) = (&stage.gate.issuers, &stage.workload.key);
    let other = SigningKey::generate(Algorithm::Es256)?;
    let refund = |attestation: String| -> Result<Ask> {
        let call = Ask::new("POST", REFUND).header("authorization", format!("DPoP {}", stage.workload.token));
        let proof = stage.workload.proof("POST", REFUND)?.sign(key)?;
        Ok(call.header("oauth-client-attestation", attestation).header("dpop", proof))
    };
    stage.passes(&refund(stage.workload.attestation(issuers)?)?).await?;
    let expected = Refusal::new(401, "invalid_client_attestation", "attestation_binding_unproven");
    stage.refuses(&refund(issuers.attestation(NAME, other.public())?)?, &expected).await
}

#[tokio::test]
async fn a_token_that_is_bound_to_a_certificate_needs_that_certificate() -> Result<()> {
    let mut stage = Stage::set().await?;
    let authority = Authority::new()?;
    let (own, other) = (authority.client(vec![uri(SPIFFE_ID)?])?, authority.client(vec![uri(SPIFFE_ID)?])?);
    stage.bind(json!({ "x5t#S256": thumbprint(&own.certificate)? }))?;
    stage.passes(&stage.read_by("Bearer").certificate(&own.certificate)).await?;
    stage.refuses(&stage.read_by("Bearer"), &unproven()).await?;
    stage.refuses(&stage.read_by("Bearer").certificate(&other.certificate), &unproven()).await
}

#[tokio::test]
async fn a_stolen_token_beside_the_thiefs_own_certificate_is_refused() -> Result<()> {
    let stage = Stage::set().await?;
    let thief = Authority::new()?.client(vec![uri("spiffe://example.org/ns/thief/sa/thief")?])?;
    let expected = Refusal::new(401, "invalid_token", "credential_subject_mismatch");
    stage.refuses(&stage.read_by("Bearer").certificate(&thief.certificate), &expected).await
}

/// RFC 8705 §3.1.
fn thumbprint(pem: &str) -> Result<String> {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let (_, block) = x509_parser::pem::parse_x509_pem(pem.as_bytes())?;
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &block.contents);
    Ok(URL_SAFE_NO_PAD.encode(digest))
}
