//! What is read when it is scraped, and the counters of caches.

use super::families::Families;
use prometheus::{IntCounter, IntGauge, Result};

/// The caches of verified facts, by the word in their label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cache {
    Bearer,
    Attestation,
    Certificate,
    /// What was learned of identities that the policy names, of those that patterns match, of others, and of credentials.
    LearnedNamed,
    LearnedPatterned,
    LearnedUndeclared,
    LearnedCredentials,
}

/// Counts the look-ups in one cache.
#[derive(Clone, Debug)]
pub struct Lookups {
    pub hits: IntCounter,
    pub misses: IntCounter,
}

/// The gauges that are set at a scrape.
#[derive(Debug)]
pub struct Readings {
    in_flight: IntGauge,
    grants: IntGauge,
    caches: Vec<CacheGauges>,
}

#[derive(Debug)]
struct CacheGauges {
    cache: Cache,
    entries: IntGauge,
    bytes: IntGauge,
}

impl Cache {
    pub const ALL: [Self; 7] = [
        Self::Bearer,
        Self::Attestation,
        Self::Certificate,
        Self::LearnedNamed,
        Self::LearnedPatterned,
        Self::LearnedUndeclared,
        Self::LearnedCredentials,
    ];

    /// Those in which a look-up hits or misses.
    const REMEMBERED: [Self; 3] = [Self::Bearer, Self::Attestation, Self::Certificate];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bearer => "bearer",
            Self::Attestation => "attestation",
            Self::Certificate => "certificate",
            Self::LearnedNamed => "learned_named",
            Self::LearnedPatterned => "learned_patterned",
            Self::LearnedUndeclared => "learned_undeclared",
            Self::LearnedCredentials => "learned_credentials",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cache| cache.as_str() == word)
    }
}

impl Lookups {
    pub(super) fn of(cache: Cache, families: &Families) -> Result<Self> {
        let outcome = |word| families.cache_lookups.get_metric_with_label_values(&[cache.as_str(), word]);
        Ok(Self { hits: outcome("hit")?, misses: outcome("miss")? })
    }
}

impl Readings {
    pub(super) fn of(families: &Families) -> Result<Self> {
        let gauges = |cache: Cache| {
            if Cache::REMEMBERED.contains(&cache) {
                Lookups::of(cache, families)?; // so that they stand at 0 before anybody looks
            }
            let entries = families.cache_entries.get_metric_with_label_values(&[cache.as_str()])?;
            let bytes = families.cache_bytes.get_metric_with_label_values(&[cache.as_str()])?;
            Ok(CacheGauges { cache, entries, bytes })
        };
        let caches = Cache::ALL.into_iter().map(gauges).collect::<Result<_>>()?;
        Ok(Self { in_flight: families.in_flight.clone(), grants: families.grants_active.clone(), caches })
    }

    pub fn in_flight(&self, checks: usize) {
        self.in_flight.set(i64::try_from(checks).unwrap_or(i64::MAX));
    }

    pub fn grants(&self, active: usize) {
        self.grants.set(i64::try_from(active).unwrap_or(i64::MAX));
    }

    pub fn cache(&self, cache: Cache, entries: u64, bytes: u64) {
        for own in self.caches.iter().filter(|own| own.cache == cache) {
            own.entries.set(i64::try_from(entries).unwrap_or(i64::MAX));
            own.bytes.set(i64::try_from(bytes).unwrap_or(i64::MAX));
        }
    }
}
