//! What is remembered of one identity.

use super::export::LearnedRecord;
use super::scopes::{ScopeDigest, ScopeKey};
use super::sights::{Sights, View};
use crate::context::{Country, Familiarity, LearningTerms, Network, Seen, Sighting};
use crate::identity::Principal;
use crate::time::UnixTime;

/// Of what is seen, a little is remembered; the numbers of calls and the last of them for as long as there is a place.
#[derive(Debug, Default)]
pub(super) struct Record {
    calls: u32,
    /// Whether something was learned since the record was last given away to be kept.
    is_changed: bool,
    last_seen: Option<UnixTime>,
    networks: Sights<Network, MOST_NETWORKS>,
    countries: Sights<Country, MOST_COUNTRIES>,
    scopes: Sights<ScopeDigest, MOST_SCOPES>,
}

/// A sighting, and what it is looked at with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call<'a> {
    pub sighting: &'a Sighting,
    pub terms: &'a LearningTerms,
    pub now: UnixTime,
    pub key: &'a ScopeKey,
}

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
        let all_used = || shown.scopes.iter().all(|scope| self.scopes.knows(call.key.digest(scope), view));
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
        // Calls beyond those that make signals fire are worth the keeping only along with something else.
        let mut news = self.calls < call.terms.after;
        if self.calls < call.terms.after.max(ENOUGH_CALLS) {
            self.calls += 1;
        }
        if self.last_seen.is_none_or(|last| view.now.since(last) > slack) {
            self.last_seen = Some(view.now);
            news = true;
        }
        if let Some(network) = shown.network {
            news |= self.networks.see(network, view, slack);
        }
        if let Some(country) = shown.country {
            news |= self.countries.see(country, view, slack);
        }
        for scope in shown.scopes.iter() {
            news |= self.scopes.see(call.key.digest(scope), view, slack);
        }
        self.is_changed |= news;
    }

    /// What is to be kept, where something is new; then nothing is new any more.
    pub(super) fn take_changes(&mut self, principal: &Principal) -> Option<LearnedRecord> {
        let last_seen = self.last_seen.filter(|_| self.is_changed)?;
        self.is_changed = false;
        Some(LearnedRecord {
            principal: principal.clone(),
            calls: self.calls,
            last_seen,
            networks: self.networks.export(),
            countries: self.countries.export(),
            scopes: self.scopes.export(),
        })
    }

    /// What was to be kept could not be.
    pub(super) const fn mark_changed(&mut self) {
        self.is_changed = true;
    }

    /// Takes in what was learned elsewhere or before. It is kept there already, so that it is nothing new.
    pub(super) fn merge(&mut self, other: &LearnedRecord, now: UnixTime) {
        let LearnedRecord { principal: _, calls, last_seen, networks, countries, scopes } = other;
        let cut = |at: &UnixTime| (*at).min(now);
        self.calls = self.calls.max(*calls);
        self.last_seen = self.last_seen.max(Some(cut(last_seen)));
        self.networks.merge(networks.iter().map(|(network, at)| (*network, cut(at))));
        self.countries.merge(countries.iter().map(|(country, at)| (*country, cut(at))));
        self.scopes.merge(scopes.iter().map(|(scope, at)| (*scope, cut(at))));
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

const fn seen(before: Option<bool>) -> Seen {
    match before {
        Some(true) => Seen::Before,
        Some(false) => Seen::Never,
        None => Seen::Untold,
    }
}
