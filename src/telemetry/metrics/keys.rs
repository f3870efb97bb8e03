//! What is counted of the keys of an issuer.

use super::families::Families;
use crate::policy::Name;
use prometheus::{IntCounterVec, IntGauge, Result};

/// The handles of one issuer's series.
#[derive(Clone, Debug)]
pub struct KeySeries {
    issuer: Name,
    refreshes: IntCounterVec,
    pub keys: IntGauge,
    pub last_success: IntGauge,
}

impl KeySeries {
    pub(super) fn of(issuer: &Name, families: &Families) -> Result<Self> {
        let labels = [issuer.as_str()];
        Ok(Self {
            issuer: issuer.clone(),
            refreshes: families.jwks_refreshes.clone(),
            keys: families.jwks_keys.get_metric_with_label_values(&labels)?,
            last_success: families.jwks_last_success.get_metric_with_label_values(&labels)?,
        })
    }

    /// What counts looks of this outcome; it stands at zero from now on.
    pub fn refreshes(&self, outcome: &str) -> Result<prometheus::IntCounter> {
        self.refreshes.get_metric_with_label_values(&[self.issuer.as_str(), outcome])
    }
}
