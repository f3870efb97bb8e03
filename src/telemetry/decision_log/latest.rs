//! The latest lines, for who asks the control API.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The latest decisions, as the log has them.
///
/// They come from the log's writer, so that no decision waits for whoever looks at them. Where a destination is stuck,
/// these stop with it.
#[derive(Debug, Default)]
pub struct LatestDecisions(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    /// The oldest first.
    lines: VecDeque<Arc<str>>,
    bytes: usize,
}

impl LatestDecisions {
    /// More is what a log is for.
    pub const MAX_LINES: usize = 1_000;
    /// Room for as many lines of usual length, and a bound on long ones.
    pub const MAX_BYTES: usize = 2 * 1024 * 1024;

    /// At most so many, the newest first: a JSON object each.
    pub fn newest(&self, limit: usize) -> Vec<Arc<str>> {
        self.lock().lines.iter().rev().take(limit).cloned().collect()
    }

    /// Takes lines in their order, each with its end. Of many only the last are looked at.
    pub(super) fn add(&self, lines: &[u8]) {
        let lines = lines.split_inclusive(|byte| *byte == b'\n').rev().take(Self::MAX_LINES);
        let lines: Vec<Arc<str>> =
            lines.filter_map(|line| Some(str::from_utf8(line).ok()?.trim_end().into())).collect();
        let mut kept = self.lock();
        for line in lines.into_iter().rev() {
            kept.add(line);
        }
    }

    /// A panic while lines come and go leaves at worst a wrong count of bytes, and no reason to stop.
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// A line that would push out all others is left to the log.
    fn add(&mut self, line: Arc<str>) {
        if line.len() > LatestDecisions::MAX_BYTES {
            return;
        }
        self.bytes += line.len();
        self.lines.push_back(line);
        while self.lines.len() > LatestDecisions::MAX_LINES || self.bytes > LatestDecisions::MAX_BYTES {
            let Some(oldest) = self.lines.pop_front() else { return };
            self.bytes = self.bytes.saturating_sub(oldest.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: usize) -> Vec<u8> {
        (0..count).flat_map(|number| format!("{number}\n").into_bytes()).collect()
    }

    fn newest(latest: &LatestDecisions, limit: usize) -> Vec<String> {
        latest.newest(limit).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_newest_come_first() {
        let latest = LatestDecisions::default();
        assert_eq!(newest(&latest, 10), [""; 0]);
        latest.add(b"a\nb\n");
        latest.add(b"c\n");
        assert_eq!(newest(&latest, 10), ["c", "b", "a"]);
        assert_eq!(newest(&latest, 2), ["c", "b"]);
    }

    #[test]
    fn the_oldest_give_way_whether_they_come_at_once_or_one_by_one() {
        let (at_once, one_by_one) = (LatestDecisions::default(), LatestDecisions::default());
        let lines = numbers(LatestDecisions::MAX_LINES + 5);
        at_once.add(&lines);
        lines.split_inclusive(|byte| *byte == b'\n').for_each(|line| one_by_one.add(line));
        let found = newest(&at_once, usize::MAX);
        assert_eq!(found, newest(&one_by_one, usize::MAX));
        assert_eq!((found.len(), found[0].as_str(), found[999].as_str()), (1_000, "1004", "5"));
    }

    #[test]
    fn long_lines_take_no_more_room_than_there_is() {
        let latest = LatestDecisions::default();
        let long = format!("{}\n", "x".repeat(LatestDecisions::MAX_BYTES / 4));
        for _ in 0..10 {
            latest.add(long.as_bytes());
        }
        assert_eq!(latest.newest(usize::MAX).len(), 4);
        latest.add(format!("{}\n", "x".repeat(LatestDecisions::MAX_BYTES + 1)).as_bytes());
        assert_eq!(latest.newest(usize::MAX).len(), 4);
        latest.add(&numbers(LatestDecisions::MAX_LINES));
        assert_eq!((latest.newest(usize::MAX).len(), latest.lock().bytes), (1_000, 2_890));
    }
}
