//! Who vouches in the quickstart's policy: an identity provider and an attester, with everything they sign.

use super::{Result, now};
use std::fs;
use std::path::Path;
use stepgate::mint::{Algorithm, Jwt, MintError, PublicJwk, SigningKey, jwks};

pub const RESOURCE: &str = "https://api.example.com";
pub const IDP: &str = "https://idp.example.com";
pub const ATTESTER: &str = "https://attest.example.com";

#[derive(Debug)]
pub struct Issuers {
    pub idp: SigningKey,
    pub attester: SigningKey,
}

impl Issuers {
    pub fn new() -> Result<Self, MintError> {
        let key = || SigningKey::generate(Algorithm::Es256);
        Ok(Self { idp: key()?, attester: key()? })
    }

    /// Writes the key sets that the policy names.
    pub fn write_jwks(&self, dir: &Path) -> Result<()> {
        fs::write(dir.join("idp.jwks.json"), jwks([&self.idp]).to_string())?;
        Ok(fs::write(dir.join("attester.jwks.json"), jwks([&self.attester]).to_string())?)
    }

    /// A bearer token that is good for ten minutes.
    pub fn bearer(&self, subject: &str, scope: &str) -> Result<String, MintError> {
        self.bearer_for(600, subject, scope)
    }

    /// A bearer token that is good for so many seconds.
    pub fn bearer_for(&self, ttl: u64, subject: &str, scope: &str) -> Result<String, MintError> {
        bearer(subject, scope).issued(now(), ttl).sign(&self.idp)
    }

    /// An attestation that is made now.
    pub fn attestation(&self, subject: &str, instance: &PublicJwk) -> Result<String, MintError> {
        self.attestation_at(now(), subject, instance)
    }

    /// An attestation that was made at that time and is still valid.
    pub fn attestation_at(&self, iat: u64, subject: &str, instance: &PublicJwk) -> Result<String, MintError> {
        let valid = now().saturating_sub(iat).saturating_add(600);
        attestation(subject, instance).issued(iat, valid).sign(&self.attester)
    }
}

/// A bearer token before it is signed, good for ten minutes.
pub fn bearer(subject: &str, scope: &str) -> Jwt {
    let jwt = Jwt::bearer(subject).claim("iss", IDP).claim("aud", RESOURCE).claim("scope", scope);
    jwt.issued(now(), 600)
}

/// An attestation before it is signed, made now.
pub fn attestation(subject: &str, instance: &PublicJwk) -> Jwt {
    Jwt::attestation(subject, instance).claim("iss", ATTESTER).issued(now(), 600)
}

/// A DPoP proof for one call, as a workload makes it.
pub fn proof(
    key: &SigningKey,
    method: &str,
    path: &str,
    token: Option<&str>,
    challenge: Option<&str>,
) -> Result<String, MintError> {
    let mut jwt = Jwt::proof(key.public(), method, &format!("{RESOURCE}{path}"))?.claim("iat", now());
    if let Some(token) = token {
        jwt = jwt.with_token(token);
    }
    if let Some(challenge) = challenge {
        jwt = jwt.claim("nonce", challenge);
    }
    jwt.sign(key)
}
