//! What is counted of the state that replicas share.

use super::families::Families;
use prometheus::{Histogram, IntCounter, IntCounterVec, IntGauge, Result};

/// Its handles.
#[derive(Clone, Debug)]
pub struct StateSeries {
    operations: IntCounterVec,
    pub up: IntGauge,
    pub lag: Histogram,
}

impl StateSeries {
    pub(super) fn of(families: &Families) -> Self {
        Self {
            operations: families.state_operations.clone(),
            up: families.state_up.clone(),
            lag: families.revocation_lag.clone(),
        }
    }

    /// What counts operations of this outcome; it stands at zero from now on.
    pub fn operations(&self, op: &str, outcome: &str) -> Result<IntCounter> {
        self.operations.get_metric_with_label_values(&[op, outcome])
    }
}
