//! How unusual a call looks: signals of its context, an input of rules and never the judge.

pub mod country;
pub mod familiarity;
pub mod network;

pub use country::Country;
pub use familiarity::{Familiarity, LearningTerms, Lesson, Seen, Sighting, Standing};
pub use network::Network;
