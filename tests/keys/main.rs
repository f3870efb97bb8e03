//! The keys of issuers from elsewhere, as the real binary follows them: a server of JWK sets under a CA of its own, and an
//! agent that speaks the SPIFFE Workload API.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "../support/mod.rs"]
mod support;

mod agent;
mod away;
mod bad;
mod provider;
mod rotated;
mod spiffe;
mod world;
