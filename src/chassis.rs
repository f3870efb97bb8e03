//! The server's chassis: connections, runtimes and the gRPC framing around the one method that Envoy calls.
//!
//! ```text
//! control runtime: acceptor ── deals connections ──▶ worker threads, one current_thread runtime each
//! worker: connection ─▶ routes ─┬▶ Check ─▶ admission, deadline, panics ─▶ gRPC message ─▶ Authorize
//!                               └▶ Health
//! ```
//!
//! It knows what a `CheckRequest` is made of and nothing of what it means. What it promises: bytes that are a
//! `CheckRequest` are answered with a `CheckResponse`, because a gRPC error hands the outcome to Envoy's failure mode.
//!
//! It is written on bare hyper because tonic's own server answers late, oversize and panicking calls with gRPC errors,
//! and costs a third of the requests a core can answer (`BENCHMARKS.md`).

mod authorize;
mod budget;
mod check;
mod connection;
mod deadline;
mod executor;
mod grpc;
mod health;
mod in_flight;
mod limits;
mod listener;
mod reply;
mod serve;
mod undecided;
mod wire;
mod worker;

pub use authorize::{Authorize, Call, Unavailable};
pub use health::Health;
pub use in_flight::InFlight;
pub use limits::Limits;
pub use listener::{BindError, Listener};
pub use serve::{Chassis, Drained};
