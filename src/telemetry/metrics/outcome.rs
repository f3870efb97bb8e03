//! One of something for each outcome that a decision can have.

use crate::decision::Outcome;

#[derive(Debug)]
pub(super) struct PerOutcome<T> {
    allow: T,
    step_up: T,
    deny: T,
    challenge: T,
    task_end: T,
}

impl<T> PerOutcome<T> {
    /// Makes them from the word of each outcome.
    pub(super) fn new<E>(mut make: impl FnMut(&'static str) -> Result<T, E>) -> Result<Self, E> {
        let [allow, step_up, deny, challenge, task_end] = Outcome::WORDS;
        Ok(Self {
            allow: make(allow)?,
            step_up: make(step_up)?,
            deny: make(deny)?,
            challenge: make(challenge)?,
            task_end: make(task_end)?,
        })
    }

    pub(super) const fn of(&self, outcome: &Outcome) -> &T {
        match outcome {
            Outcome::Allow(_) => &self.allow,
            Outcome::StepUp(_) => &self.step_up,
            Outcome::Deny(_) => &self.deny,
            Outcome::Challenge => &self.challenge,
            Outcome::TaskEnded => &self.task_end,
        }
    }

    /// Each with the word of its outcome.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'static str, &T)> {
        let own = [&self.allow, &self.step_up, &self.deny, &self.challenge, &self.task_end];
        Outcome::WORDS.into_iter().zip(own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reason::Reason;

    #[test]
    fn each_outcome_finds_what_was_made_for_its_word() {
        let words = PerOutcome::new(Ok::<_, ()>).unwrap();
        for outcome in [Outcome::Deny(Reason::UnmatchedRoute), Outcome::Challenge, Outcome::TaskEnded] {
            assert_eq!(*words.of(&outcome), outcome.as_str());
        }
        assert!(words.iter().all(|(word, made)| word == *made));
    }
}
