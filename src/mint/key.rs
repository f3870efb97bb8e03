//! Key pairs that sign: made new, or read from a private JWK.

use super::jwk::{decoded, member};
use super::{MintError, PublicJwk, encode, rsa};
use aws_lc_rs::encoding::AsBigEndian;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use serde_json::{Map, Value};

/// What a key signs with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Algorithm {
    #[value(name = "ES256")]
    Es256,
    #[value(name = "ES384")]
    Es384,
    #[value(name = "EdDSA")]
    EdDsa,
    #[value(name = "RS256")]
    Rs256,
}

impl Algorithm {
    /// The name in `alg`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
        }
    }
}

/// A private key with the name that its issuer publishes it under: its thumbprint, if nothing else is said.
#[derive(Debug)]
pub struct SigningKey {
    algorithm: Algorithm,
    pair: Pair,
    public: PublicJwk,
    kid: String,
}

#[derive(Debug)]
enum Pair {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

impl SigningKey {
    /// Makes a new key; RSA keys have 2048 bits.
    pub fn generate(algorithm: Algorithm) -> Result<Self, MintError> {
        let failed = |_| MintError::Crypto("generate a key");
        let pair = match algorithm {
            Algorithm::Es256 | Algorithm::Es384 => {
                Pair::Ecdsa(EcdsaKeyPair::generate(curve(algorithm).1).map_err(failed)?)
            }
            Algorithm::EdDsa => Pair::Ed25519(Ed25519KeyPair::generate().map_err(failed)?),
            Algorithm::Rs256 => Pair::Rsa(rsa::generate()?),
        };
        Self::from_pair(algorithm, pair)
    }

    /// Reads a private JWK.
    pub fn from_jwk(jwk: &Value) -> Result<Self, MintError> {
        let (algorithm, pair) = match (member(jwk, "kty")?, jwk.get("crv").and_then(Value::as_str)) {
            ("EC", Some("P-256")) => (Algorithm::Es256, ecdsa_pair(Algorithm::Es256, jwk)?),
            ("EC", Some("P-384")) => (Algorithm::Es384, ecdsa_pair(Algorithm::Es384, jwk)?),
            ("OKP", Some("Ed25519")) => (Algorithm::EdDsa, ed25519_pair(jwk)?),
            ("RSA", _) => (Algorithm::Rs256, Pair::Rsa(rsa::from_jwk(jwk)?)),
            (kind, curve) => {
                return Err(MintError::Unsupported(format!("{kind} {}", curve.unwrap_or_default())));
            }
        };
        let key = Self::from_pair(algorithm, pair)?;
        Ok(match jwk.get("kid").and_then(Value::as_str) {
            Some(kid) => key.with_kid(kid),
            None => key,
        })
    }

    fn from_pair(algorithm: Algorithm, pair: Pair) -> Result<Self, MintError> {
        let public = match &pair {
            Pair::Ecdsa(pair) => PublicJwk::ec(curve(algorithm).0, pair.public_key().as_ref())?,
            Pair::Ed25519(pair) => PublicJwk::ed25519(pair.public_key().as_ref()),
            Pair::Rsa(pair) => rsa::public_jwk(pair),
        };
        let kid = public.thumbprint();
        Ok(Self { algorithm, pair, public, kid })
    }

    /// The same key under another name.
    #[must_use]
    pub fn with_kid(self, kid: impl Into<String>) -> Self {
        Self { kid: kid.into(), ..self }
    }

    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub fn kid(&self) -> &str {
        &self.kid
    }

    pub fn public(&self) -> &PublicJwk {
        &self.public
    }

    /// The public key as an issuer publishes it, with `kid`, `alg` and `use`.
    pub fn published_jwk(&self) -> Value {
        Value::Object(self.published_members())
    }

    /// The whole key. Whoever reads it can sign in its name.
    pub fn private_jwk(&self) -> Result<Value, MintError> {
        let mut members = self.published_members();
        match &self.pair {
            Pair::Ecdsa(pair) => members.extend([("d".to_owned(), encode(ecdsa_private(pair)?).into())]),
            Pair::Ed25519(pair) => members.extend([("d".to_owned(), encode(ed25519_seed(pair)?).into())]),
            Pair::Rsa(pair) => members.extend(rsa::private_members(pair)?),
        }
        Ok(Value::Object(members))
    }

    fn published_members(&self) -> Map<String, Value> {
        let mut members = self.public.to_members();
        let name = [("kid", self.kid.as_str()), ("alg", self.algorithm.as_str()), ("use", "sig")];
        members.extend(name.map(|(name, value)| (name.to_owned(), value.into())));
        members
    }

