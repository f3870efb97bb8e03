//! Public keys as JSON Web Keys (RFC 7517, RFC 7518 §6, RFC 8037 §2), each parsed once.

mod confirmed;
mod material;

pub use confirmed::ConfirmedKey;
pub(super) use material::Material;

use super::Algorithm;
use super::json::Object;
use super::thumbprint::{Thumbprint, thumbprint};
use aws_lc_rs::signature::ParsedPublicKey;
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
    /// For every algorithm that the key's type, and its `alg`, allow.
    pub fn from_jwk(jwk: &Object) -> Result<Self, JwkError> {
        let (material, only) = (Material::read(jwk)?, named_algorithm(jwk)?);
        let fits = |algorithm: &Algorithm| only.is_none_or(|only| only == *algorithm) && material.fits(*algorithm);
        let fitting = Algorithm::ALL.into_iter().filter(fits);
        let parsed: Vec<_> =
            fitting.map(|algorithm| Ok((algorithm, material.parse(algorithm)?))).collect::<Result<_, _>>()?;
        if parsed.is_empty() {
            return Err(JwkError::Unsupported);
        }
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
/// The members of private and symmetric keys (RFC 7518 §6.2.2, §6.3.2, §6.4.1).
pub const PRIVATE_MEMBERS: [&str; 8] = ["d", "k", "p", "q", "dp", "dq", "qi", "oth"];

/// Private and symmetric keys are for nobody to see, and others not for signatures.
pub(super) fn check_public(jwk: &Object) -> Result<(), JwkError> {
    if jwk.keys().any(|name| PRIVATE_MEMBERS.contains(&name.as_str())) {
        return Err(JwkError::Private);
    }
    let use_fits = optional_text(jwk, "use")?.is_none_or(|purpose| SIGNING_USES.contains(&purpose));
    let operations_fit = match jwk.get("key_ops") {
        None => true,
        Some(Value::Array(operations)) => operations.iter().any(|op| op == "verify"),
        Some(_) => return Err(JwkError::Malformed),
    };
    if use_fits && operations_fit { Ok(()) } else { Err(JwkError::Use) }
}

/// The only algorithm that the key is for (RFC 7517 §4.4), if it says so.
pub(super) fn named_algorithm(jwk: &Object) -> Result<Option<Algorithm>, JwkError> {
    let named = optional_text(jwk, "alg")?;
    named.map(|alg| Algorithm::parse(alg).ok_or(JwkError::Unsupported)).transpose()
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
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use rstest::rstest;

    /// RFC 8037 appendix A.2.
    const ED25519: &str = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

    fn read(jwk: &str) -> Result<VerifyingKey, JwkError> {
        VerifyingKey::from_jwk(&json::object(jwk.as_bytes()).unwrap())
    }

    fn confirmed(jwk: &str) -> Result<ConfirmedKey, JwkError> {
        ConfirmedKey::from_jwk(&json::object(jwk.as_bytes()).unwrap())
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
    #[case(r#"{"kty":"OKP","crv":"Ed25519","x":"AA","key_ops":["sign"]}"#, JwkError::Use)]
    #[case(r#"{"kty":"RSA","n":"AA","e":"AQAB","dp":"AA"}"#, JwkError::Private)]
    #[case(r#"{"kty":"RSA","n":"sXchDaQebHnPiGvy","e":"AQAB"}"#, JwkError::RsaSize)]
    #[case(r#"{"crv":"P-256"}"#, JwkError::Malformed)]
    fn a_key_that_is_weak_private_or_for_something_else_is_refused(#[case] jwk: &str, #[case] why: JwkError) {
        assert_eq!(read(jwk).unwrap_err(), why);
        assert_eq!(confirmed(jwk).unwrap_err(), why);
    }

    #[test]
    fn a_point_that_is_not_on_the_curve_is_refused() {
        let jwk = format!(r#"{{"kty":"EC","crv":"P-256","x":"{0}","y":"{0}"}}"#, URL_SAFE_NO_PAD.encode([7; 32]));
        assert_eq!(read(&jwk).unwrap_err(), JwkError::Malformed);
        assert_eq!(confirmed(&jwk).unwrap_err(), JwkError::Malformed);
    }

    #[test]
    fn a_key_for_one_algorithm_serves_no_other() {
        let tied = ED25519.replace("\"crv\"", "\"alg\":\"ES256\",\"crv\"");
        assert_eq!(read(&tied).unwrap_err(), JwkError::Unsupported);
        assert_eq!(confirmed(&tied).unwrap_err(), JwkError::Unsupported);
    }
}
