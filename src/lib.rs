//! stepgate: an Envoy external-authorization sidecar that makes machines prove themselves again, and only when it matters.
//!
//! ```text
//! Envoy ──▶ chassis ──▶ server ──▶ ext_authz::facts ──▶ Case ──▶ Decision ──▶ ext_authz::render ──▶ Envoy
//!                                                      │   ▲
//!                                                Need  ▼   │  Answer
//!                                                   store, keys
//! ```
//!
//! A request becomes [`request::RequestFacts`]. A [`case::Case`] takes them from who calls, over what is touched and what is
//! required, to a [`decision::Decision`]; what it can't know by itself it asks for. Only a [`decision::Permit`] becomes an OK.
//!
//! Three layers, each importing only those above it (`tests/layering.rs`):
//!
//! - the core decides: no async, no I/O, no clock, no log, no wire type;
//! - adapters translate and remember: Envoy's messages, files, caches, metrics;
//! - the shell puts them together: [`server`], [`admin`], [`app`], [`cli`].

// The core.
pub mod attestation;
pub mod case;
pub mod challenge;
pub mod context;
pub mod decision;
pub mod event;
pub mod grant;
pub mod identity;
pub mod policy;
pub mod problem;
pub mod reason;
pub mod request;
pub mod revocation;
pub mod time;

// Adapters.
pub mod chassis;
pub mod clock;
pub mod config;
pub mod ext_authz;
pub mod inputs;
pub mod keys;
pub mod mint;
pub mod store;
pub mod telemetry;

// The shell.
pub mod admin;
pub mod app;
pub mod cli;
pub mod server;
