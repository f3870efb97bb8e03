//! A request that passes, changed in one place, thousands of times: none passes any more, but where what was changed is
//! neither signed nor asked for, and those are listed ([`excuses`]).
//!
//! Every change is made to a request that nobody has shown before, and what speaks of the changed token is made anew, so
//! that nothing but the change itself can be the reason. What was shown before is tried in [`replays`].
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "../support/mod.rs"]
mod support;

mod actor;
mod change;
mod claims;
mod excuses;
mod forgeries;
mod headers;
mod letters;
mod mixed;
mod replays;
mod tally;
mod targets;
mod way;

use actor::Actor;
use change::Change;
use std::sync::Arc;
use support::Result;
use support::gate::Gate;
use tally::Tally;
use way::Way;

/// As many at once as one worker of Envoy has streams in a busy moment.
const AT_ONCE: usize = 32;
const NAME: &str = "web";
const OTHER: &str = "batch";

/// Two callers who may do the same, each by itself.
#[derive(Debug)]
struct Scene {
    actor: Actor,
    other: Actor,
}

impl Scene {
    fn set(gate: &Arc<Gate>, way: Way) -> Result<Self> {
        let actor = |name| Actor::new(gate, way, name);
        Ok(Self { actor: actor(NAME)?, other: actor(OTHER)? })
    }

    /// Every single change to what this actor shows.
    fn changes(&self) -> Result<Vec<Change>> {
        let sample = self.actor.call(&self.actor.target(), None)?;
        let kinds = [
            letters::changes(self.actor.way, &sample),
            claims::changes(&self.actor)?,
            forgeries::changes(&self.actor)?,
            headers::changes(&sample),
            mixed::changes(&sample),
            targets::changes(&sample),
        ];
        Ok(kinds.into_iter().flatten().collect())
    }
}

async fn gate() -> Result<Arc<Gate>> {
    Ok(Arc::new(Gate::start_with("mutated", &["--decision-log", "off"]).await?))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_single_change_passes_but_those_that_change_nothing() -> Result<()> {
    let gate = gate().await?;
    let mut tally = Tally::default();
    for way in Way::ALL {
        let scene = Arc::new(Scene::set(&gate, way)?);
        let changes = scene.changes()?;
        tally.add(tally::tried(&scene, changes).await?);
    }
    println!("{tally}");
    tally.judge()
}
