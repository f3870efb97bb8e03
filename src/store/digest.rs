//! Names for tokens in memory: keyed digests, so that whoever reads the memory, or guesses at it, finds no token.

use super::remembered::Token;
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;

/// What a remembered token is found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TokenDigest([u8; 32]);

/// The system gives no randomness, without which nothing here is safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no randomness")]
pub struct NoRandomness;

/// A key for the life of the process.
#[derive(Debug)]
pub struct DigestKey(hmac::Key);

impl DigestKey {
    pub fn random() -> Result<Self, NoRandomness> {
        hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).map(Self).map_err(|_| NoRandomness)
    }

    /// Over the bytes and everything that their reading depends on: what the token is used for, and which claims are
    /// read. So a policy that reads a token differently finds nothing that was remembered before it.
    pub fn digest(&self, token: &Token<'_>) -> TokenDigest {
        let mut context = hmac::Context::with_key(&self.0);
        let names = &token.names;
        let purpose = names.purpose.as_str();
        let fixed = [token.kind.as_str(), token.purpose, purpose, names.subject, names.scopes, names.task];
        // The count comes first, so that no name can be taken for the beginning of the token.
        context.update(&(names.kept.len() as u64).to_le_bytes());
        for part in fixed.into_iter().chain(names.kept.iter().map(|name| &**name)) {
            context.update(&(part.len() as u64).to_le_bytes());
            context.update(part.as_bytes());
        }
        context.update(token.text.as_bytes());
        let mut digest = [0; 32];
        digest.copy_from_slice(context.sign().as_ref());
        TokenDigest(digest)
    }
}
