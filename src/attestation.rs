//! Attestations and other signed statements: verified without I/O, appraised at a time that is passed in.
//!
//! `verify` is cryptography: are these bytes signed by this key, and what do they say. `appraise` holds what they say
//! against one call. Only the former is ever remembered.

pub mod algorithm;
pub mod appraise;
pub mod claims;
pub mod details;
pub mod ear;
pub mod fault;
pub mod jose;
pub mod json;
pub mod jwk;
pub mod keys;
pub mod proof;
pub mod thumbprint;
pub mod verify;

pub use algorithm::Algorithm;
pub use appraise::{Appraised, Expected, Intent, appraise};
pub use claims::{ClaimNames, Claims, Confirmation, Purpose};
pub use details::Details;
pub use ear::{Results, Tier};
pub use fault::{ProofFault, TokenFault};
pub use jwk::ConfirmedKey;
pub use keys::{KeySet, Keyring};
pub use proof::{Proof, ProofKey, ProofKind, ProvenCall};
pub use thumbprint::Thumbprint;
pub use verify::{TokenKind, Unverified, Verified, verify};

#[cfg(test)]
mod vectors;
