//! Looks for keys again and again: when they are due, and when somebody asks.

use super::error::KeyError;
use super::keeper::Keeper;
use crate::attestation::KeySet;
use std::time::Duration;
use tokio::time::Instant;

/// The keys as they are now; nothing where they are what they were.
pub(super) type Fetched = Result<Option<KeySet>, KeyError>;

/// Where keys can be fetched.
pub(super) trait Fetch: Send {
    /// `known`: whether what came last is still held.
    fn fetch(&mut self, known: bool) -> impl Future<Output = Fetched> + Send;
}

/// Follows until dropped.
pub(super) async fn follow(mut fetch: impl Fetch, refresh: Duration, mut keeper: Keeper) {
    loop {
        keeper.begin();
        let fetched = fetch.fetch(keeper.holds_keys()).await;
        keeper.conclude(fetched);
        keeper.wait_until(Instant::now() + keeper.rest(refresh)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attestation::keys::KeySetError;
    use crate::clock::SystemClock;
    use crate::keys::keeper::BELIEVED;
    use crate::keys::meter::{KeyMeter, KeyOutcome};
    use crate::keys::source::{Held, World};
    use crate::policy::Name;
    use prometheus::{IntCounter, IntGauge};
    use std::sync::{Arc, Mutex};

    const KEYS: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    const REFRESH: Duration = Duration::from_mins(5);

    /// What the next looks find; whoever looks further finds nobody.
    #[derive(Clone, Default)]
    struct Script {
        answers: Arc<Mutex<Vec<Fetched>>>,
        looks: Arc<Mutex<Vec<(Duration, bool)>>>,
    }

    impl Script {
        fn then(self, answer: Fetched) -> Self {
            self.answers.lock().unwrap().insert(0, answer);
            self
        }

        /// When it was looked, since the beginning, in milliseconds.
        fn looks(&self) -> Vec<u128> {
            self.looks.lock().unwrap().iter().map(|(at, _)| at.as_millis()).collect()
        }
    }

    struct Scripted(Script, Instant);

    impl Fetch for Scripted {
        async fn fetch(&mut self, known: bool) -> Fetched {
            self.0.looks.lock().unwrap().push((self.1.elapsed(), known));
            self.0.answers.lock().unwrap().pop().unwrap_or(Err(KeyError::Status(503)))
        }
    }

    struct Followed {
        held: Arc<Held>,
        meter: KeyMeter,
    }

    impl Followed {
        fn start(script: &Script) -> Self {
            let counter = || IntCounter::new("c", "c").unwrap();
            let gauge = || IntGauge::new("g", "g").unwrap();
            let refreshes = [counter(), counter(), counter(), counter()];
            let meter = KeyMeter { refreshes, keys: gauge(), last_success: gauge() };
            let held = Arc::new(Held::default());
            let (changed, clock) = (Box::new(|| {}), Arc::new(SystemClock));
            let world = World { changed, meter: meter.clone(), clock, roll: || u32::MAX };
            let keeper = Keeper::new(Name::parse("idp").unwrap(), Arc::clone(&held), world);
            tokio::spawn(follow(Scripted(script.clone(), Instant::now()), REFRESH, keeper));
            Self { held, meter }
        }

        fn has_keys(&self) -> bool {
            self.held.standing.borrow().keys.is_some()
        }

        fn counts(&self) -> [u64; KeyOutcome::ALL.len()] {
            self.meter.refreshes.each_ref().map(IntCounter::get)
        }
    }

    fn keys() -> Fetched {
        Ok(Some(KeySet::parse(KEYS.as_bytes())?))
    }

    async fn after(span: Duration) {
        tokio::time::sleep(span).await;
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_away_is_asked_again_ever_more_seldom_and_then_when_due() {
        let script = Script::default().then(Err(KeyError::Status(500))).then(Err(KeyError::Status(500))).then(keys());
        let followed = Followed::start(&script);
        after(Duration::from_millis(3_500)).await;
        assert_eq!(script.looks(), [0, 1_000, 3_000]);
        assert!(followed.has_keys());
        after(REFRESH).await;
        assert_eq!(script.looks(), [0, 1_000, 3_000, 303_000]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_good_set_stays_for_a_day_and_no_longer() {
        let script = Script::default().then(keys()).then(Err(KeySetError::NoSet.into()));
        let followed = Followed::start(&script);
        after(BELIEVED.checked_sub(Duration::from_secs(2)).unwrap()).await;
        assert!(followed.has_keys());
        assert_eq!((followed.meter.keys.get(), followed.counts()[0], followed.counts()[2]), (1, 1, 1));
        after(Duration::from_secs(4)).await;
        assert!(!followed.has_keys());
        assert_eq!(followed.meter.keys.get(), 0);
        // What is not held any more can't be unchanged.
        after(Duration::from_mins(2)).await;
        assert!(script.looks.lock().unwrap().last().is_some_and(|(_, known)| !known));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_unchanged_is_good_for_another_day() {
        let script = (0..400).fold(Script::default().then(keys()), |script, _| script.then(Ok(None)));
        let followed = Followed::start(&script);
        after(BELIEVED + Duration::from_secs(3_610)).await;
        assert!(followed.has_keys());
        assert_eq!(followed.counts()[..2], [1, 300]);
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_does_not_wait_until_it_is_due() {
        let script = Script::default().then(keys()).then(keys());
        let followed = Followed::start(&script);
        after(Duration::from_secs(20)).await;
        followed.held.asked.notify_one();
        after(Duration::from_secs(1)).await;
        assert_eq!(script.looks(), [0, 20_000]);
    }
}
