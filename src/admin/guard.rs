//! Those who are not let in: counted, logged now and then, and slowed down where they guess.
//!
//! Nobody is ever locked out for wrong tokens: whoever shows a good one passes at any time, if half a second later.

use super::serve::Peer;
use crate::telemetry::{ControlRefusal, Metrics};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep};

#[derive(Debug)]
pub(super) struct Guard {
    metrics: Arc<Metrics>,
    known: Mutex<Known>,
}

/// What is remembered of all of them together.
#[derive(Debug, Default)]
struct Known {
    said: Option<Instant>,
    /// How many there were since that was said.
    unsaid: u64,
    /// Wrong tokens of the minute that began then.
    wrong: Option<(Instant, u32)>,
}

/// Whoever guesses must not fill the log.
const BETWEEN_COMPLAINTS: Duration = Duration::from_mins(1);
/// So many wrong tokens are mistakes.
const MISTAKES_PER_MINUTE: u32 = 10;
/// With as many connections as there may be, a hundred guesses a second and not tens of thousands.
const PACE: Duration = Duration::from_millis(500);

impl Guard {
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        Self { metrics, known: Mutex::default() }
    }

    /// Waits where somebody guesses. Before a token is looked at, so that who hangs up meanwhile has learned nothing.
    pub(super) async fn pace(&self) {
        if self.is_pressed() {
            sleep(PACE).await;
        }
    }

    fn is_pressed(&self) -> bool {
        let wrong = self.lock().wrong;
        wrong.is_some_and(|(since, count)| is_within_a_minute(since) && count > MISTAKES_PER_MINUTE)
    }

    /// Counts it, and says it if there was silence for a while.
    pub(super) fn note(&self, refusal: ControlRefusal, peer: Option<Peer>) {
        self.metrics.count_control_refusal(refusal);
        let Some(others) = self.lock().note(refusal) else { return };
        let peer = peer.map(|Peer(address)| tracing::field::display(address));
        tracing::warn!(peer, reason = refusal.as_str(), others, "a request to the control API was not let in");
    }

    /// A panic in between leaves at worst a wrong count.
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// Where it is to be said, how many others there were since the last time.
    fn note(&mut self, refusal: ControlRefusal) -> Option<u64> {
        if refusal == ControlRefusal::TokenWrong {
            let (since, count) =
                self.wrong.filter(|(since, _)| is_within_a_minute(*since)).unwrap_or((Instant::now(), 0));
            self.wrong = Some((since, count.saturating_add(1)));
        }
        if self.said.is_some_and(|at| at.elapsed() < BETWEEN_COMPLAINTS) {
            self.unsaid += 1;
            return None;
        }
        self.said = Some(Instant::now());
        Some(std::mem::take(&mut self.unsaid))
    }
}

fn is_within_a_minute(since: Instant) -> bool {
    since.elapsed() < Duration::from_mins(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    fn guard() -> Guard {
        Guard::new(Arc::new(Metrics::new().unwrap()))
    }

    async fn waited(guard: &Guard) -> Duration {
        let begun = Instant::now();
        guard.pace().await;
        begun.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_guesses_is_counted_every_time_and_logged_once_a_minute() {
        let guard = guard();
        for _ in 0..1_000 {
            guard.note(ControlRefusal::TokenWrong, None);
        }
        assert_eq!(guard.lock().unsaid, 999);
        let series = r#"stepgate_control_refused_total{reason="token_wrong"} 1000"#;
        assert!(guard.metrics.scrape().unwrap().contains(series));
        advance(BETWEEN_COMPLAINTS).await;
        assert_eq!(guard.lock().note(ControlRefusal::TokenMissing), Some(999));
        assert_eq!(guard.lock().note(ControlRefusal::TokenMissing), None);
    }

    #[tokio::test(start_paused = true)]
    async fn guesses_are_slowed_down_until_they_end_and_mistakes_are_not() {
        let guard = guard();
        for _ in 0..MISTAKES_PER_MINUTE {
            guard.note(ControlRefusal::TokenWrong, None);
        }
        assert_eq!(waited(&guard).await, Duration::ZERO);
        guard.note(ControlRefusal::TokenWrong, None);
        assert_eq!(waited(&guard).await, PACE);
        advance(Duration::from_mins(1)).await;
        assert_eq!(waited(&guard).await, Duration::ZERO);
        guard.note(ControlRefusal::TokenWrong, None);
        assert_eq!(waited(&guard).await, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn who_shows_nothing_or_may_not_change_slows_down_nobody() {
        let guard = guard();
        for refusal in [ControlRefusal::TokenMissing, ControlRefusal::Role].repeat(1_000) {
            guard.note(refusal, None);
        }
        assert_eq!(waited(&guard).await, Duration::ZERO);
    }
}
