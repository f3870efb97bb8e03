//! stepgate: an Envoy external-authorization sidecar that makes machines prove themselves again, and only when it matters.

pub mod attestation;
pub mod chassis;
pub mod cli;
pub mod identity;
pub mod mint;
pub mod policy;
pub mod request;
pub mod time;
