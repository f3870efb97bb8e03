//! Public keys as JSON Web Keys (RFC 7517, RFC 7518 §6, RFC 8037 §2), each parsed once.

use super::Algorithm;
use super::json::Object;
use super::thumbprint::{Thumbprint, thumbprint};
use aws_lc_rs::signature::{ParsedPublicKey, RsaPublicKeyComponents};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use std::fmt;

/// A public key that checks signatures.
pub struct VerifyingKey {
    pub key_id: Option<Box<str>>,
    /// RFC 7638: names the key whatever its `kid` says.
    pub thumbprint: Thumbprint,
    /// One parsed form for each algorithm that the key may be used with.
    parsed: Vec<(Algorithm, ParsedPublicKey)>,
}

/// The public key of a caller, small enough to be remembered: to parse it for a check costs a fiftieth of the check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// The one algorithm that it is for, where it says so.
    algorithm: Option<Algorithm>,
    material: Material,
}

/// Why a JWK is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwkError {
    #[error("the key is private or symmetric; publish only the public part (`kty` EC, OKP or RSA, without `d`)")]
    Private,
    #[error("the key's type, curve or algorithm is not one of EC P-256, EC P-384, OKP Ed25519, RSA")]
    Unsupported,
    #[error("the key is not for checking signatures (`use` or `key_ops`)")]
    Use,
    #[error("the RSA key has fewer than 2048 or more than 8192 bits")]
    RsaSize,
    #[error("the key is malformed")]
    Malformed,
}

impl VerifyingKey {
    /// For every algorithm that the key's type allows.
    pub fn from_jwk(jwk: &Object) -> Result<Self, JwkError> {
        let PublicKey { algorithm: only, material } = PublicKey::from_jwk(jwk)?;
        let fitting = Algorithm::ALL.into_iter().filter(|algorithm| only.is_none_or(|only| only == *algorithm));
        let parsed: Vec<_> = fitting
            .filter(|algorithm| material.fits(*algorithm))
            .map(|algorithm| Ok((algorithm, material.parse(algorithm)?)))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            key_id: optional_text(jwk, "kid")?.map(Into::into),
            thumbprint: thumbprint(jwk).ok_or(JwkError::Malformed)?,
            parsed,
        })
    }

    pub fn fits(&self, algorithm: Algorithm) -> bool {
        self.parsed.iter().any(|(own, _)| *own == algorithm)
    }

    /// Whether the signature is this key's over these bytes.
    pub fn verifies(&self, algorithm: Algorithm, signed: &[u8], signature: &[u8]) -> bool {
        let key = self.parsed.iter().find(|(own, _)| *own == algorithm);
        key.is_some_and(|(_, key)| key.verify_sig(signed, signature).is_ok())
    }
}

/// RFC 7517 §4.2; and what SPIFFE bundles call the keys of their tokens, beside `x509-svid` for certificates.
const SIGNING_USES: [&str; 3] = ["sig", "jwt-svid", "wit-svid"];

impl PublicKey {
    pub fn from_jwk(jwk: &Object) -> Result<Self, JwkError> {
        check_public(jwk)?;
        check_use(jwk)?;
        let material = Material::read(jwk)?;
        let algorithm = match optional_text(jwk, "alg")? {
            None => None,
            Some(only) => {
                let only = Algorithm::parse(only).filter(|only| material.fits(*only));
                Some(only.ok_or(JwkError::Unsupported)?)
            }
        };
        Ok(Self { algorithm, material })
    }

    /// The one algorithm that it is for, where it says so (RFC 7517 §4.4).
    pub const fn algorithm(&self) -> Option<Algorithm> {
        self.algorithm
    }

    pub fn fits(&self, algorithm: Algorithm) -> bool {
        self.algorithm.is_none_or(|only| only == algorithm) && self.material.fits(algorithm)
    }

    /// Whether the signature is this key's over these bytes.
    pub fn verifies(&self, algorithm: Algorithm, signed: &[u8], signature: &[u8]) -> bool {
        let key = self.fits(algorithm).then(|| self.material.parse(algorithm));
        key.is_some_and(|key| key.is_ok_and(|key| key.verify_sig(signed, signature).is_ok()))
    }

