//! Keeps the last good set: whatever goes wrong, for a day at most.

use super::backoff;
use super::error::KeyError;
use super::follow::Fetched;
use super::meter::KeyOutcome;
use super::source::{Held, World};
use crate::attestation::KeySet;
use crate::policy::Name;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// A source's own hold on its keys; only its task has it.
pub(super) struct Keeper {
    issuer: Name,
    held: Arc<Held>,
    world: World,
    good_at: Option<Instant>,
    failures: u32,
}

/// How long keys are believed that nobody confirmed since: longer than most outages, and who takes a key back must not have
/// to wait for longer.
pub(super) const BELIEVED: Duration = Duration::from_hours(24);

impl Keeper {
    pub(super) const fn new(issuer: Name, held: Arc<Held>, world: World) -> Self {
        Self { issuer, held, world, good_at: None, failures: 0 }
    }

    pub(super) fn holds_keys(&self) -> bool {
        self.good_at.is_some()
    }

    pub(super) fn begin(&self) {
        self.held.standing.send_modify(|standing| standing.begun += 1);
    }

    /// Takes what came of a look. Whoever waits for it hears of it when the keys are in force.
    pub(super) fn conclude(&mut self, outcome: Fetched) {
        match outcome {
            Ok(Some(keys)) => self.renew(keys),
            Ok(None) => {
                self.confirm();
                self.world.meter.count(KeyOutcome::Unchanged);
            }
            Err(why) => self.fail(&why),
        }
        self.held.standing.send_modify(|standing| standing.done += 1);
    }

    /// The keys are still what they were.
    pub(super) fn confirm(&mut self) {
        self.good_at = Some(Instant::now());
        self.failures = 0;
        self.world.meter.good_at(self.world.clock.now());
    }

    /// The keys stay as they are, if there are any.
    pub(super) fn fail(&mut self, why: &KeyError) {
        self.failures = self.failures.saturating_add(1);
        self.world.meter.count(if why.is_refusal() { KeyOutcome::Refused } else { KeyOutcome::Failed });
        let kept = if self.holds_keys() { "the last good ones stay" } else { "there are none yet" };
        tracing::warn!(issuer = %self.issuer, failures = self.failures, "the issuer's keys were not renewed, {kept}: {why}");
    }

    /// How long to wait before the next look, where one is to be made every `refresh`.
    pub(super) fn rest(&self, refresh: Duration) -> Duration {
        let roll = (self.world.roll)();
        match self.failures {
            0 => backoff::after_success(refresh, roll),
            failures => backoff::after_failures(failures, roll).min(refresh),
        }
    }

    /// Waits until then, or until somebody asks. Keys that become too old meanwhile are not believed any more.
    pub(super) async fn wait_until(&mut self, next: Instant) {
        loop {
            let stale = self.good_at.map(|good_at| good_at + BELIEVED);
            tokio::select! {
                () = sleep_until(next) => return,
                () = self.held.asked.notified() => return,
                () = sleep_until(stale.unwrap_or(next)), if stale.is_some() => self.expire(),
            }
        }
    }

    /// For who waits for something else: keys that nobody confirmed for too long are not believed any more.
    pub(super) fn check_age(&mut self) {
        if self.good_at.is_some_and(|good_at| good_at.elapsed() >= BELIEVED) {
            self.expire();
        }
    }

    fn renew(&mut self, keys: KeySet) {
        self.confirm();
        self.world.meter.count(KeyOutcome::Updated);
        tracing::info!(issuer = %self.issuer, keys = keys.len(), "the issuer's keys are renewed");
        self.put(Some(keys));
    }

    fn expire(&mut self) {
        self.good_at = None;
        tracing::error!(issuer = %self.issuer, "the issuer's keys are too old to be believed, what needs them is refused");
        self.put(None);
    }

    fn put(&self, keys: Option<KeySet>) {
        self.world.meter.holds(keys.as_ref().map_or(0, KeySet::len));
        let keys = keys.map(Arc::new);
        self.held.standing.send_modify(|standing| standing.keys = keys);
        (self.world.changed)();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::keys::meter::KeyMeter;
    use prometheus::{IntCounter, IntGauge};
    use tokio::time::advance;

    const KEYS: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

    fn keeper() -> (Keeper, Arc<Held>) {
        let refreshes = std::array::from_fn(|_| IntCounter::new("c", "c").unwrap());
        let gauge = || IntGauge::new("g", "g").unwrap();
        let meter = KeyMeter { refreshes, keys: gauge(), last_success: gauge() };
        let (changed, clock) = (Box::new(|| {}), Arc::new(SystemClock));
        let held = Arc::new(Held::default());
        let world = World { changed, meter, clock, roll: || 0 };
        (Keeper::new(Name::parse("agent").unwrap(), Arc::clone(&held), world), held)
    }

    /// An agent whose stream stays open, and that tells nothing good over it any more.
    #[tokio::test(start_paused = true)]
    async fn who_never_stops_waiting_gives_up_old_keys_too() {
        let (mut keeper, held) = keeper();
        keeper.conclude(Ok(Some(KeySet::parse(KEYS.as_bytes()).unwrap())));
        let has_keys = || held.standing.borrow().keys.is_some();
        advance(BELIEVED.checked_sub(Duration::from_secs(1)).unwrap()).await;
        keeper.check_age();
        assert!(has_keys());
        advance(Duration::from_secs(1)).await;
        keeper.check_age();
        assert!(!has_keys());
    }
}
