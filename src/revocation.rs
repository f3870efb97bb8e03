//! Revocations: from when on what was issued counts. Whatever was issued at that second or before it is void, for a
//! principal, a task, a key, an attester, or for everybody.
//!
//! What is in force is a value that is exchanged whole, so that every step of a case looks at one moment of it. Where
//! records come from, and how replicas share them, is not known here.

mod consequences;
mod in_force;
mod record;

pub use consequences::{IssuerKeys, of_identities, of_keys};
pub use in_force::{Issued, Revocations};
pub use record::RecordError;

use crate::attestation::Thumbprint;
use crate::identity::Principal;
use crate::policy::Name;
use crate::time::UnixTime;
use std::fmt;

/// One revocation, as it is kept, shared and listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    pub id: RevocationId,
    pub target: Target,
    /// What was issued at this second or before it is void.
    pub not_before: UnixTime,
    pub source: Source,
    /// What somebody said about it.
    pub reason: Option<Note>,
}

/// What a revocation speaks of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    Principal(Principal),
    /// A task by its name: that of one principal by one attester, or every task that is called so.
    Task {
        task: Box<str>,
        of: Option<TaskOwner>,
    },
    /// A key or certificate: what it signed, and what is bound to it.
    Key(Thumbprint),
    /// The name of an issuer in the policy: what it said.
    Attester(Name),
    All,
}

/// Whose a task is: names of tasks are the attesters' own, so that two may use the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TaskOwner {
    pub principal: Principal,
    pub attester: Name,
}

/// What brought a revocation about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// A workload said that its task has ended.
    TaskEnd,
    /// An operator, over the control API.
    Operator,
    /// An operator who ended one grant.
    GrantEnded,
    /// The policy suspended or offboarded an identity.
    Identity,
    /// A key left the set of its issuer.
    KeyRemoved,
    /// A Security Event Token.
    Event,
}

/// What names a revocation: 1 to 128 letters, digits and `-_.:`. Records with the same name are the same record.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RevocationId(Box<str>);

/// A line of text by people, for people: 1 to 512 bytes without control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note(Box<str>);

/// Why a text is no name of a revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an id is 1 to 128 letters, digits and -_.:")]
pub struct RevocationIdError;

/// Why a text is no note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a reason is one line of 1 to 512 bytes")]
pub struct NoteError;

impl Revocation {
    /// One that follows from its target, its moment and what brought it about: the same of the same second is one record.
    pub fn new(target: Target, not_before: UnixTime, source: Source) -> Self {
        let owner = if let Target::Task { of, .. } = &target { of.as_ref() } else { None };
        let owner = owner.map(|owner| (owner.principal.as_str(), owner.attester.as_str())).unwrap_or_default();
        let value = target.value().unwrap_or_default();
        let parts = [source.as_str(), target.kind(), value.as_str(), owner.0, owner.1].map(str::as_bytes);
        let id = RevocationId::derived(&[parts.as_slice(), &[&not_before.as_secs().to_be_bytes()]].concat());
        Self { id, target, not_before, source, reason: None }
    }
}

impl Target {
    /// The word for what it is.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Principal(_) => "principal",
            Self::Task { .. } => "task",
            Self::Key(_) => "key",
            Self::Attester(_) => "attester",
            Self::All => "all",
        }
    }

    /// What of that kind it is; nothing where it is everything.
    pub fn value(&self) -> Option<String> {
        match self {
            Self::Principal(principal) => Some(principal.to_string()),
            Self::Task { task, .. } => Some(task.to_string()),
            Self::Key(key) => Some(key.to_string()),
            Self::Attester(name) => Some(name.to_string()),
            Self::All => None,
        }
    }
}

impl Source {
    pub const ALL: [Self; 6] =
        [Self::TaskEnd, Self::Operator, Self::GrantEnded, Self::Identity, Self::KeyRemoved, Self::Event];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TaskEnd => "task_end",
            Self::Operator => "operator",
            Self::GrantEnded => "grant_ended",
            Self::Identity => "identity",
            Self::KeyRemoved => "key_removed",
            Self::Event => "event",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.as_str() == text)
    }
}

impl RevocationId {
    const MAX_BYTES: usize = 128;

    pub fn parse(text: &str) -> Result<Self, RevocationIdError> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-_.:".contains(&b);
        let fits = (1..=Self::MAX_BYTES).contains(&text.len()) && text.bytes().all(allowed);
        if fits { Ok(Self(text.into())) } else { Err(RevocationIdError) }
    }

    /// One that follows from what brought the revocation about, so that the same twice is one record.
    pub fn derived(from: &[&[u8]]) -> Self {
        let mut bytes = Vec::new();
        for part in from {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part);
        }
        Self(Thumbprint::of(&bytes).to_string().into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Note {
    const MAX_BYTES: usize = 512;

    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let fits = (1..=Self::MAX_BYTES).contains(&text.len()) && !text.chars().any(char::is_control);
        if fits { Ok(Self(text.into())) } else { Err(NoteError) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RevocationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RevocationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_sources_are_read_as_they_are_written() {
        assert!(Source::ALL.into_iter().all(|source| Source::parse(source.as_str()) == Some(source)));
    }

    #[test]
    fn derived_names_tell_parts_apart() {
        let id = |parts: &[&[u8]]| RevocationId::derived(parts);
        assert_eq!(id(&[b"a", b"b"]), id(&[b"a", b"b"]));
        assert_ne!(id(&[b"ab", b""]), id(&[b"a", b"b"]));
        assert!(RevocationId::parse(id(&[b"a"]).as_str()).is_ok());
    }

    #[test]
    fn a_note_is_one_line() {
        assert!(Note::parse("stolen laptop, ticket 4711 – über Nacht").is_ok());
        for text in ["", "two\nlines", "bell\u{7}", &"x".repeat(513)] {
            assert!(Note::parse(text).is_err(), "{text:?}");
        }
    }
}