    /// Signs as JWS wants it (RFC 7518 section 3): ECDSA as `r | s`, not as DER.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, MintError> {
        let failed = |_| MintError::Crypto("sign");
        match &self.pair {
            Pair::Ecdsa(pair) => {
                pair.sign(&SystemRandom::new(), message).map(|signature| signature.as_ref().to_vec()).map_err(failed)
            }
            Pair::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).map_err(failed)?;
                Ok(signature)
            }
        }
    }
}

fn curve(algorithm: Algorithm) -> (&'static str, &'static EcdsaSigningAlgorithm) {
    match algorithm {
        Algorithm::Es384 => ("P-384", &ECDSA_P384_SHA384_FIXED_SIGNING),
        _ => ("P-256", &ECDSA_P256_SHA256_FIXED_SIGNING),
    }
}

fn ecdsa_pair(algorithm: Algorithm, jwk: &Value) -> Result<Pair, MintError> {
    let point = [vec![4], decoded(jwk, "x")?, decoded(jwk, "y")?].concat();
    EcdsaKeyPair::from_private_key_and_public_key(curve(algorithm).1, &decoded(jwk, "d")?, &point)
        .map(Pair::Ecdsa)
        .map_err(|why| MintError::Rejected(why.to_string()))
}

fn ed25519_pair(jwk: &Value) -> Result<Pair, MintError> {
    Ed25519KeyPair::from_seed_and_public_key(&decoded(jwk, "d")?, &decoded(jwk, "x")?)
        .map(Pair::Ed25519)
        .map_err(|why| MintError::Rejected(why.to_string()))
}

fn ecdsa_private(pair: &EcdsaKeyPair) -> Result<Vec<u8>, MintError> {
    let private = pair.private_key().as_be_bytes().map_err(|_| MintError::Crypto("write the private key"))?;
    Ok(private.as_ref().to_vec())
}

fn ed25519_seed(pair: &Ed25519KeyPair) -> Result<Vec<u8>, MintError> {
    let failed = |_| MintError::Crypto("write the private key");
    let seed = pair.seed().map_err(failed)?.as_be_bytes().map_err(failed)?;
    Ok(seed.as_ref().to_vec())
}

#[cfg(test)]
mod tests {
    use super::{Algorithm, SigningKey};
    use serde_json::{Value, json};

    const ALL: [Algorithm; 4] = [Algorithm::Es256, Algorithm::Es384, Algorithm::EdDsa, Algorithm::Rs256];

    #[test]
    fn a_private_jwk_reads_back_as_the_same_key() {
        for algorithm in ALL {
            let key = SigningKey::generate(algorithm).unwrap().with_kid("k1");
            let read = SigningKey::from_jwk(&key.private_jwk().unwrap()).unwrap();
            assert_eq!(read.algorithm(), algorithm);
            assert_eq!(read.kid(), "k1");
            assert_eq!(read.private_jwk().unwrap(), key.private_jwk().unwrap());
        }
    }

    #[test]
    fn a_published_key_holds_no_private_member() {
        for algorithm in ALL {
            let key = SigningKey::generate(algorithm).unwrap();
            let published = key.published_jwk();
            let private = ["d", "p", "q", "dp", "dq", "qi"];
            assert!(private.iter().all(|name| published.get(name).is_none()), "{published}");
            assert_eq!(published["alg"], algorithm.as_str());
            assert_eq!(published["kid"], key.public().thumbprint());
        }
    }

    #[test]
    fn a_key_whose_halves_do_not_belong_together_is_rejected() {
        let [one, other] = [(); 2].map(|()| SigningKey::generate(Algorithm::Es256).unwrap().private_jwk().unwrap());
        let mixed = json!({ "kty": "EC", "crv": "P-256", "x": one["x"], "y": one["y"], "d": other["d"] });
        assert!(SigningKey::from_jwk(&mixed).is_err());
    }

    #[test]
    fn what_is_no_private_key_is_refused_with_its_reason() {
        let public = SigningKey::generate(Algorithm::EdDsa).unwrap().published_jwk();
        let cases: [(Value, &str); 4] = [
            (public, "`d` is missing"),
            (json!({}), "`kty` is missing"),
            (json!({ "kty": "EC", "crv": "secp256k1" }), "secp256k1"),
            (json!({ "kty": "OKP", "crv": "Ed25519", "d": "a+b", "x": "eA" }), "`d` in the JWK is not base64url"),
        ];
        for (jwk, reason) in cases {
            let refused = SigningKey::from_jwk(&jwk).unwrap_err().to_string();
            assert!(refused.contains(reason), "{refused}");
        }
    }
}
