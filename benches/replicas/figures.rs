//! Times, and what is told of them.

use std::fmt;
use std::time::Duration;

/// Sorted.
#[derive(Debug, Default)]
pub(crate) struct Times(Vec<Duration>);

/// In milliseconds, as people read it.
#[derive(Debug)]
pub(crate) struct Millis(Option<Duration>);

impl Times {
    pub(crate) fn percentile(&self, percent: usize) -> Millis {
        Millis(self.0.get(self.0.len() * percent / 100).or(self.0.last()).copied())
    }

    pub(crate) fn max(&self) -> Millis {
        Millis(self.0.last().copied())
    }
}

impl FromIterator<Duration> for Times {
    fn from_iter<I: IntoIterator<Item = Duration>>(times: I) -> Self {
        let mut times: Vec<_> = times.into_iter().collect();
        times.sort_unstable();
        Self(times)
    }
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(time) => write!(f, "{:.1} ms", time.as_secs_f64() * 1e3),
            None => f.write_str("none"),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of a few minutes")]
pub(crate) fn per_second(count: usize, elapsed: Duration) -> f64 {
    count as f64 / elapsed.as_secs_f64()
}
