//! Attacks on the real binary, over gRPC and without an Envoy between that would stop some of them. Each begins as a
//! call that passes, and is wrong in one way.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "../support/mod.rs"]
mod support;

//MOD bindings
//MOD certificates
//MOD challenges
mod forge;
//MOD headers
//MOD memory
//MOD proofs
//MOD readings
mod tokens;

/// Routine: a token with the scope is enough.
const READ: &str = "/v1/payments/7";
/// Asks for an attestation of at most five minutes.
const REFUND: &str = "/v1/payments/7/refund";
/// Asks for an attestation of at most one minute, and a challenge.
const WIPE: &str = "/v1/payments";
const SCOPES: &str = "payments:read payments:refund payments:wipe";
const NAME: &str = "billing-web";
