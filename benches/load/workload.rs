//! A workload that can answer a step-up: it holds a key, an attestation of it, and signs a fresh proof for every call.

use crate::Result;
use crate::message::{HOST, Issuers, item, request};
use envoy_types::pb::envoy::service::auth::v3::CheckRequest;
use stepgate::attestation::ProofKind;
use stepgate::mint::{Algorithm, Jwt, SigningKey, ath, random_id};

/// Reading is routine, this is not.
const METHOD: &str = "PUT";

#[derive(Debug)]
pub(crate) struct Workload {
    kind: ProofKind,
    key: SigningKey,
    bearer: String,
    attestation: String,
}

impl Workload {
    pub(crate) fn new(issuers: &Issuers, kind: ProofKind, algorithm: Algorithm, now: u64) -> Result<Self> {
        let key = SigningKey::generate(algorithm)?;
        Ok(Self { kind, bearer: issuers.bearer(now)?, attestation: issuers.attestation(kind, &key, now)?, key })
    }

    pub(crate) fn key(&self) -> &SigningKey {
        &self.key
    }

    pub(crate) fn attestation(&self) -> &str {
        &self.attestation
    }

    /// Takes a new attestation of the same key.
    pub(crate) fn attest(&mut self, issuers: &Issuers, now: u64) -> Result<()> {
        self.attestation = issuers.attestation(self.kind, &self.key, now)?;
        Ok(())
    }

    /// A proof for one call. All that a workload makes in one way are of one length.
    pub(crate) fn proof(&self, now: u64, challenge: Option<&str>) -> Result<String> {
        let origin = format!("https://{HOST}");
        let target = origin.clone() + &item();
        let (proof, place) = match self.kind {
            ProofKind::Dpop => (Jwt::proof(self.key.public(), METHOD, &target)?.claim("iat", now), "nonce"),
            ProofKind::Pop => {
                let proof = Jwt::new("oauth-client-attestation-pop+jwt").claim("aud", origin).claim("iat", now);
                (proof.claim("htm", METHOD).claim("htu", target), "challenge")
            }
            ProofKind::Wpt => {
                let proof = Jwt::new("wpt+jwt").claim("aud", target).claim("exp", now + 60);
                (proof.claim("wth", ath(&self.attestation)), "challenge")
            }
        };
        let proof = proof.claim("jti", random_id()?).with_token(&self.bearer);
        Ok(challenge.into_iter().fold(proof, |proof, challenge| proof.claim(place, challenge)).sign(&self.key)?)
    }

    /// The call that the proof is for.
    pub(crate) fn call(&self, proof: &str) -> CheckRequest {
        let header = match self.kind {
            ProofKind::Dpop | ProofKind::Pop => "oauth-client-attestation",
            ProofKind::Wpt => "workload-identity-token",
        };
        let shown = [(header, self.attestation.as_str()), (self.kind.header(), proof)];
        request(METHOD, &item(), &self.bearer, &shown)
    }

    /// Asks for a challenge.
    pub(crate) fn asks(&self) -> CheckRequest {
        request("POST", "/.well-known/stepgate/challenge", &self.bearer, &[])
    }
}
