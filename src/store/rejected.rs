//! Tokens whose signature was bad, remembered for a moment, so that repeats cost no signature check.
//!
//! In a memory of their own: who floods us with forgeries pushes out nothing but other forgeries.

use super::digest::TokenDigest;
use crate::attestation::TokenFault;
use foldhash::quality::RandomState;
use moka::future::Cache;
use std::sync::Arc;
use std::time::Duration;

#[derive(Debug)]
pub struct Rejected(Cache<TokenDigest, Rejection, RandomState>);

/// A fault, and the policy with its keys under which it was found: under another it says nothing.
#[derive(Clone, Debug)]
struct Rejection {
    policy: Arc<str>,
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

    pub async fn find(&self, token: &TokenDigest, policy: &str) -> Option<TokenFault> {
        // Almost always empty, and then it costs nothing.
        if self.0.entry_count() == 0 {
            return None;
        }
        self.0.get(token).await.filter(|rejection| *rejection.policy == *policy).map(|rejection| rejection.fault)
    }

    pub async fn note(&self, token: TokenDigest, policy: &str, fault: TokenFault) {
        if fault == TokenFault::Signature {
            self.0.insert(token, Rejection { policy: policy.into(), fault }).await;
        }
    }
}

impl Default for Rejected {
    fn default() -> Self {
        Self::new()
    }
}
