//! What all requests of one moment are judged by.

use crate::attestation::Keyring;
use crate::case::Ground;
use crate::challenge::ChallengeKeys;
use crate::clock::Clock;
use crate::config::Loaded;
use crate::ext_authz::Removals;
use crate::policy::Policy;
use crate::revocation::IssuerKeys;
use crate::telemetry::{LoggedHeaders, Metrics, PolicyMetrics};
use crate::time::UnixTime;
use std::path::PathBuf;
use std::sync::Arc;

/// A policy, its keys, and the meters that were resolved for it.
#[derive(Debug)]
pub struct Snapshot {
    pub policy: Arc<Policy>,
    pub keyring: Keyring,
    pub meters: Arc<PolicyMetrics>,
    pub logged_headers: Arc<LoggedHeaders>,
    pub removals: Arc<Removals>,
    pub loaded_at: UnixTime,
    /// What it was read from.
    pub files: Arc<[PathBuf]>,
}

impl Snapshot {
    /// A policy ready to be judged by: its series stand from now on.
    pub fn new(loaded: Loaded, metrics: &Metrics, clock: &impl Clock) -> prometheus::Result<Self> {
        let loaded_at = clock.now();
        let meters = metrics.for_policy(&loaded.policy, &loaded.keyring, loaded_at)?;
        Ok(Self {
            meters: Arc::new(meters),
            logged_headers: Arc::new(LoggedHeaders::of(&loaded.policy)),
            removals: Arc::new(Removals::of(&loaded.policy)),
            policy: Arc::new(loaded.policy),
            keyring: loaded.keyring,
            loaded_at,
            files: loaded.files.into(),
        })
    }

    /// The same policy with other keys.
    #[must_use]
    pub fn with_keys(&self, keyring: Keyring) -> Self {
        Self {
            policy: Arc::clone(&self.policy),
            keyring,
            meters: Arc::clone(&self.meters),
            logged_headers: Arc::clone(&self.logged_headers),
            removals: Arc::clone(&self.removals),
            loaded_at: self.loaded_at,
            files: Arc::clone(&self.files),
        }
    }

    /// The issuers with their keys, to be compared with those of another moment.
    pub fn issuer_keys(&self) -> IssuerKeys<'_> {
        IssuerKeys { issuers: &self.policy.issuers, keyring: &self.keyring }
    }

    pub fn ground<'a>(&'a self, challenges: &'a ChallengeKeys) -> Ground<'a> {
        Ground { policy: &self.policy, keyring: &self.keyring, challenges }
    }
}
