//! A workload whose token is bound to its own key, and what it sends, call by call.

use super::authz::Ask;
use super::issuers::{Issuers, RESOURCE, attestation, bearer};
use super::{Result, now};
use serde_json::json;
use stepgate::mint::{Algorithm, Jwt, SigningKey};

#[derive(Debug)]
pub struct Holder {
    pub name: String,
    pub key: SigningKey,
    pub token: String,
}

const SCOPES: &str = "payments:read payments:refund payments:wipe";

impl Holder {
    pub fn new(issuers: &Issuers, name: &str) -> Result<Self> {
        let key = SigningKey::generate(Algorithm::Es256)?;
        Ok(Self { name: name.to_owned(), token: token_for(issuers, name, &key)?, key })
    }

    /// A new token, issued now.
    pub fn renew(&mut self, issuers: &Issuers) -> Result<()> {
        self.token = token_for(issuers, &self.name, &self.key)?;
        Ok(())
    }

    /// A call with the token and a proof of it alone.
    pub fn plain(&self, method: &str, path: &str) -> Result<Ask> {
        let proof = Jwt::proof(self.key.public(), method, &format!("{RESOURCE}{path}"))?;
        let proof = proof.claim("iat", now()).with_token(&self.token).sign(&self.key)?;
        Ok(Ask::new(method, path).header("authorization", format!("DPoP {}", self.token)).header("dpop", proof))
    }

    /// The same with an attestation of a task, made now.
    pub fn attested(&self, issuers: &Issuers, method: &str, path: &str, task: &str) -> Result<Ask> {
        let attestation = attestation(&self.name, self.key.public()).claim("txn", task);
        Ok(self.plain(method, path)?.header("oauth-client-attestation", attestation.sign(&issuers.attester)?))
    }
}

fn token_for(issuers: &Issuers, name: &str, key: &SigningKey) -> Result<String> {
    let token = bearer(name, SCOPES).claim("cnf", json!({ "jkt": key.public().thumbprint() }));
    Ok(token.sign(&issuers.idp)?)
}
