//! Metrics for Prometheus, on a registry of their own. Labels are names out of the policy and fixed words, never a
//! principal or a path, so that no caller can make a series.
//!
//! What a request counts is resolved when a policy loads ([`PolicyMetrics`]); counting then is a few atomic additions.

mod families;
mod keys;
mod outcome;
mod policy;
mod reasons;
mod routes;
mod scrape;
mod state;

pub use keys::KeySeries;
pub use policy::PolicyMetrics;
pub use scrape::{Cache, Lookups, Readings};
pub use state::StateSeries;

use crate::attestation::{KeySet, Keyring};
use crate::policy::{IssuerId, Name, Policy};
use crate::revocation::Source;
use crate::time::UnixTime;
use families::Families;
use prometheus::process_collector::ProcessCollector;
use prometheus::{IntCounter, Registry, TextEncoder};
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// All metrics of the process.
pub struct Metrics {
    registry: Registry,
    families: Families,
    readings: Readings,
    /// What is read when it is scraped, rather than counted as it happens.
    readers: Mutex<Vec<Reader>>,
}

type Reader = Box<dyn Fn(&Readings) + Send + Sync>;

/// What came of a changed policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reload {
    Accepted,
    /// The last good policy stays.
    Rejected,
}

/// Why a request to the control API was not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ControlRefusal {
    TokenMissing,
    TokenWrong,
    /// The token is good, and not for changes.
    Role,
}

/// What the answer to a scrape is written in.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
/// The commit that was built, where the build says it.
const REVISION: Option<&str> = option_env!("STEPGATE_REVISION");

impl Metrics {
    /// Registers everything. It fails only if two metrics have one name, which a test rules out.
    pub fn new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        registry.register(Box::new(ProcessCollector::for_self()))?;
        let families = Families::register(&registry)?;
        let readings = Readings::of(&families)?;
        for reload in [Reload::Accepted, Reload::Rejected] {
            families.policy_reloads.get_metric_with_label_values(&[reload.as_str()])?;
        }
        for refusal in [ControlRefusal::TokenMissing, ControlRefusal::TokenWrong, ControlRefusal::Role] {
            families.control_refused.get_metric_with_label_values(&[refusal.as_str()])?;
        }
        for source in Source::ALL {
            families.revocations.get_metric_with_label_values(&[source.as_str()])?;
        }
        let build = [env!("CARGO_PKG_VERSION"), REVISION.unwrap_or("unknown")];
        families.build_info.get_metric_with_label_values(&build)?.set(1);
        families.state_up.set(1); // without a shared store, what is remembered is always at hand
        Ok(Self { registry, families, readings, readers: Mutex::default() })
    }

    /// Resolves what the decisions of a policy count, from its loading on. Series of what left the policy go.
    ///
    /// A decision that an older policy still makes counts nothing that a scrape shows for long: what it brings back is
    /// gone at the next load.
    pub fn for_policy(&self, policy: &Policy, keyring: &Keyring, now: UnixTime) -> prometheus::Result<PolicyMetrics> {
        self.families.retire(policy)?;
        self.families.policy_info.reset();
        self.families.policy_info.get_metric_with_label_values(&[&policy.hash])?.set(1);
        self.families.policy_loaded.set(i64::try_from(now.as_secs()).unwrap_or(i64::MAX));
        self.set_keys(policy, keyring)?;
        PolicyMetrics::of(policy, &self.families)
    }

    /// Says how many keys each issuer has now.
    pub fn set_keys(&self, policy: &Policy, keyring: &Keyring) -> prometheus::Result<()> {
        for (index, issuer) in policy.issuers.iter().enumerate() {
            let keys = keyring.of(IssuerId(index)).map_or(0, KeySet::len);
            let gauge = self.families.jwks_keys.get_metric_with_label_values(&[issuer.name.as_str()])?;
            gauge.set(i64::try_from(keys).unwrap_or(i64::MAX));
        }
        Ok(())
    }

    /// The series of one issuer's keys.
    pub fn keys_of(&self, issuer: &Name) -> prometheus::Result<KeySeries> {
        KeySeries::of(issuer, &self.families)
    }

    /// The series of the state that replicas share.
    pub fn state(&self) -> StateSeries {
        StateSeries::of(&self.families)
    }

    pub fn count_reload(&self, reload: Reload) {
        if let Ok(counter) = self.families.policy_reloads.get_metric_with_label_values(&[reload.as_str()]) {
            counter.inc();
        }
    }

    pub fn count_control_refusal(&self, refusal: ControlRefusal) {
        if let Ok(counter) = self.families.control_refused.get_metric_with_label_values(&[refusal.as_str()]) {
            counter.inc();
        }
    }

    /// The counters that one cache holds.
    pub fn lookups(&self, cache: Cache) -> prometheus::Result<Lookups> {
        Lookups::of(cache, &self.families)
    }

    /// What counts revocations of this source.
    pub fn revocations(&self, source: Source) -> prometheus::Result<IntCounter> {
        self.families.revocations.get_metric_with_label_values(&[source.as_str()])
    }

    /// What the decision log counts where it must drop a line.
    pub fn decision_log_dropped(&self) -> IntCounter {
        self.families.decision_log_dropped.clone()
    }

    /// Has `read` set what is not counted as it happens, at every scrape from now on.
    pub fn at_scrape(&self, read: impl Fn(&Readings) + Send + Sync + 'static) {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(read));
    }

    /// Everything in the text format, as [`CONTENT_TYPE`] says.
    pub fn scrape(&self) -> prometheus::Result<String> {
        for read in self.readers.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            read(&self.readings);
        }
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}

impl Reload {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
        }
    }
}

impl ControlRefusal {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TokenMissing => "token_missing",
            Self::TokenWrong => "token_wrong",
            Self::Role => "role",
        }
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
