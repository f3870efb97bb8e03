//! Waiting for something to become true, with an end and a name for what was waited for.

use super::{Result, now};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Long enough for a busy two-core machine; what takes longer is broken.
pub const PATIENCE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(20);

/// Tries until there is an answer; `what` ends the sentence "timed out waiting for …".
pub async fn until<T>(what: &str, mut attempt: impl AsyncFnMut() -> Option<T>) -> Result<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = attempt().await {
            return Ok(answer);
        }
        if Instant::now() >= deadline {
            return Err(format!("timed out waiting for {what}").into());
        }
        sleep(PAUSE).await;
    }
}

/// What is issued in the second of a revocation is void by it, so that whoever wants something that is not waits for the
/// next.
pub async fn next_second() {
    let second = now();
    while now() == second {
        sleep(PAUSE).await;
    }
}
