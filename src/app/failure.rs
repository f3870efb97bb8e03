//! Why serving did not begin, or ended badly.

use super::secret_file::Unusable;
use crate::chassis::BindError;
use crate::config::Diagnostics;
use crate::store::valkey::ValkeyError;
use crate::store::{JournalError, NoRandomness};
use crate::telemetry::Destination;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("the policy is invalid")]
    Policy(Diagnostics),
    #[error(transparent)]
    Listen(#[from] BindError),
    #[error("can't listen on `{address}` for health and metrics: {source}; choose another with --admin")]
    Admin { address: SocketAddr, source: io::Error },
    #[error("can't listen on `{address}` for security events: {source}; choose another with --events")]
    Events { address: SocketAddr, source: io::Error },
    #[error("the {name} in `{}`: {source}", path.display())]
    Secrets { name: &'static str, path: PathBuf, source: Unusable },
    #[error("can't keep the state in `{}`: {source}; choose another file with --state", path.display())]
    Journal { path: PathBuf, source: Box<JournalError> },
    #[error("the shared state: {0}")]
    Shared(ValkeyError),
    #[error(
        "replicas that share a state share challenge keys too: give all of them the same --challenge-key-file; `stepgate attest challenge-key` makes one"
    )]
    NoChallengeKeys,
    #[error("can't log decisions to `{destination}`: {source}; choose another with --decision-log")]
    DecisionLog { destination: Destination, source: io::Error },
    #[error("can't make the metrics: {0}")]
    Metrics(#[from] prometheus::Error),
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    #[error("can't start the program's log: {0}")]
    Log(String),
    #[error("can't start a thread or its runtime: {0}")]
    Runtime(io::Error),
    #[error("can't listen for signals: {0}")]
    Signals(io::Error),
    #[error("stopped by a second signal, with requests in flight")]
    Aborted,
}
