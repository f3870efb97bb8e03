//! The key of this process, and the three kinds of proof that it signs. Each is good for one call, once.

use super::way::Proof;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::{self, SystemRandom};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use jsonwebtoken::jwk::{CommonParameters, Jwk};
use jsonwebtoken::{Algorithm, EncodingKey, Header, get_current_timestamp};
use serde_json::{Value, json};

/// How long a proof that says when it ends may be shown; an API takes no longer than a minute.
const WPT_SECONDS: u64 = 30;

/// Made at the start of this process, gone with it.
#[derive(Debug)]
pub struct InstanceKey {
    private: EncodingKey,
    pub public: Jwk,
}

/// The call that a proof is for.
#[derive(Debug, Clone, Copy)]
pub struct Call<'c> {
    pub method: &'c str,
    /// The API's own name, and the URL there without its query. Never taken from an answer: else whoever answers could
    /// have proofs made for another API.
    pub resource: &'c str,
    pub url: &'c str,
    /// The access token, and the attestation, that are sent along.
    pub token: &'c str,
    pub attestation: &'c str,
    pub challenge: &'c str,
}

#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    #[error("can't sign: {0}")]
    Signing(#[from] jsonwebtoken::errors::Error),
    #[error("the crypto library failed")]
    Crypto(#[from] aws_lc_rs::error::Unspecified),
}

impl InstanceKey {
    pub fn generate() -> Result<Self, ProofError> {
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())?;
        let private = EncodingKey::from_ec_der(pkcs8.as_ref());
        let mut public = Jwk::from_encoding_key(&private, Algorithm::ES256)?;
        public.common = CommonParameters::default();
        Ok(Self { private, public })
    }

    pub fn prove(&self, proof: Proof, call: &Call<'_>) -> Result<String, ProofError> {
        match proof {
            Proof::Dpop => self.dpop(call),
            Proof::Pop => self.pop(call),
            Proof::Wpt => self.wpt(call),
        }
    }

    /// RFC 9449 §4.2. It brings our public key along.
    fn dpop(&self, call: &Call<'_>) -> Result<String, ProofError> {
        let mut header = header("dpop+jwt");
        header.jwk = Some(self.public.clone());
        let claims = json!({
            "jti": random_id()?,
            "htm": call.method,
            "htu": call.url,
            "iat": get_current_timestamp(),
            "ath": sha256(call.token),
            "nonce": call.challenge,
        });
        self.sign(&header, &claims)
    }

    /// draft-ietf-oauth-attestation-based-client-auth, with the claims of DPoP that tie it to one call.
    fn pop(&self, call: &Call<'_>) -> Result<String, ProofError> {
        let claims = json!({
            "aud": call.resource,
            "jti": random_id()?,
            "iat": get_current_timestamp(),
            "htm": call.method,
            "htu": call.url,
            "ath": sha256(call.token),
            "challenge": call.challenge,
        });
        self.sign(&header("oauth-client-attestation-pop+jwt"), &claims)
    }

    /// draft-ietf-wimse-wpt.
    fn wpt(&self, call: &Call<'_>) -> Result<String, ProofError> {
        let claims = json!({
            "aud": call.url,
            "jti": random_id()?,
            "exp": get_current_timestamp() + WPT_SECONDS,
            "wth": sha256(call.attestation),
            "ath": sha256(call.token),
            "challenge": call.challenge,
        });
        self.sign(&header("wpt+jwt"), &claims)
    }

    fn sign(&self, header: &Header, claims: &Value) -> Result<String, ProofError> {
        Ok(jsonwebtoken::encode(header, claims, &self.private)?)
    }
}

fn header(typ: &str) -> Header {
    let mut header = Header::new(Algorithm::ES256);
    header.typ = Some(typ.to_owned());
    header
}

fn random_id() -> Result<String, ProofError> {
    let mut id = [0; 16];
    rand::fill(&mut id)?;
    Ok(BASE64URL.encode(id))
}

/// As digests stand in tokens: of a token by its letters, of a certificate by its DER bytes.
pub fn sha256(bytes: impl AsRef<[u8]>) -> String {
    BASE64URL.encode(digest(&SHA256, bytes.as_ref()))
}
