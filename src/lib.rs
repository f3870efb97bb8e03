//! stepgate: an Envoy external-authorization sidecar that makes machines prove themselves again, and only when it matters.

pub mod chassis;
pub mod cli;
pub mod mint;
