//! The admin listener: is it alive, is it ready, what does it count; and under an operator's token the control API.
//!
//! Without tokens the paths of the control API say how to turn it on.

mod access;
mod asked;
mod control;
pub mod events;
mod grants;
mod guard;
mod listing;
mod pace;
mod pages;
mod problems;
mod readiness;
mod revocations;
mod serve;
mod tokens;

pub use control::{Control, LastError};
pub use readiness::{Latch, Readiness, Standing, Waited};
pub use serve::serve;
pub use tokens::{AdminTokens, AdminTokensError, Operator, Role};

use crate::telemetry::Metrics;
use std::sync::Arc;

/// What the admin listener speaks of.
#[derive(Clone, Debug)]
pub struct Admin {
    pub readiness: Readiness,
    pub metrics: Arc<Metrics>,
    /// Nothing where there are no tokens for it.
    pub control: Option<Control>,
}

#[cfg(test)]
mod tests;
