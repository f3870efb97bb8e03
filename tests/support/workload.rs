//! A workload with the key of its instance: what it sends, call by call.

use super::authz::Ask;
use super::issuers::{Issuers, RESOURCE, bearer};
use super::{Result, now};
use stepgate::mint::{Algorithm, Jwt, SigningKey};

#[derive(Debug)]
pub struct Workload {
    pub name: String,
    pub key: SigningKey,
    pub token: String,
}

impl Workload {
    pub fn new(issuers: &Issuers, name: &str, scope: &str) -> Result<Self> {
        let token = bearer(name, scope).sign(&issuers.idp)?;
        Ok(Self { name: name.to_owned(), key: SigningKey::generate(Algorithm::Es256)?, token })
    }

    /// A call with nothing but the token.
    pub fn call(&self, method: &str, path: &str) -> Ask {
        Ask::new(method, path).header("authorization", format!("Bearer {}", self.token))
    }

    /// A call with an attestation and a proof, each as it stands.
    pub fn call_with(&self, method: &str, path: &str, attestation: &str, proof: &str) -> Ask {
        self.call(method, path).header("oauth-client-attestation", attestation).header("dpop", proof)
    }

    /// A call with good evidence of which nothing was shown before.
    pub fn proven_call(&self, issuers: &Issuers, method: &str, path: &str) -> Result<Ask> {
        let proof = self.proof(method, path)?.sign(&self.key)?;
        Ok(self.call_with(method, path, &self.attestation(issuers)?, &proof))
    }

    pub fn attestation(&self, issuers: &Issuers) -> Result<String> {
        Ok(issuers.attestation(&self.name, self.key.public())?)
    }

    /// A proof for one call, before it is signed; without a challenge.
    pub fn proof(&self, method: &str, path: &str) -> Result<Jwt> {
        let proof = Jwt::proof(self.key.public(), method, &format!("{RESOURCE}{path}"))?;
        Ok(proof.claim("iat", now()).with_token(&self.token))
    }
}
