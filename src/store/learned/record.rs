//! What is remembered of one identity.

use super::sights::{Sights, View};
use crate::context::{Country, Familiarity, LearningTerms, Network, Seen, Sighting};
use crate::policy::Scope;
use crate::time::UnixTime;
use std::hash::{BuildHasher, RandomState};

/// Of what is seen, a little is remembered; the numbers of calls and the last of them for as long as there is a place.
#[derive(Debug, Default)]
pub(super) struct Record {
    calls: u32,
    last_seen: Option<UnixTime>,
    networks: Sights<Network, MOST_NETWORKS>,
    countries: Sights<Country, MOST_COUNTRIES>,
    scopes: Sights<ScopeKey, MOST_SCOPES>,
}

/// A sighting, and what it is looked at with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call<'a> {
    pub sighting: &'a Sighting,
    pub terms: &'a LearningTerms,
    pub now: UnixTime,
    pub keys: &'a ScopeKeys,
}

/// A scope in eight bytes, as texts of 256 would let callers fill the memory. It is a keyed hash, `SipHash` under a key that
/// nobody outside knows and whose results nobody sees: that a scope never used is taken for one of those used happens once
/// in 10^17 times, and can't be aimed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ScopeKey(u64);

#[derive(Debug, Default)]
pub(super) struct ScopeKeys(RandomState);

/// Workloads roam over the nodes of a cluster, each often a /24; who roams over more has `networks` declared.
const MOST_NETWORKS: usize = 32;
/// More than one workload runs in.
const MOST_COUNTRIES: usize = 16;
/// More than one workload uses in a month.
const MOST_SCOPES: usize = 64;
/// Where counting ends at the earliest; it goes on where the policy asks for more.
const ENOUGH_CALLS: u32 = 10_000;

impl Record {
    /// All but the networks of the credential, which is remembered apart.
    pub(super) fn compare(&self, call: &Call<'_>) -> Familiarity {
        let (shown, view) = (call.sighting, call.view());
        let all_used = || shown.scopes.iter().all(|scope| self.scopes.knows(call.keys.of(scope), view));
        Familiarity {
            calls: self.calls,
            network: seen(shown.network.map(|network| self.networks.knows(network, view))),
            country: seen(shown.country.map(|country| self.countries.knows(country, view))),
            scopes: seen((!shown.scopes.is_empty()).then(all_used)),
            knows_networks: self.networks.ever_saw_any(),
            knows_countries: self.countries.ever_saw_any(),
            last_seen: self.last_seen,
            credential_networks: 0,
        }
    }

    pub(super) fn learn(&mut self, call: &Call<'_>) {
        let (shown, view) = (call.sighting, call.view());
        let slack = view.slack();
        if self.calls < call.terms.after.max(ENOUGH_CALLS) {
            self.calls += 1;
        }
        if self.last_seen.is_none_or(|last| view.now.since(last) > slack) {
            self.last_seen = Some(view.now);
        }
        if let Some(network) = shown.network {
            self.networks.see(network, view, slack);
        }
        if let Some(country) = shown.country {
            self.countries.see(country, view, slack);
        }
        for scope in shown.scopes.iter() {
            self.scopes.see(call.keys.of(scope), view, slack);
        }
    }

    /// Of two that are kept of one identity, the one with more calls stays.
    pub(super) fn give_way_to(&mut self, other: Self) {
        if other.calls > self.calls {
            *self = other;
        }
    }

    pub(super) const fn calls(&self) -> u32 {
        self.calls
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.networks.heap_bytes() + self.countries.heap_bytes() + self.scopes.heap_bytes()
    }
}

impl Call<'_> {
    const fn view(&self) -> View {
        View { now: self.now, back: self.terms.remember }
    }
}

impl ScopeKeys {
    fn of(&self, scope: &Scope) -> ScopeKey {
        ScopeKey(self.0.hash_one(scope))
    }
}

const fn seen(before: Option<bool>) -> Seen {
    match before {
        Some(true) => Seen::Before,
        Some(false) => Seen::Never,
        None => Seen::Untold,
    }
}
