//! What is counted of the shared state.

use prometheus::{Histogram, IntCounter, IntGauge};
use std::time::Duration;

/// Its series.
#[derive(Clone, Debug)]
pub struct StateMeter {
    /// In the order of [`StateOp::ALL`], each in that of [`StateOutcome::ALL`].
    pub operations: [[IntCounter; StateOutcome::ALL.len()]; StateOp::ALL.len()],
    pub up: IntGauge,
    pub lag: Histogram,
}

/// What is asked of the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateOp {
    /// To share revocations.
    Revoke,
    Spend,
    GrantWrite,
    GrantRead,
    /// To share or read what was learned.
    Learn,
    /// To read all revocations.
    Read,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateOutcome {
    Ok,
    Failed,
    /// It was not asked, because it is away.
    Open,
}

impl StateOp {
    pub const ALL: [Self; 6] = [Self::Revoke, Self::Spend, Self::GrantWrite, Self::GrantRead, Self::Learn, Self::Read];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Revoke => "revoke",
            Self::Spend => "spend",
            Self::GrantWrite => "grant_write",
            Self::GrantRead => "grant_read",
            Self::Learn => "learn",
            Self::Read => "read",
        }
    }
}

impl StateOutcome {
    pub const ALL: [Self; 3] = [Self::Ok, Self::Failed, Self::Open];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Open => "open",
        }
    }
}

impl StateMeter {
    pub(super) fn count(&self, op: StateOp, outcome: StateOutcome) {
        let of_op = StateOp::ALL.iter().zip(&self.operations).find(|(own, _)| **own == op);
        let counter = of_op.and_then(|(_, all)| StateOutcome::ALL.iter().zip(all).find(|(own, _)| **own == outcome));
        if let Some((_, counter)) = counter {
            counter.inc();
        }
    }

    pub(super) fn is_up(&self, up: bool) {
        self.up.set(up.into());
    }

    /// From a revocation's being shared to its being in force here.
    pub(super) fn came_after(&self, lag: Duration) {
        self.lag.observe(lag.as_secs_f64());
    }
}
