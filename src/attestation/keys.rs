//! The keys of issuers: sets of public keys, and all sets of a policy together.

use super::json::{self, Object};
use super::jwk::{JwkError, VerifyingKey};
use super::{Algorithm, Thumbprint};
use crate::policy::IssuerId;
use serde_json::Value;
use std::sync::Arc;

/// The keys that one issuer signs with.
#[derive(Debug, Default)]
pub struct KeySet {
    keys: Vec<VerifyingKey>,
}

/// The key sets of all issuers of a policy, in the policy's order.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    sets: Vec<Arc<KeySet>>,
}

/// Why a JWK set is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeySetError {
    #[error("a key set is a JSON object with an array `keys` and no member twice (RFC 7517 §5)")]
    NoSet,
    #[error("a key set has at most {} keys", KeySet::MAX_KEYS)]
    TooMany,
    #[error("the key set has no key that checks signatures")]
    Empty,
    #[error("key {}: {why}", index + 1)]
    Key { index: usize, why: JwkError },
    #[error("key {} repeats the `kid` of another key", index + 1)]
    RepeatedKeyId { index: usize },
}

impl KeySet {
    /// Rotation needs a handful; large providers publish about ten.
    pub const MAX_KEYS: usize = 64;

    pub fn parse(jwks: &[u8]) -> Result<Self, KeySetError> {
        Self::from_object(&json::object(jwks).ok_or(KeySetError::NoSet)?)
    }

    pub fn from_object(jwks: &Object) -> Result<Self, KeySetError> {
        let Some(Value::Array(members)) = jwks.get("keys") else {
            return Err(KeySetError::NoSet);
        };
        if members.len() > Self::MAX_KEYS {
            return Err(KeySetError::TooMany);
        }
        let mut keys: Vec<VerifyingKey> = Vec::with_capacity(members.len());
        for (index, member) in members.iter().enumerate() {
            let Value::Object(jwk) = member else {
                return Err(KeySetError::NoSet);
            };
            let key = match VerifyingKey::from_jwk(jwk) {
                Ok(key) => key,
                // RFC 7517 §5: what is for another purpose, or not understood, is passed over.
                Err(JwkError::Use | JwkError::Unsupported) => continue,
                Err(why) => return Err(KeySetError::Key { index, why }),
            };
            if key.key_id.is_some() && keys.iter().any(|other| other.key_id == key.key_id) {
                return Err(KeySetError::RepeatedKeyId { index });
            }
            keys.push(key);
        }
        if keys.is_empty() { Err(KeySetError::Empty) } else { Ok(Self { keys }) }
    }

    pub fn len(&self) -> usize {
        self.keys.len()
    }

    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The key named by `kid`; without one, the only key that fits.
    pub fn find(&self, key_id: Option<&str>, algorithm: Algorithm) -> Option<&VerifyingKey> {
        let named = |key: &&VerifyingKey| key_id.is_none_or(|id| key.key_id.as_deref() == Some(id));
        let mut fitting = self.keys.iter().filter(named).filter(|key| key.fits(algorithm));
        fitting.next().filter(|_| fitting.next().is_none())
    }

    /// Whether some key is for this algorithm.
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        self.keys.iter().any(|key| key.fits(algorithm))
    }

    /// Whether the key is still among them, for this algorithm.
    pub fn holds(&self, key: &Thumbprint, algorithm: Algorithm) -> bool {
        self.keys.iter().any(|own| own.thumbprint == *key && own.fits(algorithm))
    }
}

impl Keyring {
    pub const fn new(sets: Vec<Arc<KeySet>>) -> Self {
        Self { sets }
    }

    pub fn of(&self, issuer: IssuerId) -> Option<&KeySet> {
        self.sets.get(issuer.0).map(AsRef::as_ref)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ED25519: &str = r#""kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#;

    #[test]
    fn without_a_key_id_only_the_only_fitting_key_is_found() {
        let one = KeySet::parse(format!(r#"{{"keys":[{{"kid":"a",{ED25519}}}]}}"#).as_bytes()).unwrap();
        assert!(one.find(None, Algorithm::EdDsa).is_some());
        assert!(one.find(Some("a"), Algorithm::EdDsa).is_some());
        assert!(one.find(Some("b"), Algorithm::EdDsa).is_none());
        assert!(one.find(None, Algorithm::Es256).is_none());
        let two = KeySet::parse(format!(r#"{{"keys":[{{"kid":"a",{ED25519}}},{{"kid":"b",{ED25519}}}]}}"#).as_bytes());
        assert!(two.unwrap().find(None, Algorithm::EdDsa).is_none());
    }

    #[test]
    fn a_set_with_a_bad_key_is_refused_whole_and_says_which() {
        let set = format!(r#"{{"keys":[{{{ED25519}}},{{"kty":"oct","k":"AA"}}]}}"#);
        assert_eq!(KeySet::parse(set.as_bytes()).unwrap_err(), KeySetError::Key { index: 1, why: JwkError::Private });
        assert_eq!(KeySet::parse(br#"{"keys":[]}"#).unwrap_err(), KeySetError::Empty);
        assert_eq!(KeySet::parse(b"[]").unwrap_err(), KeySetError::NoSet);
    }
}
