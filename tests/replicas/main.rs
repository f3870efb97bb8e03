//! Three replicas and the Valkey that they share, and everything that can go wrong between them.
//!
//! Bounds on time are wide, since a busy machine is no fault; what was measured is printed (`cargo test -- --nocapture`),
//! and `benches/replicas` measures in earnest.
#![allow(clippy::indexing_slicing, reason = "tests")]

#[path = "../support/mod.rs"]
mod support;

mod away;
mod clocks;
mod file;
mod forged;
mod killed;
mod shared;
mod slow;
mod spent;
mod world;
