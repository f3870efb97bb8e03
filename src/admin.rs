//! The admin listener: is it alive, is it ready, what does it count.
//!
//! The control API and the console come with the admin token; until then their paths say how to turn them on.

mod pages;
mod readiness;
mod serve;

pub use readiness::{Latch, Readiness, Standing, Waited};
pub use serve::serve;

use crate::telemetry::Metrics;
use std::sync::Arc;

/// What the admin listener speaks of.
#[derive(Clone, Debug)]
pub struct Admin {
    pub readiness: Readiness,
    pub metrics: Arc<Metrics>,
}

#[cfg(test)]
mod tests;
