//! Tokens whose signature was bad, remembered for a moment, so that repeats cost no signature check.
//!
//! In a memory of their own: who floods us with forgeries pushes out nothing but other forgeries.

use super::digest::TokenDigest;
use crate::attestation::TokenFault;
use crate::case::Ground;
use foldhash::quality::RandomState;
use moka::future::Cache;
use std::sync::Arc;
use std::time::Duration;

#[derive(Debug)]
pub struct Rejected(Cache<TokenDigest, Rejection, RandomState>);

/// The policy and the keys that a fault was found under: under others it says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Era<'g> {
    pub policy: &'g str,
    pub keys: u64,
}

#[derive(Clone, Debug)]
struct Rejection {
    policy: Arc<str>,
    keys: u64,
    fault: TokenFault,
}

/// Some 100 bytes each.
const MAX_ENTRIES: u64 = 20_000;
/// Long enough that a repeated forgery costs one check in so long, short enough that a mistake heals by itself.
const LIFETIME: Duration = Duration::from_secs(10);

impl Rejected {
    pub fn new() -> Self {
        Self(
            Cache::builder().max_capacity(MAX_ENTRIES).time_to_live(LIFETIME).build_with_hasher(RandomState::default()),
        )
    }

    pub async fn find(&self, token: &TokenDigest, era: Era<'_>) -> Option<TokenFault> {
        self.0.get(token).await.filter(|rejection| rejection.era() == era).map(|rejection| rejection.fault)
    }

    pub async fn note(&self, token: TokenDigest, era: Era<'_>, fault: TokenFault) {
        if fault == TokenFault::Signature {
            self.0.insert(token, Rejection { policy: era.policy.into(), keys: era.keys, fault }).await;
        }
    }
}

impl<'g> Era<'g> {
    pub const fn of(ground: Ground<'g>) -> Self {
        Self { policy: &ground.policy.hash, keys: ground.keyring.generation() }
    }
}

impl Rejection {
    fn era(&self) -> Era<'_> {
        Era { policy: &self.policy, keys: self.keys }
    }
}

impl Default for Rejected {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::super::digest::DigestKey;
    use super::super::remembered::Token;
    use super::*;
    use crate::attestation::{ClaimNames, Purpose, TokenKind};

    fn digest(text: &str) -> TokenDigest {
        let names = ClaimNames { subject: "sub", scopes: "scope", task: "", purpose: Purpose::Token, kept: &[] };
        let token = Token { text, purpose: "", kind: TokenKind::Bearer, names, issuers: &[] };
        DigestKey::random().unwrap().digest(&token)
    }

    const ERA: Era<'_> = Era { policy: "one", keys: 1 };

    #[tokio::test]
    async fn a_bad_signature_is_known_again_under_the_same_policy_and_keys_only() {
        let (rejected, forged) = (Rejected::new(), digest("a.b.c"));
        assert_eq!(rejected.find(&forged, ERA).await, None);
        rejected.note(forged, ERA, TokenFault::Signature).await;
        assert_eq!(rejected.find(&forged, ERA).await, Some(TokenFault::Signature));
        assert_eq!(rejected.find(&forged, Era { policy: "two", ..ERA }).await, None);
        assert_eq!(rejected.find(&forged, Era { keys: 2, ..ERA }).await, None);
        assert_eq!(rejected.find(&digest("a.b.d"), ERA).await, None);
    }

    #[tokio::test]
    async fn what_cost_no_signature_check_is_not_kept() {
        let (rejected, forged) = (Rejected::new(), digest("a.b.c"));
        rejected.note(forged, ERA, TokenFault::Key).await;
        assert_eq!(rejected.find(&forged, ERA).await, None);
    }
}
