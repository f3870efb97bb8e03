//! `untrusted_device`: nobody vouches for what the call was made on.

use super::Circumstances;

/// Fires without its header, and where it stands twice or is no text.
pub(super) fn fires(header: &str, trusted: &[Box<str>], circumstances: &Circumstances<'_>) -> bool {
    let posture = circumstances.facts.headers.only(header);
    posture.is_none_or(|posture| !trusted.iter().any(|own| **own == *posture))
}
