//! `stepgate serve` as whoever runs it meets it: its starts that fail and why, health, metrics, reloads, its end.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "../support/mod.rs"]
mod support;

mod logging;
mod reloading;
mod replicas;
mod starting;
mod stopping;
mod watching;

const READ: &str = "/v1/payments/7";
const REFUND: &str = "/v1/payments/7/refund";
const SCOPES: &str = "payments:read payments:refund";
const NAME: &str = "billing-web";
