//! Who a principal is: the entry that describes it, and whether any that matches it says that it may not call.
//!
//! One look in a hash map for the names that entries spell out, a trie of segments for patterns: a look-up costs the length
//! of the name and not the number of entries.

mod affixes;
mod patterns;
mod ties;

pub use ties::ties;

use super::identity::{Identity, IdentityId, Status};
use super::scopes::ScopePatterns;
use crate::context::Standing;
use crate::identity::Principal;
use foldhash::{HashMap, HashMapExt};
use patterns::Patterns;

/// All identities of a policy, found by principal.
///
/// INVARIANT: no two entries tie, and no name is an alias of one and of another, or of one that spells it out.
#[derive(Debug, Default)]
pub struct Identities {
    entries: Vec<Identity>,
    /// The names that exact entries have, aliases included.
    named: HashMap<Box<str>, Named>,
    patterns: Patterns,
    undeclared: Undeclared,
}

/// What holds for a principal that no entry matches, where there are entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undeclared {
    /// These are the scopes it normally uses.
    Baseline(ScopePatterns),
    Refuse,
}

/// What a policy says of a principal.
#[derive(Clone, Copy, Debug)]
pub struct Match<'i> {
    /// The most specific entry.
    pub described: Option<(IdentityId, &'i Identity)>,
    /// The worst of all entries that match any of its names.
    pub status: Status,
}

/// A name that an exact entry has.
#[derive(Clone, Copy, Debug)]
struct Named {
    id: IdentityId,
    /// The worst over all names of the entry, so that which of them a caller shows makes no difference.
    status: Status,
}

impl Match<'_> {
    pub fn standing(&self) -> Standing {
        match self.described {
            Some((_, identity)) if identity.pattern.is_exact() => Standing::Named,
            Some(_) => Standing::Patterned,
            None => Standing::Undeclared,
        }
    }
}

impl Default for Undeclared {
    fn default() -> Self {
        Self::Baseline(ScopePatterns::default())
    }
}

impl Identities {
    pub fn new(entries: Vec<Identity>, undeclared: Undeclared) -> Self {
        let mut all = Self { entries, undeclared, ..Self::default() };
        let (exact, patterns): (Vec<_>, Vec<_>) = all.iter().partition(|(_, entry)| entry.pattern.is_exact());
        let mut trie = Patterns::default();
        for (id, entry) in patterns {
            trie.insert(id, &entry.pattern);
        }
        let mut named = HashMap::with_capacity(exact.len());
        for (id, entry) in exact {
            let by_pattern = entry.names().map(|name| all.among(&trie, name).status).max();
            let status = entry.status.max(by_pattern.unwrap_or_default());
            named.extend(entry.names().map(|name| (name.into(), Named { id, status })));
        }
        (all.patterns, all.named) = (trie, named);
        all
    }

    pub fn find(&self, name: &str) -> Match<'_> {
        match self.named.get(name) {
            Some(Named { id, status }) => Match { described: self.entry(*id), status: *status },
            None => self.among(&self.patterns, name),
        }
    }

    /// How well the policy knows a principal.
    pub fn standing(&self, name: &str) -> Standing {
        self.find(name).standing()
    }

    /// All names of whom this is one.
    pub fn names_of(&self, principal: &Principal) -> Vec<Principal> {
        match self.named.get(principal.as_str()).and_then(|named| self.get(named.id)) {
            Some(entry) => entry.names().filter_map(|name| Principal::parse(name).ok()).collect(),
            None => vec![principal.clone()],
        }
    }

    /// Whether this is another name of the principal, or its own.
    pub fn is_alias(&self, principal: &str, other: &str) -> bool {
        let id = |name: &str| self.named.get(name).map(|named| named.id);
        principal == other || id(principal).is_some_and(|entry| id(other) == Some(entry))
    }

    pub fn get(&self, id: IdentityId) -> Option<&Identity> {
        self.entries.get(id.0)
    }

    pub fn iter(&self) -> impl Iterator<Item = (IdentityId, &Identity)> {
        self.entries.iter().enumerate().map(|(index, entry)| (IdentityId(index), entry))
    }

    /// Whether the policy knows no identities; then nobody is undeclared.
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What a principal normally needs whom this entry describes, or none; nothing where nobody says.
    pub fn baseline_of<'i>(&'i self, described: Option<&'i Identity>) -> Option<&'i ScopePatterns> {
        match (described, &self.undeclared) {
            (Some(identity), _) => identity.baseline.as_ref(),
            (None, Undeclared::Baseline(baseline)) if !self.is_empty() => Some(baseline),
            (None, _) => None,
        }
    }

    pub const fn undeclared(&self) -> &Undeclared {
        &self.undeclared
    }

    /// What the entries with stars say of a name.
    fn among(&self, patterns: &Patterns, name: &str) -> Match<'_> {
        let mut found = Match { described: None, status: Status::Active };
        patterns.each(name, &mut |id| {
            if let Some((id, entry)) = self.entry(id) {
                found.status = found.status.max(entry.status);
                if found.described.is_none_or(|(_, other)| entry.pattern.ranks().gt(other.pattern.ranks())) {
                    found.described = Some((id, entry));
                }
            }
        });
        found
    }

    fn entry(&self, id: IdentityId) -> Option<(IdentityId, &Identity)> {
        self.get(id).map(|entry| (id, entry))
    }
}

impl Identity {
    /// The names that an exact entry has.
    fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.pattern.as_str()).chain(self.aliases.iter().map(Principal::as_str))
    }
}

#[cfg(test)]
mod tests;
