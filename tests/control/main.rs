//! The control API as operators meet it: who is let in, and what they see of a running gate.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "../support/mod.rs"]
mod support;

mod access;
mod events;
mod granting;
mod looking;
mod revoking;
mod state_away;
mod tokens;
mod world;
