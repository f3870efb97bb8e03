//! Mints keys, tokens, attestations and proofs for development and tests. Nothing here is used while serving.
//!
//! Deliberately free: any claim and header can be added, changed or left out, since most of what is minted
//! for tests has to be wrong in one exact way. Time is an argument, so that the past and the future can be
//! minted too.

mod jwk;
mod jwt;
mod key;
mod rsa;

pub use jwk::{PublicJwk, jwks};
pub use jwt::{Jwt, ath, sign_verbatim};
pub use key::{Algorithm, SigningKey};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt::Write;

/// Why something could not be minted.
#[derive(Debug, thiserror::Error)]
pub enum MintError {
    #[error("`{0}` is missing from the JWK or is no string")]
    Missing(&'static str),
    #[error("`{0}` in the JWK is not base64url without padding")]
    Encoding(&'static str),
    #[error("keys of type `{0}` are not supported; use EC (P-256, P-384), OKP (Ed25519) or RSA")]
    Unsupported(String),
    #[error("the key was rejected: {0}")]
    Rejected(String),
    #[error("the cryptographic library could not {0}")]
    Crypto(&'static str),
}

/// A value that nobody has seen before, for `jti` and `txn`.
pub fn random_id() -> Result<String, MintError> {
    random::<16>().map(encode)
}

/// One line of a challenge key file: 256 bits as 64 hex digits.
pub fn challenge_key() -> Result<String, MintError> {
    let bytes = random::<32>()?;
    Ok(bytes.iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a String can't fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    }))
}

fn random<const N: usize>() -> Result<[u8; N], MintError> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| MintError::Crypto("read random bytes"))?;
    Ok(bytes)
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn sha256(bytes: impl AsRef<[u8]>) -> String {
    encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::{challenge_key, random_id};

    #[test]
    fn challenge_keys_are_64_hex_digits_and_differ() {
        let key = challenge_key().unwrap();
        assert_eq!(key.len(), 64);
        assert!(key.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_ne!(key, challenge_key().unwrap());
    }

    #[test]
    fn ids_differ() {
        assert_ne!(random_id().unwrap(), random_id().unwrap());
    }
}
