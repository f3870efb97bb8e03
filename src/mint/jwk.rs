//! JSON Web Keys (RFC 7517): the public half, its thumbprint, and sets of them.

use super::{Algorithm, MintError, SigningKey, encode, sha256};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// A public key: exactly the members that make it, and no other.
///
/// The members are sorted, which is the form that RFC 7638 hashes.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct PublicJwk(BTreeMap<&'static str, String>);

impl PublicJwk {
    /// Takes the public half of a public or private JWK.
    pub fn parse(jwk: &Value) -> Result<Self, MintError> {
        let kind = member(jwk, "kty")?;
        let names: &[&'static str] = match kind {
            "EC" => &["crv", "kty", "x", "y"],
            "OKP" => &["crv", "kty", "x"],
            "RSA" => &["e", "kty", "n"],
            other => return Err(MintError::Unsupported(other.to_owned())),
        };
        names.iter().map(|&name| Ok((name, member(jwk, name)?.to_owned()))).collect::<Result<_, _>>().map(Self)
    }

    /// The public key of an elliptic curve from its uncompressed point, `4 | x | y`.
    pub(super) fn ec(curve: &str, point: &[u8]) -> Result<Self, MintError> {
        let coordinates = point.get(1..).ok_or(MintError::Crypto("write the public point"))?;
        let (x, y) = coordinates.split_at(coordinates.len() / 2);
        Ok(Self::from_members([
            ("crv", curve.to_owned()),
            ("kty", "EC".to_owned()),
            ("x", encode(x)),
            ("y", encode(y)),
        ]))
    }

    pub(super) fn ed25519(public: &[u8]) -> Self {
        Self::from_members([("crv", "Ed25519".to_owned()), ("kty", "OKP".to_owned()), ("x", encode(public))])
    }

    pub(super) fn rsa(exponent: &[u8], modulus: &[u8]) -> Self {
        Self::from_members([("e", encode(exponent)), ("kty", "RSA".to_owned()), ("n", encode(modulus))])
    }

    fn from_members<const N: usize>(members: [(&'static str, String); N]) -> Self {
        Self(BTreeMap::from(members))
    }

    /// The key as JSON, as it stands in `cnf.jwk` and in the header of a proof.
    pub fn to_json(&self) -> Value {
        Value::Object(self.to_members())
    }

    pub(super) fn to_members(&self) -> Map<String, Value> {
        self.0.iter().map(|(name, value)| ((*name).to_owned(), value.as_str().into())).collect()
    }

    /// What its key signs with.
    pub fn algorithm(&self) -> Algorithm {
        match self.0.get("crv").map(String::as_str) {
            Some("Ed25519") => Algorithm::EdDsa,
            Some("P-384") => Algorithm::Es384,
            Some(_) => Algorithm::Es256,
            None => Algorithm::Rs256,
        }
    }

    /// The RFC 7638 thumbprint under SHA-256, as it stands in `cnf.jkt`.
    pub fn thumbprint(&self) -> String {
        sha256(self.to_canonical())
    }

    /// Members in order, without white space. Their values are base64url or names of curves and key types,
    /// so that nothing needs escaping.
    fn to_canonical(&self) -> String {
        let members: Vec<_> = self.0.iter().map(|(name, value)| format!("\"{name}\":\"{value}\"")).collect();
        format!("{{{}}}", members.join(","))
    }
}

/// The JWK set that an issuer publishes.
pub fn jwks<'a>(keys: impl IntoIterator<Item = &'a SigningKey>) -> Value {
    let keys: Vec<_> = keys.into_iter().map(SigningKey::published_jwk).collect();
    json!({ "keys": keys })
}

pub(super) fn member<'a>(jwk: &'a Value, name: &'static str) -> Result<&'a str, MintError> {
    jwk.get(name).and_then(Value::as_str).ok_or(MintError::Missing(name))
}

pub(super) fn decoded(jwk: &Value, name: &'static str) -> Result<Vec<u8>, MintError> {
    URL_SAFE_NO_PAD.decode(member(jwk, name)?).map_err(|_| MintError::Encoding(name))
}

#[cfg(test)]
mod tests {
    use super::PublicJwk;
    use serde_json::json;

    #[test]
    fn the_thumbprint_is_that_of_rfc_7638_section_3_1() {
        let jwk = json!({
            "kty": "RSA", "e": "AQAB", "alg": "RS256", "kid": "2011-04-29",
            "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
        });
        let thumbprint = PublicJwk::parse(&jwk).unwrap().thumbprint();
        assert_eq!(thumbprint, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }

    #[test]
    fn the_public_half_of_a_private_key_holds_nothing_private() {
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": "eA", "d": "secret", "kid": "k" });
        let public = PublicJwk::parse(&jwk).unwrap().to_json();
        assert_eq!(public, json!({ "kty": "OKP", "crv": "Ed25519", "x": "eA" }));
    }

    #[test]
    fn a_symmetric_key_is_refused() {
        let refused = PublicJwk::parse(&json!({ "kty": "oct", "k": "c2VjcmV0" })).unwrap_err();
        assert!(refused.to_string().contains("`oct`"), "{refused}");
    }
}
