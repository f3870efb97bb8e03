//! What all requests of one moment are judged by.

use crate::attestation::Keyring;
use crate::case::Ground;
use crate::challenge::ChallengeKeys;
use crate::clock::Clock;
use crate::config::Loaded;
use crate::ext_authz::Removals;
use crate::policy::Policy;
use crate::telemetry::{LoggedHeaders, Metrics, PolicyMetrics};

/// A policy, its keys, and the meters that were resolved for it.
#[derive(Debug)]
pub struct Snapshot {
    pub policy: Policy,
    pub keyring: Keyring,
    pub meters: PolicyMetrics,
    pub logged_headers: LoggedHeaders,
    pub removals: Removals,
}

impl Snapshot {
    /// A policy ready to be judged by: its series stand from now on.
    pub fn new(loaded: Loaded, metrics: &Metrics, clock: &impl Clock) -> prometheus::Result<Self> {
        let meters = metrics.for_policy(&loaded.policy, &loaded.keyring, clock.now())?;
        let logged_headers = LoggedHeaders::of(&loaded.policy);
        let removals = Removals::of(&loaded.policy);
        Ok(Self { policy: loaded.policy, keyring: loaded.keyring, meters, logged_headers, removals })
    }

    pub const fn ground<'a>(&'a self, challenges: &'a ChallengeKeys) -> Ground<'a> {
        Ground { policy: &self.policy, keyring: &self.keyring, challenges }
    }
}
