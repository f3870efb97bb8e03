//! The clients of `examples/profiles`, in Rust and in Python, by every way through the real Envoy and the real binary.
#![allow(clippy::indexing_slicing, reason = "tests")]

#[path = "../../examples/profiles/client.rs"]
pub mod client;
#[path = "../../examples/profiles/platform.rs"]
pub mod platform;
#[path = "../../examples/platforms/platforms.rs"]
pub mod platforms;
#[path = "../../examples/profiles/proof.rs"]
pub mod proof;
#[path = "../support/mod.rs"]
mod support;
#[path = "../../examples/profiles/way.rs"]
pub mod way;

mod passing;
mod refused;
mod world;
