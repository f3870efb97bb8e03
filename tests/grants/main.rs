//! Grants through the binary: one proof for a task, and everything that ends it.
#![allow(clippy::indexing_slicing, reason = "tests")]

#[path = "../support/mod.rs"]
mod support;

mod consequences;
mod ended;
mod given;
mod operated;
mod revoked;
mod world;
