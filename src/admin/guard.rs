//! Those who are not let in: counted, logged now and then, and slowed down where they guess.
//!
//! Nobody is ever locked out for wrong tokens: whoever shows a good one passes at any time, if half a second later.

use super::pace::Pace;
use super::serve::Peer;
use crate::telemetry::{ControlRefusal, Metrics};
use std::sync::Arc;

#[derive(Debug)]
pub(super) struct Guard {
    metrics: Arc<Metrics>,
    pace: Pace,
}

impl Guard {
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        Self { metrics, pace: Pace::default() }
    }

    /// Waits where somebody guesses.
    pub(super) async fn pace(&self) {
        self.pace.keep().await;
    }

    /// Counts it, and says it if there was silence for a while.
    pub(super) fn note(&self, refusal: ControlRefusal, peer: Option<Peer>) {
        self.metrics.count_control_refusal(refusal);
        // Who shows nothing, or may not change anything, guesses nothing.
        let Some(others) = self.pace.note(refusal == ControlRefusal::TokenWrong) else { return };
        let peer = peer.map(|Peer(address)| tracing::field::display(address));
        tracing::warn!(peer, reason = refusal.as_str(), others, "a request to the control API was not let in");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::time::Instant;

    async fn waited(guard: &Guard) -> Duration {
        let begun = Instant::now();
        guard.pace().await;
        begun.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_guesses_is_counted_every_time_and_slowed_down() {
        let guard = Guard::new(Arc::new(Metrics::new().unwrap()));
        for _ in 0..1_000 {
            guard.note(ControlRefusal::TokenWrong, None);
        }
        let series = r#"stepgate_control_refused_total{reason="token_wrong"} 1000"#;
        assert!(guard.metrics.scrape().unwrap().contains(series));
        assert!(!waited(&guard).await.is_zero());
    }

    #[tokio::test(start_paused = true)]
    async fn who_shows_nothing_or_may_not_change_slows_down_nobody() {
        let guard = Guard::new(Arc::new(Metrics::new().unwrap()));
        for refusal in [ControlRefusal::TokenMissing, ControlRefusal::Role].repeat(1_000) {
            guard.note(refusal, None);
        }
        assert!(waited(&guard).await.is_zero());
    }
}
