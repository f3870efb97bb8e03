//! Ready is who waits for nothing: a latch for each thing that must be there first, and an end to it when draining.

use std::borrow::Cow;
use tokio::sync::watch;

/// Hands out latches, and says whether all of them are set. Clones speak of the same process.
#[derive(Clone, Debug)]
pub struct Readiness(watch::Sender<Standing>);

/// Something that must be there before the first request. It is set once; a latch that is dropped stays unset.
#[derive(Debug)]
pub struct Latch {
    name: Waited,
    readiness: Readiness,
}

/// What is waited for, as people are told.
pub type Waited = Cow<'static, str>;

/// How far the process is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// In the order in which the latches were made.
    waits_for: Vec<Waited>,
    draining: bool,
}

impl Readiness {
    /// Ready at once, if no latch is made: make them before anybody asks.
    pub fn new() -> Self {
        Self(watch::Sender::default())
    }

    pub fn latch(&self, name: impl Into<Waited>) -> Latch {
        let name = name.into();
        self.0.send_modify(|standing| standing.waits_for.push(name.clone()));
        Latch { name, readiness: self.clone() }
    }

    /// Not ready any more, for good.
    pub fn drain(&self) {
        self.0.send_modify(|standing| standing.draining = true);
    }

    pub fn standing(&self) -> Standing {
        self.0.borrow().clone()
    }

    /// Tells of every change from now on.
    pub fn subscribe(&self) -> watch::Receiver<Standing> {
        self.0.subscribe()
    }
}

impl Default for Readiness {
    fn default() -> Self {
        Self::new()
    }
}

impl Latch {
    pub fn set(self) {
        self.readiness.0.send_modify(|standing| {
            if let Some(place) = standing.waits_for.iter().position(|name| *name == self.name) {
                standing.waits_for.remove(place);
            }
        });
    }
}

impl Standing {
    pub fn is_ready(&self) -> bool {
        self.waits_for.is_empty() && !self.draining
    }

    /// What keeps it from being ready.
    pub fn obstacles(&self) -> impl Iterator<Item = &str> {
        self.waits_for.iter().map(AsRef::as_ref).chain(self.draining.then_some("draining"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn obstacles(readiness: &Readiness) -> Vec<String> {
        readiness.standing().obstacles().map(str::to_owned).collect()
    }

    #[test]
    fn ready_is_who_waits_for_nothing() {
        let readiness = Readiness::new();
        let (policy, keys) = (readiness.latch("policy"), readiness.latch("keys"));
        assert_eq!(obstacles(&readiness), ["policy", "keys"]);
        policy.set();
        assert_eq!((obstacles(&readiness), readiness.standing().is_ready()), (vec!["keys".to_owned()], false));
        keys.set();
        assert!(readiness.standing().is_ready());
    }

    #[test]
    fn a_latch_that_is_dropped_stays_unset() {
        let readiness = Readiness::new();
        drop(readiness.latch("policy"));
        assert!(!readiness.standing().is_ready());
    }

    #[tokio::test]
    async fn who_subscribed_hears_of_readiness_and_of_its_end() {
        let readiness = Readiness::new();
        let latch = readiness.latch("policy");
        let mut standing = readiness.subscribe();
        latch.set();
        standing.changed().await.unwrap();
        assert!(standing.borrow_and_update().is_ready());
        readiness.drain();
        standing.changed().await.unwrap();
        assert_eq!(standing.borrow().obstacles().collect::<Vec<_>>(), ["draining"]);
    }
}
