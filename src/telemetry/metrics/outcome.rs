//! One of something for each outcome that a decision can have.

use crate::decision::Outcome;

#[derive(Debug)]
pub(super) struct PerOutcome<T> {
    allow: T,
    step_up: T,
    deny: T,
    challenge: T,
}

impl<T> PerOutcome<T> {
    /// Makes them from the word of each outcome.
    pub(super) fn new<E>(mut make: impl FnMut(&'static str) -> Result<T, E>) -> Result<Self, E> {
        let [allow, step_up, deny, challenge] = Outcome::WORDS;
        Ok(Self { allow: make(allow)?, step_up: make(step_up)?, deny: make(deny)?, challenge: make(challenge)? })
    }

    pub(super) const fn of(&self, outcome: &Outcome) -> &T {
        match outcome {
            Outcome::Allow(_) => &self.allow,
            Outcome::StepUp(_) => &self.step_up,
            Outcome::Deny(_) => &self.deny,
            Outcome::Challenge => &self.challenge,
        }
    }

    /// Each with the word of its outcome.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'static str, &T)> {
        Outcome::WORDS.into_iter().zip([&self.allow, &self.step_up, &self.deny, &self.challenge])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reason::Reason;

    #[test]
    fn each_outcome_finds_what_was_made_for_its_word() {
        let words = PerOutcome::new(Ok::<_, ()>).unwrap();
        for outcome in [Outcome::Deny(Reason::UnmatchedRoute), Outcome::Challenge] {
            assert_eq!(*words.of(&outcome), outcome.as_str());
        }
        assert!(words.iter().all(|(word, made)| word == *made));
    }
}
