//! What follows from a changed policy or from changed keys: whoever was suspended or offboarded, and what was signed by a
//! key that is gone, counts no more, also where either comes back.

use super::{Note, Revocation, Source, Target};
use crate::attestation::{Keyring, Thumbprint};
use crate::identity::Principal;
use crate::policy::{Identities, Issuer, IssuerId, Name, Status};
use crate::time::UnixTime;
use std::collections::{BTreeMap, BTreeSet};

/// The issuers of a policy, with the keys that they have at one moment.
#[derive(Clone, Copy, Debug)]
pub struct IssuerKeys<'a> {
    pub issuers: &'a [Issuer],
    pub keyring: &'a Keyring,
}

/// Who may call less than before, by every name that either policy gives it. Whom only a pattern describes is found among
/// those that are `known`.
pub fn of_identities<'k>(
    old: &Identities,
    new: &Identities,
    known: impl IntoIterator<Item = &'k Principal>,
    now: UnixTime,
) -> Vec<Revocation> {
    let mut fallen = BTreeMap::new();
    for name in spelled_out(old).chain(spelled_out(new)).chain(known.into_iter().cloned()) {
        let Some(status) = worse(old, new, &name) else { continue };
        for other in new.names_of(&name).iter().flat_map(|name| old.names_of(name)) {
            let worst = fallen.entry(other).or_insert(status);
            *worst = status.max(*worst);
        }
    }
    let revocation = |(name, status): (Principal, Status)| {
        let reason = Note::parse(&format!("{} by the policy", status.as_str())).ok();
        follows(Target::Principal(name), Source::Identity, reason, now)
    };
    fallen.into_iter().map(revocation).collect()
}

/// The keys that were somebody's and are nobody's any more. Those of an issuer whose keys are only away stay its own.
pub fn of_keys(old: IssuerKeys<'_>, new: IssuerKeys<'_>, now: UnixTime) -> Vec<Revocation> {
    let away: BTreeSet<_> = new.sets().filter(|(_, keys)| keys.is_none()).map(|(issuer, _)| issuer).collect();
    let kept = old.sets().filter(|(issuer, _)| away.contains(issuer)).chain(new.sets());
    let kept: BTreeSet<_> = kept.filter_map(|(_, keys)| keys).flatten().collect();
    let mut gone = BTreeMap::new();
    for (issuer, keys) in old.sets() {
        let left = keys.into_iter().flatten().filter(|key| !kept.contains(key));
        gone.extend(left.map(|key| (key, issuer)));
    }
    let revocation = |(key, issuer): (Thumbprint, &Name)| {
        let reason = Note::parse(&format!("{issuer} does not publish it any more")).ok();
        follows(Target::Key(key), Source::KeyRemoved, reason, now)
    };
    gone.into_iter().map(revocation).collect()
}

impl<'a> IssuerKeys<'a> {
    /// Each issuer, and its keys where they are at hand. Only by their names are the issuers of two policies the same.
    fn sets(self) -> impl Iterator<Item = (&'a Name, Option<Vec<Thumbprint>>)> {
        let keys = move |index| self.keyring.of(IssuerId(index)).map(|keys| keys.thumbprints().collect());
        self.issuers.iter().enumerate().map(move |(index, issuer)| (&issuer.name, keys(index)))
    }
}

/// The names that entries without stars begin with.
fn spelled_out(identities: &Identities) -> impl Iterator<Item = Principal> {
    let exact = identities.iter().filter(|(_, entry)| entry.pattern.is_exact());
    exact.flat_map(|(_, entry)| {
        Principal::parse(entry.pattern.as_str()).into_iter().chain(entry.aliases.iter().cloned())
    })
}

/// What it has become, if that is worse than what it was.
fn worse(old: &Identities, new: &Identities, name: &Principal) -> Option<Status> {
    let [before, after] = [old, new].map(|identities| identities.find(name.as_str()).status);
    (after > before).then_some(after)
}

/// Its name follows from its moment too: who is suspended a second time is revoked a second time.
fn follows(target: Target, source: Source, reason: Option<Note>, now: UnixTime) -> Revocation {
    Revocation { reason, ..Revocation::new(target, now, source) }
}

#[cfg(test)]
mod tests;
