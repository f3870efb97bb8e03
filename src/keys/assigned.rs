//! Which keys belong to which issuer of the policy in force.

use super::meter::KeyMeter;
use super::source::Source;
use crate::attestation::{KeySet, Keyring};
use crate::policy::{Name, RemoteKeys};
use crate::time::UnixTime;
use std::sync::Arc;

/// In the policy's order, with the sets that were published last.
#[derive(Debug, Default)]
pub(super) struct Assigned {
    issuers: Vec<Keys>,
    sets: Vec<Option<Arc<KeySet>>>,
    pub generation: u64,
}

#[derive(Debug)]
pub(super) enum Keys {
    Given(Arc<KeySet>, KeyMeter),
    Followed(Arc<Source>),
}

impl Assigned {
    /// The keys of another policy, as they are now.
    pub(super) fn next(&self, issuers: Vec<Keys>) -> Self {
        Self { sets: sets_of(&issuers), issuers, generation: self.generation + 1 }
    }

    pub(super) fn keyring(&self) -> Keyring {
        Keyring::of_moment(self.sets.clone(), self.generation)
    }

    /// The keyring of this moment, if it is another than the last.
    pub(super) fn renewed(&mut self) -> Option<Keyring> {
        let sets = sets_of(&self.issuers);
        let same = |(one, other): (&Option<Arc<KeySet>>, &Option<Arc<KeySet>>)| match (one, other) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (one, other) => one.is_none() && other.is_none(),
        };
        if sets.iter().zip(&self.sets).all(same) {
            return None;
        }
        self.sets = sets;
        self.generation += 1;
        Some(self.keyring())
    }

    pub(super) fn sources(&self) -> impl Iterator<Item = &Arc<Source>> {
        self.issuers.iter().filter_map(|keys| match keys {
            Keys::Followed(source) => Some(source),
            Keys::Given(..) => None,
        })
    }

    /// The sources of these issuers, for those that have one.
    pub(super) fn followed<'n>(&self, names: impl Iterator<Item = &'n Name>) -> impl Iterator<Item = &Arc<Source>> {
        names.filter_map(|name| self.sources().find(|source| source.issuer == *name))
    }

    pub(super) fn source(&self, issuer: &Name, origin: &RemoteKeys) -> Option<Arc<Source>> {
        self.sources().find(|source| source.issuer == *issuer && source.origin == *origin).cloned()
    }

    /// Has the meters tell of the keys that came with the policy.
    pub(super) fn tell_given(&self, now: UnixTime) {
        for keys in &self.issuers {
            if let Keys::Given(set, meter) = keys {
                meter.holds(set.len());
                meter.good_at(now);
            }
        }
    }
}

fn sets_of(issuers: &[Keys]) -> Vec<Option<Arc<KeySet>>> {
    let held = |keys: &Keys| match keys {
        Keys::Given(set, _) => Some(Arc::clone(set)),
        Keys::Followed(source) => source.keys(),
    };
    issuers.iter().map(held).collect()
}