    /// What it holds outside of itself, about.
    pub fn heap_bytes(&self) -> usize {
        self.material.heap_bytes()
    }
}

/// That only the public part of a key stands in a JWK.
pub fn check_public(jwk: &Object) -> Result<(), JwkError> {
    let private = ["d", "k", "p", "q", "dp", "dq", "qi", "oth"].iter().any(|name| jwk.contains_key(*name));
    if private { Err(JwkError::Private) } else { Ok(()) }
}

fn check_use(jwk: &Object) -> Result<(), JwkError> {
    let use_fits = optional_text(jwk, "use")?.is_none_or(|purpose| SIGNING_USES.contains(&purpose));
    let operations_fit = match jwk.get("key_ops") {
        None => true,
        Some(Value::Array(operations)) => operations.iter().any(|op| op == "verify"),
        Some(_) => return Err(JwkError::Malformed),
    };
    if use_fits && operations_fit { Ok(()) } else { Err(JwkError::Use) }
}

/// A public key as bytes, of a type and size that is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Material {
    /// The uncompressed point of SEC 1 §2.3.3, or what RFC 8032 §5.1.5 makes of one.
    Curve(Algorithm, Box<[u8]>),
    Rsa {
        modulus: Box<[u8]>,
        exponent: Box<[u8]>,
    },
}

impl Material {
    fn read(jwk: &Object) -> Result<Self, JwkError> {
        match (text(jwk, "kty")?, optional_text(jwk, "crv")?) {
            ("EC", Some("P-256")) => Ok(Self::Curve(Algorithm::Es256, point(jwk, 32)?)),
            ("EC", Some("P-384")) => Ok(Self::Curve(Algorithm::Es384, point(jwk, 48)?)),
            ("OKP", Some("Ed25519")) => Ok(Self::Curve(Algorithm::EdDsa, bytes(jwk, "x")?.into())),
            ("RSA", None) => Self::rsa(bytes(jwk, "n")?, bytes(jwk, "e")?),
            ("oct", _) => Err(JwkError::Private),
            _ => Err(JwkError::Unsupported),
        }
    }

    fn rsa(modulus: Vec<u8>, exponent: Vec<u8>) -> Result<Self, JwkError> {
        let leading_zero = |number: &[u8]| number.first().is_none_or(|byte| *byte == 0);
        if leading_zero(&modulus) || leading_zero(&exponent) {
            return Err(JwkError::Malformed);
        }
        let first = modulus.first().map_or(0, |byte| byte.leading_zeros() as usize);
        if !(2_048..=8_192).contains(&(modulus.len() * 8 - first)) {
            return Err(JwkError::RsaSize);
        }
        Ok(Self::Rsa { modulus: modulus.into(), exponent: exponent.into() })
    }

    fn fits(&self, algorithm: Algorithm) -> bool {
        match self {
            Self::Curve(own, _) => *own == algorithm,
            Self::Rsa { .. } => algorithm.rsa().is_some(),
        }
    }

    fn parse(&self, algorithm: Algorithm) -> Result<ParsedPublicKey, JwkError> {
        let parsed = match self {
            Self::Curve(own, point) => {
                let verifier = own.curve().filter(|_| *own == algorithm).ok_or(JwkError::Unsupported)?;
                ParsedPublicKey::new(verifier, &**point)
            }
            Self::Rsa { modulus, exponent } => {
                let parameters = algorithm.rsa().ok_or(JwkError::Unsupported)?;
                RsaPublicKeyComponents { n: &**modulus, e: &**exponent }.to_parsed_public_key(parameters)
            }
        };
        parsed.map_err(|_| JwkError::Malformed)
    }

    fn heap_bytes(&self) -> usize {
        match self {
            Self::Curve(_, point) => point.len(),
            Self::Rsa { modulus, exponent } => modulus.len() + exponent.len(),
        }
    }
}

/// From coordinates of full length (RFC 7518 §6.2.1.2).
fn point(jwk: &Object, length: usize) -> Result<Box<[u8]>, JwkError> {
    let (x, y) = (bytes(jwk, "x")?, bytes(jwk, "y")?);
    if x.len() != length || y.len() != length {
        return Err(JwkError::Malformed);
    }
    Ok([&[4], x.as_slice(), y.as_slice()].concat().into())
}

