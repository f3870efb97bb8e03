//! stepgate: an Envoy external-authorization sidecar that makes machines prove themselves again, and only when it matters.

pub mod admin;
pub mod app;
pub mod attestation;
pub mod case;
pub mod challenge;
pub mod chassis;
pub mod cli;
pub mod clock;
pub mod config;
pub mod decision;
pub mod ext_authz;
pub mod identity;
pub mod mint;
pub mod policy;
pub mod reason;
pub mod request;
pub mod server;
pub mod store;
pub mod telemetry;
pub mod time;
