//! `shared_credential`: one credential in many places is in the hands of many.

use super::Circumstances;

/// Needs no learning: what is counted is what happened just now.
pub(super) fn fires(sources: u32, circumstances: &Circumstances<'_>) -> bool {
    circumstances.familiarity.is_some_and(|familiarity| familiarity.credential_networks >= sources)
}
