//! Attacks on the real binary, over gRPC and without an Envoy between that would stop some of them. Each begins as a
//! call that passes, and is wrong in one way.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "../support/mod.rs"]
mod support;

mod alterations;
mod bindings;
mod certificates;
mod challenges;
mod forge;
mod headers;
mod loops;
mod memory;
mod proofs;
mod readings;
mod tokens;

use support::Result;
use support::authz::Ask;
use support::gate::Gate;
use support::verdict::Refusal;
use support::workload::Workload;

/// Routine: a token with the scope is enough.
const READ: &str = "/v1/payments/7";
/// Asks for an attestation of at most five minutes.
const REFUND: &str = "/v1/payments/7/refund";
/// Asks for an attestation of at most one minute, and a challenge.
const WIPE: &str = "/v1/payments";
const SCOPES: &str = "payments:read payments:refund payments:wipe";
const NAME: &str = "billing-web";

/// The gate and a workload that it takes for what it is.
struct Stage {
    gate: Gate,
    workload: Workload,
}

impl Stage {
    async fn set() -> Result<Self> {
        Self::under(Gate::start("attacked").await?)
    }

    fn under(gate: Gate) -> Result<Self> {
        let workload = Workload::new(&gate.issuers, NAME, SCOPES)?;
        Ok(Self { gate, workload })
    }

    /// A call that passes, with evidence that was never shown before.
    fn refund(&self) -> Result<Ask> {
        self.workload.proven_call(&self.gate.issuers, "POST", REFUND)
    }

    async fn passes(&self, ask: &Ask) -> Result<()> {
        self.gate.check(ask).await?.allowed().map(drop)
    }

    async fn refuses(&self, ask: &Ask, expected: &Refusal) -> Result<()> {
        let verdict = self.gate.check(ask).await?;
        assert_eq!(verdict.refusal()?, *expected, "{verdict:?}");
        Ok(())
    }
}
