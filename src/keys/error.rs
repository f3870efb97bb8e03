//! Why keys were not renewed.

use crate::attestation::keys::KeySetError;
use std::error::Error;
use std::fmt::Write;

#[derive(Debug, thiserror::Error)]
pub(super) enum KeyError {
    #[error("can't be reached: {0}")]
    Unreachable(String),
    #[error("answers with status {0}")]
    Status(u16),
    #[error("the agent answers with {0}")]
    Agent(String),
    #[error("the agent ended the stream of bundles")]
    Ended,
    #[error("takes longer than {} s", .0.as_secs())]
    Slow(std::time::Duration),
    #[error("answers with more than {0} bytes")]
    TooLarge(usize),
    #[error("answers with what is no usable key set: {0}")]
    Content(#[from] KeySetError),
    #[error("names more than {0} trust domains")]
    TooManyDomains(usize),
}

impl KeyError {
    /// Whether it was reached, and gave what can't be taken.
    pub(super) const fn is_refusal(&self) -> bool {
        matches!(self, Self::TooLarge(_) | Self::Content(_) | Self::TooManyDomains(_))
    }
}

/// An error with what it comes from, which most of them leave to whoever shows them.
pub(super) fn whole(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        // Writing to a `String` can't fail.
        let _ = write!(text, ": {cause}");
        source = cause.source();
    }
    text
}
