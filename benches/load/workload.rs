//! A workload that can answer a step-up: it holds a key, an attestation of it, and signs a fresh proof for every call.

use crate::Result;
use crate::message::{HOST, Issuers, item, request};
use envoy_types::pb::envoy::service::auth::v3::CheckRequest;
use stepgate::mint::{Algorithm, Jwt, SigningKey};

/// Reading is routine, this is not.
const METHOD: &str = "PUT";

#[derive(Debug)]
pub(crate) struct Workload {
    key: SigningKey,
    bearer: String,
    attestation: String,
}

impl Workload {
    pub(crate) fn new(issuers: &Issuers, algorithm: Algorithm, now: u64) -> Result<Self> {
        let key = SigningKey::generate(algorithm)?;
        Ok(Self { bearer: issuers.bearer(now)?, attestation: issuers.attestation(&key, now)?, key })
    }

    pub(crate) fn key(&self) -> &SigningKey {
        &self.key
    }

    pub(crate) fn attestation(&self) -> &str {
        &self.attestation
    }

    /// Takes a new attestation of the same key.
    pub(crate) fn attest(&mut self, issuers: &Issuers, now: u64) -> Result<()> {
        self.attestation = issuers.attestation(&self.key, now)?;
        Ok(())
    }

    /// A proof for one call. All of one workload are of one length.
    pub(crate) fn proof(&self, now: u64, challenge: Option<&str>) -> Result<String> {
        let proof = Jwt::proof(self.key.public(), METHOD, &format!("https://{HOST}{}", item()))?
            .claim("iat", now)
            .with_token(&self.bearer);
        let proof = challenge.into_iter().fold(proof, |proof, challenge| proof.claim("nonce", challenge));
        Ok(proof.sign(&self.key)?)
    }

    /// The call that the proof is for.
    pub(crate) fn call(&self, proof: &str) -> CheckRequest {
        let shown = [("oauth-client-attestation", self.attestation.as_str()), ("dpop", proof)];
        request(METHOD, &item(), &self.bearer, &shown)
    }

    /// Asks for a challenge.
    pub(crate) fn asks(&self) -> CheckRequest {
        request("POST", "/.well-known/stepgate/challenge", &self.bearer, &[])
    }
}
