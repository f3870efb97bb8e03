//! The chassis from outside: real sockets, tonic's generated client, and raw requests where that one is too polite.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod connections;
mod draining;
mod framing;
mod health;
mod limits;
mod listening;
mod support;
