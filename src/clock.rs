//! The one place that reads the time of day.

use crate::time::UnixTime;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Says what time it is.
pub trait Clock: Send + Sync + 'static {
    fn now(&self) -> UnixTime;

    /// The same moment as finely as the clock can tell: for logs, never for what decides.
    fn since_epoch(&self) -> Duration {
        Duration::from_secs(self.now().as_secs())
    }
}

/// The clock of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> UnixTime {
        UnixTime::from_secs(self.since_epoch().as_secs())
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    fn since_epoch(&self) -> Duration {
        // Before 1970 nothing can be told; at the end of time everything has expired.
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::from_secs(UnixTime::LATEST.as_secs()))
    }
}
