//! What is remembered of the caller, as a plain model of the real memory.

use super::{one_of, some_of};
use crate::case::tests::world::NOW;
use crate::context::{Country, Familiarity, Network, Seen, Sighting};
use crate::policy::{Scope, ScopeSet};
use crate::time::UnixTime;
use proptest::prelude::*;

#[derive(Clone, Debug)]
pub(super) struct Memory {
    calls: u32,
    networks: Vec<&'static str>,
    countries: Vec<&'static str>,
    scopes: Vec<&'static str>,
    days_ago: Option<u64>,
    credential_networks: u32,
}

pub(super) fn memory() -> impl Strategy<Value = Memory> {
    let known = (some_of(&["10.0.0.1", "203.0.113.5"]), some_of(&["DE", "NL"]), some_of(&super::SCOPES));
    (one_of(&[0, 49, 50, 1_000]), known, prop::option::of(0..60_u64), 0..4_u32).prop_map(
        |(calls, (networks, countries, scopes), days_ago, credential_networks)| Memory {
            calls,
            networks,
            countries,
            scopes,
            days_ago,
            credential_networks,
        },
    )
}

impl Memory {
    pub(super) const NOTHING: Self = Self {
        calls: 0,
        networks: Vec::new(),
        countries: Vec::new(),
        scopes: Vec::new(),
        days_ago: None,
        credential_networks: 0,
    };

    pub(super) fn compare(&self, sighting: &Sighting) -> Familiarity {
        let networks: Vec<_> = self.networks.iter().map(|text| Network::of(text.parse().unwrap())).collect();
        let countries: Vec<_> = self.countries.iter().map(|text| Country::parse(text).unwrap()).collect();
        let scopes = self.scopes.iter().map(|text| Scope::parse(text).unwrap());
        let scopes = ScopeSet::bounded(scopes.collect()).unwrap();
        let exercised = Some(&sighting.scopes).filter(|scopes| !scopes.is_empty());
        Familiarity {
            calls: self.calls,
            network: seen(sighting.network.map(|network| networks.contains(&network))),
            country: seen(sighting.country.map(|country| countries.contains(&country))),
            scopes: seen(exercised.map(|exercised| exercised.is_subset_of(&scopes))),
            knows_networks: !networks.is_empty(),
            knows_countries: !countries.is_empty(),
            last_seen: self.days_ago.map(|days| UnixTime::from_secs(NOW - days * 86_400)),
            credential_networks: self.credential_networks,
        }
    }
}

fn seen(before: Option<bool>) -> Seen {
    match before {
        Some(true) => Seen::Before,
        Some(false) => Seen::Never,
        None => Seen::Untold,
    }
}
