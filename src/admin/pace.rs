//! What slows down those who keep sending what is refused, and keeps them from filling the log. Nobody is ever locked out.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep};

#[derive(Debug, Default)]
pub(super) struct Pace {
    known: Mutex<Known>,
}

/// What is remembered of all of them together.
#[derive(Debug, Default)]
struct Known {
    said: Option<Instant>,
    /// How many there were since that was said.
    unsaid: u64,
    /// Guesses of the minute that began then.
    guesses: Option<(Instant, u32)>,
}

/// Whoever guesses must not fill the log.
const BETWEEN_COMPLAINTS: Duration = Duration::from_mins(1);
/// So many wrong tokens are mistakes.
const MISTAKES_PER_MINUTE: u32 = 10;
/// With as many connections as there may be, a hundred guesses a second and not tens of thousands.
const PACE: Duration = Duration::from_millis(500);

impl Pace {
    /// Waits where somebody guesses. Before a token is looked at, so that who hangs up meanwhile has learned nothing.
    pub(super) async fn keep(&self) {
        if self.is_pressed() {
            sleep(PACE).await;
        }
    }

    fn is_pressed(&self) -> bool {
        let guesses = self.lock().guesses;
        guesses.is_some_and(|(since, count)| is_within_a_minute(since) && count > MISTAKES_PER_MINUTE)
    }

    /// Counts a refusal. Where it is to be said, how many others there were since the last time.
    pub(super) fn note(&self, is_guess: bool) -> Option<u64> {
        self.lock().note(is_guess)
    }

    /// A panic in between leaves at worst a wrong count.
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn note(&mut self, is_guess: bool) -> Option<u64> {
        if is_guess {
            let guesses = self.guesses.filter(|(since, _)| is_within_a_minute(*since));
            let (since, count) = guesses.unwrap_or((Instant::now(), 0));
            self.guesses = Some((since, count.saturating_add(1)));
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

    async fn waited(pace: &Pace) -> Duration {
        let begun = Instant::now();
        pace.keep().await;
        begun.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_refused_is_said_once_a_minute() {
        let pace = Pace::default();
        assert_eq!(pace.note(true), Some(0));
        assert!((0..999).all(|_| pace.note(true).is_none()));
        advance(BETWEEN_COMPLAINTS).await;
        assert_eq!((pace.note(false), pace.note(false)), (Some(999), None));
    }

    #[tokio::test(start_paused = true)]
    async fn guesses_are_slowed_down_until_they_end_and_mistakes_are_not() {
        let pace = Pace::default();
        for _ in 0..MISTAKES_PER_MINUTE {
            pace.note(true);
        }
        assert_eq!(waited(&pace).await, Duration::ZERO);
        pace.note(true);
        assert_eq!(waited(&pace).await, PACE);
        advance(Duration::from_mins(1)).await;
        assert_eq!(waited(&pace).await, Duration::ZERO);
        pace.note(true);
        assert_eq!(waited(&pace).await, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_guess_slows_down_nobody() {
        let pace = Pace::default();
        assert_eq!((0..1_000).filter_map(|_| pace.note(false)).count(), 1);
        assert_eq!(waited(&pace).await, Duration::ZERO);
    }
}
