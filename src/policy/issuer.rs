//! Who may vouch: for bearer tokens and for attestations.

use super::{Name, NamePattern};
use crate::attestation::Algorithm;

/// The place of an issuer in its policy, and of its keys in the keyring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IssuerId(pub usize);

#[derive(Clone, Debug)]
pub struct Issuer {
    pub name: Name,
    /// The exact `iss`. An attestation may come without one; a bearer token may not.
    pub issuer: Option<Box<str>>,
    /// One of them must be in `aud`.
    pub audiences: Vec<Box<str>>,
    pub algorithms: Vec<Algorithm>,
    /// Whom it may speak for; none named: anybody.
    pub subjects: Vec<NamePattern>,
}

impl Issuer {
    pub fn may_speak_for(&self, subject: &str) -> bool {
        self.subjects.is_empty() || self.subjects.iter().any(|pattern| pattern.matches(subject))
    }

    pub fn is_named(&self, audience: &str) -> bool {
        self.audiences.iter().any(|own| **own == *audience)
    }
}
