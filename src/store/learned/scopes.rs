//! Scopes in eight bytes each, as texts of 256 would let callers fill the memory.

use crate::policy::Scope;
use crate::store::NoRandomness;
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, Serializer};
use siphasher::sip::SipHasher13;
use std::borrow::Cow;
use std::fmt;

/// What makes digests of scopes. What was learned says something only to who has the key that it was learned with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ScopeKey([u8; 16]);

/// A scope, by SipHash-1-3 under a key that nobody outside knows: that a scope never used is taken for one of those used
/// happens once in 10^17 times, and can't be aimed at.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeDigest(u64);

impl ScopeKey {
    pub fn random() -> Result<Self, NoRandomness> {
        let mut bytes = [0; 16];
        SystemRandom::new().fill(&mut bytes).map_err(|_| NoRandomness)?;
        Ok(Self(bytes))
    }

    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    pub fn digest(&self, scope: &Scope) -> ScopeDigest {
        ScopeDigest(SipHasher13::new_with_key(&self.0).hash(scope.as_str().as_bytes()))
    }
}

/// Nothing of the key.
impl fmt::Debug for ScopeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopeKey").finish_non_exhaustive()
    }
}

impl ScopeDigest {
    /// Sixteen digits, as they are written.
    fn parse(text: &str) -> Option<Self> {
        let is_digit = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        let fits = text.len() == 16 && text.bytes().all(is_digit);
        u64::from_str_radix(text, 16).ok().filter(|_| fits).map(Self)
    }
}

impl fmt::Debug for ScopeDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Serialize for ScopeDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:016x}", self.0))
    }
}

impl<'de> Deserialize<'de> for ScopeDigest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("a scope's digest is 16 lower-case hex digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(text: &str) -> Scope {
        Scope::parse(text).unwrap()
    }

    /// As the reference of `SipHash`, with one and three rounds, says: what is kept must mean the same to every version.
    #[test]
    fn one_key_always_says_the_same_of_a_scope() {
        let key = ScopeKey::from_bytes(*b"0123456789abcdef");
        assert_eq!(format!("{:?}", key.digest(&scope("payments:read"))), "31ab91ca4c06b526");
        assert_ne!(key.digest(&scope("payments:read")), key.digest(&scope("payments:refund")));
        assert_ne!(key.digest(&scope("payments:read")), ScopeKey::random().unwrap().digest(&scope("payments:read")));
    }

    #[test]
    fn the_key_is_never_shown() {
        assert_eq!(format!("{:?}", ScopeKey::from_bytes(*b"0123456789abcdef")), "ScopeKey { .. }");
    }
}
