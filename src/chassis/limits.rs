//! What callers may take of the machine.

use std::num::NonZeroUsize;
use std::thread::available_parallelism;
use std::time::Duration;

/// As many checks as four full connections carry.
const MAX_IN_FLIGHT: usize = 4096;

/// Sixteen messages of the largest size, or four thousand of 64 KiB. Without it the calls in flight could hold 64 GiB.
const MAX_MESSAGE_BYTES: usize = 256 * 1024 * 1024;

/// Eight Envoys of 64 workers, with a connection each. And half of the 1,024 files that a process may usually have open:
/// the rest is for the policy, the log and the admin listener.
const MAX_CONNECTIONS: usize = 512;

/// Envoy and health checks ask as soon as they are connected. Whoever doesn't only takes a place.
const FIRST_REQUEST: Duration = Duration::from_secs(10);

/// What the chassis may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Threads that serve connections.
    pub workers: NonZeroUsize,
    /// Checks that may be in flight, over all connections; those beyond are answered at once.
    pub max_in_flight: usize,
    /// Bytes of large messages that may be held for the checks in flight; a check that needs more is answered at once.
    pub max_message_bytes: usize,
    /// Connections that may be open; those beyond wait in the listen queue until others end.
    pub max_connections: usize,
    /// How long a connection may take to its first request.
    pub first_request: Duration,
}

impl Default for Limits {
    /// A worker a core.
    fn default() -> Self {
        Self {
            workers: available_parallelism().unwrap_or(NonZeroUsize::MIN),
            max_in_flight: MAX_IN_FLIGHT,
            max_message_bytes: MAX_MESSAGE_BYTES,
            max_connections: MAX_CONNECTIONS,
            first_request: FIRST_REQUEST,
        }
    }
}