fn bytes(jwk: &Object, name: &str) -> Result<Vec<u8>, JwkError> {
    URL_SAFE_NO_PAD.decode(text(jwk, name)?).map_err(|_| JwkError::Malformed)
}

fn text<'o>(jwk: &'o Object, name: &str) -> Result<&'o str, JwkError> {
    optional_text(jwk, name)?.ok_or(JwkError::Malformed)
}

fn optional_text<'o>(jwk: &'o Object, name: &str) -> Result<Option<&'o str>, JwkError> {
    match jwk.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(JwkError::Malformed),
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let algorithms = self.parsed.iter().map(|(algorithm, _)| algorithm.as_str());
        f.debug_struct("VerifyingKey")
            .field("key_id", &self.key_id)
            .field("thumbprint", &self.thumbprint)
            .field("algorithms", &algorithms.collect::<Vec<_>>())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::super::json;
    use super::*;
    use rstest::rstest;

    /// RFC 8037 appendix A.2.
    const ED25519: &str = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

    fn read(jwk: &str) -> Result<VerifyingKey, JwkError> {
        VerifyingKey::from_jwk(&json::object(jwk.as_bytes()).unwrap())
    }

    #[test]
    fn rfc_8037_a_5_verifies() {
        let input = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        let signature = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
        let (key, signature) = (read(ED25519).unwrap(), URL_SAFE_NO_PAD.decode(signature).unwrap());
        assert!(key.verifies(Algorithm::EdDsa, input.as_bytes(), &signature));
        assert!(!key.verifies(Algorithm::EdDsa, b"something else", &signature));
        assert!(!key.verifies(Algorithm::Es256, input.as_bytes(), &signature));
    }

    #[rstest]
    #[case(r#"{"kty":"oct","k":"AAAA"}"#, JwkError::Private)]
    #[case(r#"{"kty":"OKP","crv":"Ed25519","x":"AA","d":"AA"}"#, JwkError::Private)]
    #[case(r#"{"kty":"OKP","crv":"X25519","x":"AA"}"#, JwkError::Unsupported)]
    #[case(r#"{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"}"#, JwkError::Unsupported)]
    #[case(r#"{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}"#, JwkError::Malformed)]
    #[case(r#"{"kty":"OKP","crv":"Ed25519","x":"AA","use":"enc"}"#, JwkError::Use)]
    #[case(r#"{"kty":"OKP","crv":"Ed25519","x":"AA","use":"x509-svid"}"#, JwkError::Use)]
    #[case(r#"{"kty":"OKP","crv":"Ed25519","x":"AA","key_ops":["sign"]}"#, JwkError::Use)]
    #[case(r#"{"kty":"RSA","n":"sXchDaQebHnPiGvy","e":"AQAB"}"#, JwkError::RsaSize)]
    #[case(r#"{"crv":"P-256"}"#, JwkError::Malformed)]
    fn a_key_that_is_weak_private_or_for_something_else_is_refused(#[case] jwk: &str, #[case] why: JwkError) {
        assert_eq!(read(jwk).unwrap_err(), why);
    }

    #[rstest]
    #[case("sig")]
    #[case("jwt-svid")]
    #[case("wit-svid")]
    fn a_key_for_tokens_is_taken(#[case] purpose: &str) {
        assert!(read(&ED25519.replace("\"crv\"", &format!("\"use\":\"{purpose}\",\"crv\""))).is_ok());
    }

    #[test]
    fn a_point_that_is_not_on_the_curve_is_refused() {
        let jwk = format!(r#"{{"kty":"EC","crv":"P-256","x":"{0}","y":"{0}"}}"#, URL_SAFE_NO_PAD.encode([7; 32]));
        assert_eq!(read(&jwk).unwrap_err(), JwkError::Malformed);
    }

    #[test]
    fn a_key_for_one_algorithm_serves_no_other() {
        let tied = ED25519.replace("\"crv\"", "\"alg\":\"ES256\",\"crv\"");
        assert_eq!(read(&tied).unwrap_err(), JwkError::Unsupported);
    }
}
