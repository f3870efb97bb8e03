//! The numbers that make a public key, decoded and of a size that is taken.

use super::{JwkError, check_public, optional_text, text};
use crate::attestation::Algorithm;
use crate::attestation::json::Object;
use aws_lc_rs::signature::{ParsedPublicKey, RsaPublicKeyComponents};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

#[derive(Clone, PartialEq, Eq)]
pub(in crate::attestation) enum Material {
    /// A point in the form of SEC 1 §2.3.3, or of RFC 8032 §5.1.2.
    Curve(Algorithm, Box<[u8]>),
    Rsa {
        modulus: Box<[u8]>,
        exponent: Box<[u8]>,
    },
}

impl Material {
    /// Whether a point is on its curve is seen when a signature is checked, or by `parse`.
    pub(in crate::attestation) fn read(jwk: &Object) -> Result<Self, JwkError> {
        check_public(jwk)?;
        match (text(jwk, "kty")?, optional_text(jwk, "crv")?) {
            ("EC", Some("P-256")) => Ok(Self::Curve(Algorithm::Es256, point(jwk, 32)?)),
            ("EC", Some("P-384")) => Ok(Self::Curve(Algorithm::Es384, point(jwk, 48)?)),
            ("OKP", Some("Ed25519")) => Ok(Self::Curve(Algorithm::EdDsa, bytes(jwk, "x")?.into())),
            ("RSA", None) => rsa(bytes(jwk, "n")?, bytes(jwk, "e")?),
            ("oct", _) => Err(JwkError::Private),
            _ => Err(JwkError::Unsupported),
        }
    }

    pub(in crate::attestation) fn fits(&self, algorithm: Algorithm) -> bool {
        match self {
            Self::Curve(own, _) => *own == algorithm,
            Self::Rsa { .. } => algorithm.rsa().is_some(),
        }
    }

    pub(in crate::attestation) fn parse(&self, algorithm: Algorithm) -> Result<ParsedPublicKey, JwkError> {
        let parsed = match (self, algorithm.curve(), algorithm.rsa()) {
            (Self::Curve(own, point), Some(curve), _) if *own == algorithm => ParsedPublicKey::new(curve, &**point),
            (Self::Rsa { modulus, exponent }, _, Some(parameters)) => {
                RsaPublicKeyComponents { n: modulus, e: exponent }.to_parsed_public_key(parameters)
            }
            _ => return Err(JwkError::Unsupported),
        };
        parsed.map_err(|_| JwkError::Malformed)
    }

    /// Whether the signature is this key's over these bytes.
    pub(in crate::attestation) fn verifies(&self, algorithm: Algorithm, signed: &[u8], signature: &[u8]) -> bool {
        self.parse(algorithm).is_ok_and(|key| key.verify_sig(signed, signature).is_ok())
    }

    pub(super) fn heap_bytes(&self) -> usize {
        match self {
            Self::Curve(_, point) => point.len(),
            Self::Rsa { modulus, exponent } => modulus.len() + exponent.len(),
        }
    }
}

/// The uncompressed point, from coordinates of full length (RFC 7518 §6.2.1.2).
fn point(jwk: &Object, length: usize) -> Result<Box<[u8]>, JwkError> {
    let (x, y) = (bytes(jwk, "x")?, bytes(jwk, "y")?);
    if x.len() != length || y.len() != length {
        return Err(JwkError::Malformed);
    }
    Ok([&[4], x.as_slice(), y.as_slice()].concat().into())
}

fn rsa(modulus: Vec<u8>, exponent: Vec<u8>) -> Result<Material, JwkError> {
    let leading_zero = |number: &[u8]| number.first().is_none_or(|byte| *byte == 0);
    if leading_zero(&modulus) || leading_zero(&exponent) {
        return Err(JwkError::Malformed);
    }
    let first = modulus.first().map_or(0, |byte| byte.leading_zeros() as usize);
    if !(2_048..=8_192).contains(&(modulus.len() * 8 - first)) {
        return Err(JwkError::RsaSize);
    }
    Ok(Material::Rsa { modulus: modulus.into(), exponent: exponent.into() })
}

fn bytes(jwk: &Object, name: &str) -> Result<Vec<u8>, JwkError> {
    URL_SAFE_NO_PAD.decode(text(jwk, name)?).map_err(|_| JwkError::Malformed)
}
