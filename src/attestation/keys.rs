//! The keys of issuers: sets of public keys, and all sets of a policy together.

use super::json::{self, Object};
use super::jwk::{JwkError, VerifyingKey};
use super::{Algorithm, Thumbprint};
use crate::identity::{SpiffeId, TrustDomain};
use crate::policy::IssuerId;
use serde_json::Value;
use std::sync::Arc;

/// The keys that one issuer signs with.
#[derive(Debug, Default)]
pub struct KeySet {
    keys: Vec<OwnKey>,
}

/// A key, and the only trust domain that it may speak for, where it came with one.
#[derive(Clone, Debug)]
struct OwnKey {
    key: Arc<VerifyingKey>,
    trust_domain: Option<TrustDomain>,
}

/// The key sets of all issuers of a policy, in the policy's order, as far as they are at hand.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    sets: Vec<Option<Arc<KeySet>>>,
    generation: u64,
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
        let mut keys: Vec<OwnKey> = Vec::with_capacity(members.len());
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
            if key.key_id.is_some() && keys.iter().any(|other| other.key.key_id == key.key_id) {
                return Err(KeySetError::RepeatedKeyId { index });
            }
            keys.push(OwnKey { key: Arc::new(key), trust_domain: None });
        }
        if keys.is_empty() { Err(KeySetError::Empty) } else { Ok(Self { keys }) }
    }

    /// The keys of several trust domains, each of which speaks for its own workloads only: who federates with a domain
    /// lets it name its workloads, and nobody else's (JWT-SVID §4.1).
    pub fn of_trust_domains<'s>(bundles: impl IntoIterator<Item = (&'s TrustDomain, &'s Self)>) -> Self {
        let tied = |(domain, set): (&'s TrustDomain, &'s Self)| {
            set.keys.iter().map(|own| OwnKey { key: Arc::clone(&own.key), trust_domain: Some(domain.clone()) })
        };
        Self { keys: bundles.into_iter().flat_map(tied).collect() }
    }

    pub fn len(&self) -> usize {
        self.keys.len()
    }

    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// By these names revocations know them.
    pub fn thumbprints(&self) -> impl Iterator<Item = Thumbprint> {
        self.keys.iter().map(|own| own.key.thumbprint)
    }

    /// Whether what one signs could be signed by the other.
    pub fn shares_a_key_with(&self, other: &Self) -> bool {
        let holds = |key: &VerifyingKey| other.keys.iter().any(|theirs| theirs.key.thumbprint == key.thumbprint);
        self.keys.iter().any(|own| holds(&own.key))
    }

    /// The key named by `kid`; without one, the only key that fits. `subject` is whom the token speaks of.
    pub fn find(&self, key_id: Option<&str>, algorithm: Algorithm, subject: Option<&str>) -> Option<&VerifyingKey> {
        let named = |own: &&OwnKey| key_id.is_none_or(|id| own.key.key_id.as_deref() == Some(id));
        let mut fitting = self.keys.iter().filter(named).filter(|own| own.fits(algorithm) && own.may_name(subject));
        fitting.next().filter(|_| fitting.next().is_none()).map(|own| &*own.key)
    }

    /// Whether some key is for this algorithm.
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        self.keys.iter().any(|own| own.fits(algorithm))
    }

    /// Whether the key is still among them, whatever for.
    pub fn contains(&self, key: &Thumbprint) -> bool {
        self.keys.iter().any(|own| own.key.thumbprint == *key)
    }

    /// Whether the key is still among them, for this algorithm and subject.
    pub fn holds(&self, key: &Thumbprint, algorithm: Algorithm, subject: Option<&str>) -> bool {
        let mut own = self.keys.iter().filter(|own| own.key.thumbprint == *key);
        own.any(|own| own.fits(algorithm) && own.may_name(subject))
    }
}

impl OwnKey {
    fn fits(&self, algorithm: Algorithm) -> bool {
        self.key.fits(algorithm)
    }

    fn may_name(&self, subject: Option<&str>) -> bool {
        let Some(domain) = &self.trust_domain else { return true };
        subject.and_then(|subject| SpiffeId::parse(subject).ok()).is_some_and(|id| id.is_member_of(domain))
    }
}

impl Keyring {
    /// All sets are at hand, and stay as they are.
    pub fn new(sets: Vec<Arc<KeySet>>) -> Self {
        Self::of_moment(sets.into_iter().map(Some).collect(), 0)
    }

    /// The sets of this moment; nothing for an issuer whose keys are away.
    pub const fn of_moment(sets: Vec<Option<Arc<KeySet>>>, generation: u64) -> Self {
        Self { sets, generation }
    }

    /// Nothing where the issuer's keys are away: never fetched, or too old to be believed.
    pub fn of(&self, issuer: IssuerId) -> Option<&KeySet> {
        self.sets.get(issuer.0)?.as_deref()
    }

