//! How many challenges a caller may leave unanswered.

/// So many in a minute; the next one is refused. At least one, or nobody could ever answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChallengeLimit(u32);

impl ChallengeLimit {
    /// Who is given more of them within a minute is guarded from nothing: that is 16 a second, answered by nobody.
    pub const MAX_PER_MINUTE: u32 = 1_000;

    pub const fn new(per_minute: u32) -> Option<Self> {
        if per_minute >= 1 && per_minute <= Self::MAX_PER_MINUTE { Some(Self(per_minute)) } else { None }
    }

    pub const fn per_minute(self) -> u32 {
        self.0
    }
}

impl Default for ChallengeLimit {
    /// More than a program needs that answers, with a call for each of its threads on the way.
    fn default() -> Self {
        Self(20)
    }
}
