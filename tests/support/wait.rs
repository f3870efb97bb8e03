//! Waiting for something to become true, with an end and a name for what was waited for.

use super::Result;
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
