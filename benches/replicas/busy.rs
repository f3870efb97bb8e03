//! Checks that go on while something else is measured: routine calls of one caller, a few at a time at each replica.

use crate::figures::per_second;
use crate::support::Result;
use crate::support::authz::{Ask, Authz};
use crate::support::workload::Workload;
use crate::world::{READ, World};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// At each replica.
const IN_FLIGHT: usize = 2;
/// So that they leave the machine something.
const PAUSE: Duration = Duration::from_millis(1);

pub(crate) struct Busy {
    begun: Instant,
    stop: CancellationToken,
    callers: JoinSet<Result<usize>>,
}

impl Busy {
    pub(crate) fn start(world: &World) -> Result<Self> {
        let call = Workload::new(&world.issuers, "spiffe://example.org/ns/busy/sa/one", "payments:read")?;
        let (stop, mut callers) = (CancellationToken::new(), JoinSet::new());
        for replica in &world.replicas {
            for _ in 0..IN_FLIGHT {
                callers.spawn(ask(replica.authz.clone(), call.call("GET", READ), stop.clone()));
            }
        }
        Ok(Self { begun: Instant::now(), stop, callers })
    }

    /// How many there were in a second; an error where one was not allowed.
    pub(crate) async fn stop(mut self) -> Result<f64> {
        self.stop.cancel();
        let (mut calls, elapsed) = (0, self.begun.elapsed());
        while let Some(asked) = self.callers.join_next().await {
            calls += asked??;
        }
        Ok(per_second(calls, elapsed))
    }
}

async fn ask(authz: Authz, call: Ask, stop: CancellationToken) -> Result<usize> {
    let mut calls = 0;
    while !stop.is_cancelled() {
        authz.check(&call).await?.allowed()?;
        calls += 1;
        sleep(PAUSE).await;
    }
    Ok(calls)
}
