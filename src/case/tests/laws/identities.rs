//! Identities of the callers there are, by name and by pattern; no two tie.

use super::{one_of, some_of};
use crate::case::tests::world::WEB;
use crate::context::hours::{Day, TimeOfDay, Zone};
use crate::context::{Country, Hours, NetworkSet};
use crate::identity::Principal;
use crate::policy::{Identity, Kind, NamePattern, ScopePatterns, Status, Undeclared};
use proptest::prelude::*;

/// The other workload.
pub(super) const BATCH: &str = "spiffe://example.org/ns/billing/sa/batch";
/// What the workload is called elsewhere.
pub(super) const ALIAS: &str = "billing-web";

pub(super) const PATTERNS: [&str; 6] = [
    WEB,
    BATCH,
    "spiffe://example.org/ns/billing/sa/*",
    "spiffe://example.org/ns/thief/**",
    "spiffe://example.org/**",
    "**",
];

fn baseline() -> impl Strategy<Value = Option<ScopePatterns>> {
    prop_oneof![
        Just(None),
        some_of(&["read", "write", "refund", "*"]).prop_map(|scopes| Some(ScopePatterns::new(scopes).unwrap())),
    ]
}

fn hours() -> Hours {
    let [from, to] = ["07:00", "20:00"].map(|text| TimeOfDay::parse(text).unwrap());
    Hours::new(&[Day::Sunday], from, to, Zone::parse("Europe/Berlin").unwrap()).unwrap()
}

/// An entry that declares nothing.
pub(super) fn plain_identity(pattern: &str) -> Identity {
    Identity {
        pattern: NamePattern::parse(pattern).unwrap(),
        aliases: Vec::new(),
        kind: None,
        owner: None,
        baseline: None,
        networks: None,
        countries: None,
        hours: None,
        status: Status::Active,
        review_by: None,
    }
}

pub(super) fn network(text: &str) -> NetworkSet {
    [NetworkSet::network(text).unwrap()].into_iter().collect()
}

pub(super) fn identity(pattern: &'static str) -> impl Strategy<Value = Identity> {
    let networks = prop::option::weighted(0.3, Just("10.0.0.0/8"));
    let countries = prop::option::weighted(0.3, some_of(&["DE", "NL"]));
    let status = prop_oneof![40 => Just(Status::Active), 1 => Just(Status::Suspended), 1 => Just(Status::Offboarded)];
    let alias = prop::bool::weighted(0.5).prop_map(move |has| has && pattern == WEB);
    (prop::option::of(one_of(&Kind::ALL)), baseline(), networks, countries, prop::bool::weighted(0.2), status, alias)
        .prop_map(move |(kind, baseline, networks, countries, has_hours, status, alias)| Identity {
            aliases: alias.then(|| Principal::parse(ALIAS).unwrap()).into_iter().collect(),
            kind,
            baseline,
            networks: networks.map(network),
            countries: countries.map(|codes| codes.iter().map(|code| Country::parse(code).unwrap()).collect()),
            hours: has_hours.then(hours),
            status,
            ..plain_identity(pattern)
        })
}

pub(super) fn identities() -> impl Strategy<Value = Vec<Identity>> {
    some_of(&PATTERNS).prop_flat_map(|patterns| patterns.into_iter().map(identity).collect::<Vec<_>>())
}

pub(super) fn undeclared() -> impl Strategy<Value = Undeclared> {
    prop_oneof![
        8 => some_of(&["read", "*"]).prop_map(|scopes| Undeclared::Baseline(ScopePatterns::new(scopes).unwrap())),
        1 => Just(Undeclared::Refuse),
    ]
}