    /// Tells keyrings of one policy apart, since keys change without it.
    pub const fn generation(&self) -> u64 {
        self.generation
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ED25519: &str = r#""kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#;

    #[test]
    fn without_a_key_id_only_the_only_fitting_key_is_found() {
        let one = KeySet::parse(format!(r#"{{"keys":[{{"kid":"a",{ED25519}}}]}}"#).as_bytes()).unwrap();
        assert!(one.find(None, Algorithm::EdDsa, None).is_some());
        assert!(one.find(Some("a"), Algorithm::EdDsa, None).is_some());
        assert!(one.find(Some("b"), Algorithm::EdDsa, None).is_none());
        assert!(one.find(None, Algorithm::Es256, None).is_none());
        let two = KeySet::parse(format!(r#"{{"keys":[{{"kid":"a",{ED25519}}},{{"kid":"b",{ED25519}}}]}}"#).as_bytes());
        assert!(two.unwrap().find(None, Algorithm::EdDsa, None).is_none());
    }

    #[test]
    fn a_key_id_is_compared_and_leads_nowhere_else() {
        let keys = KeySet::parse(format!(r#"{{"keys":[{{"kid":"a",{ED25519}}}]}}"#).as_bytes()).unwrap();
        for id in ["", "A", "a ", "a\0", "*", "../a", "/dev/null", "' OR '1'='1", "*)(kid=*", "https://evil.example/a"]
        {
            assert!(keys.find(Some(id), Algorithm::EdDsa, None).is_none(), "{id:?}");
        }
    }

    #[test]
    fn a_set_with_a_bad_key_is_refused_whole_and_says_which() {
        let set = format!(r#"{{"keys":[{{{ED25519}}},{{"kty":"oct","k":"AA"}}]}}"#);
        assert_eq!(KeySet::parse(set.as_bytes()).unwrap_err(), KeySetError::Key { index: 1, why: JwkError::Private });
        assert_eq!(KeySet::parse(br#"{"keys":[]}"#).unwrap_err(), KeySetError::Empty);
        assert_eq!(KeySet::parse(b"[]").unwrap_err(), KeySetError::NoSet);
    }

    #[test]
    fn a_federated_bundle_speaks_for_its_own_workloads_only() {
        let bundle =
            |kid: &str| KeySet::parse(format!(r#"{{"keys":[{{"kid":"{kid}",{ED25519}}}]}}"#).as_bytes()).unwrap();
        let domain = |name: &str| TrustDomain::parse(name).unwrap();
        let (own, partner) = ((domain("example.org"), bundle("a")), (domain("partner.example"), bundle("b")));
        let keys = KeySet::of_trust_domains([(&own.0, &own.1), (&partner.0, &partner.1)]);
        let found = |kid, subject| keys.find(Some(kid), Algorithm::EdDsa, subject).is_some();
        assert!(found("a", Some("spiffe://example.org/web")) && found("b", Some("spiffe://partner.example/web")));
        for subject in [
            None,
            Some("web"),
            Some("spiffe://example.org/web"),
            Some("spiffe://partner.example.org/web"),
            Some("spiffe://partner.example@example.org/web"),
            Some("spiffe://sub.partner.example/web"),
            Some("SPIFFE://partner.example/web"),
        ] {
            assert!(!found("b", subject), "{subject:?}");
        }
        let key = bundle("a").find(None, Algorithm::EdDsa, None).unwrap().thumbprint;
        assert!(keys.holds(&key, Algorithm::EdDsa, Some("spiffe://partner.example/web")));
        assert!(!keys.holds(&key, Algorithm::EdDsa, Some("spiffe://other.example/web")));
    }

    #[test]
    fn two_trust_domains_may_name_their_keys_alike() {
        let bundle = KeySet::parse(format!(r#"{{"keys":[{{"kid":"a",{ED25519}}}]}}"#).as_bytes()).unwrap();
        let domains = ["one.example", "two.example"].map(|name| TrustDomain::parse(name).unwrap());
        let keys = KeySet::of_trust_domains(domains.iter().map(|domain| (domain, &bundle)));
        assert!(keys.find(Some("a"), Algorithm::EdDsa, Some("spiffe://two.example/web")).is_some());
    }

    #[test]
    fn an_issuer_whose_keys_are_away_has_none() {
        let set = Arc::new(KeySet::parse(format!(r#"{{"keys":[{{{ED25519}}}]}}"#).as_bytes()).unwrap());
        let keyring = Keyring::of_moment(vec![None, Some(set)], 7);
        assert!(keyring.of(IssuerId(0)).is_none() && keyring.of(IssuerId(1)).is_some());
        assert!(keyring.of(IssuerId(2)).is_none());
        assert_eq!(keyring.generation(), 7);
    }
}
