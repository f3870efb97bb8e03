//! `stepgate check` and the loading of policies, from outside.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod context;
mod events;
mod evidence;
mod formats;
mod identities;
mod keys;
mod layouts;
mod merging;
mod problems;
mod routes;
mod rules;
mod secrets;
mod support;
mod teams;
