//! What came of all changes, against what may come of them.

use crate::change::{Change, Edit, Kind};
use crate::excuses::{EXCUSES, Excuse};
use crate::support::verdict::Verdict;
use crate::{AT_ONCE, Scene, support::Result};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// After so many changes, one call goes as it is: else all could be refused for something else.
const UNCHANGED_EVERY: usize = 50;
/// Of what is wrong, so much is shown.
const SHOWN: usize = 60;

#[derive(Debug, Default)]
pub(crate) struct Tally {
    tried: BTreeMap<Kind, usize>,
    ways: usize,
    unchanged: usize,
    took: Duration,
    /// By the reason for which they may.
    allowed: BTreeMap<&'static str, usize>,
    needed: BTreeSet<usize>,
    wrong: Vec<String>,
}

/// How a call came out.
enum Outcome {
    Allowed,
    Refused,
    Wrong(String),
}

/// Tries all changes at once, each on a call of its own.
pub(crate) async fn tried(scene: &Arc<Scene>, changes: Vec<Change>) -> Result<Tally> {
    let begun = Instant::now();
    let (changes, next) = (Arc::new(changes), Arc::new(AtomicUsize::new(0)));
    let mut workers = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (scene, changes, next) = (Arc::clone(scene), Arc::clone(&changes), Arc::clone(&next));
        workers.spawn(async move {
            let mut tally = Tally::default();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(change) = changes.get(index) else { return Ok(tally) };
                tally.try_one(&scene, index, change).await?;
            }
        });
    }
    let mut tally = Tally { ways: 1, ..Tally::default() };
    while let Some(done) = workers.join_next().await {
        let done: Result<Tally> = done?;
        tally.add(done?);
    }
    Ok(Tally { took: begun.elapsed(), ..tally })
}

impl Tally {
    pub(crate) fn add(&mut self, other: Self) {
        for (kind, tried) in other.tried {
            *self.tried.entry(kind).or_default() += tried;
        }
        for (why, allowed) in other.allowed {
            *self.allowed.entry(why).or_default() += allowed;
        }
        self.needed.extend(other.needed);
        self.wrong.extend(other.wrong);
        self.ways += other.ways;
        self.unchanged += other.unchanged;
        self.took += other.took;
    }

    async fn try_one(&mut self, scene: &Scene, index: usize, change: &Change) -> Result<()> {
        let source = source(index);
        if index.is_multiple_of(UNCHANGED_EVERY) {
            self.try_unchanged(scene, &source).await?;
        }
        let request = change.made(scene, &source)?;
        let outcome = judge(&scene.actor.gate.authz.send(request).await?);
        *self.tried.entry(change.kind).or_default() += 1;
        let name = change.name(scene.actor.way);
        match (outcome, Excuse::of(&name)) {
            (Outcome::Allowed, Some((at, excuse))) => {
                self.needed.insert(at);
                *self.allowed.entry(excuse.why).or_default() += 1;
            }
            (Outcome::Allowed, None) => self.wrong.push(format!("allowed: {name}")),
            (Outcome::Refused, Some(_)) => self.wrong.push(format!("refused, though it changes nothing: {name}")),
            (Outcome::Refused, None) => {}
            (Outcome::Wrong(why), _) => self.wrong.push(format!("{why}: {name}")),
        }
        Ok(())
    }

    async fn try_unchanged(&mut self, scene: &Scene, source: &str) -> Result<()> {
        let call = scene.actor.call(&scene.actor.target(), None)?;
        let verdict = scene.actor.gate.authz.send(call.told(source)).await?;
        self.unchanged += 1;
        verdict.allowed().map(drop)
    }

    /// Nothing passed that should not; and every excuse was needed.
    pub(crate) fn judge(mut self) -> Result<()> {
        let spare = EXCUSES.iter().enumerate().filter(|(at, _)| !self.needed.contains(at));
        self.wrong.extend(spare.map(|(_, excuse)| format!("an excuse that nothing needs: {}", excuse.change)));
        if self.wrong.is_empty() {
            return Ok(());
        }
        self.wrong.sort();
        let shown: Vec<_> = self.wrong.iter().take(SHOWN).map(|wrong| format!("\n  {wrong}")).collect();
        Err(format!("{} are wrong:{}", self.wrong.len(), shown.concat()).into())
    }
}

/// A refusal is one of the client's faults, and never that a call was shown before or asked too often: each is new.
fn judge(verdict: &Verdict) -> Outcome {
    if verdict.is_allowed() {
        return verdict.allowed().map_or_else(|why| Outcome::Wrong(why.to_string()), |_| Outcome::Allowed);
    }
    match verdict.refusal() {
        Err(why) => Outcome::Wrong(why.to_string()),
        Ok(refusal) if !(400..500).contains(&refusal.status) => Outcome::Wrong(refusal.to_string()),
        Ok(refusal) if ["proof_replayed", "challenge_loop"].contains(&&*refusal.reason) => {
            Outcome::Wrong(refusal.to_string())
        }
        Ok(_) => Outcome::Refused,
    }
}

/// A network of its own for each call: challenges that nobody answers are counted by network, too.
pub(crate) fn source(index: usize) -> String {
    format!("10.{}.{}.1", index / 256 % 256, index % 256)
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listed = |all: Vec<String>| all.join(", ");
        let kinds = self.tried.iter().map(|(kind, tried)| format!("{tried} {kind}")).collect();
        let reasons: Vec<_> = self.allowed.iter().map(|(why, allowed)| format!("{allowed} × {why}")).collect();
        let (all, allowed): (usize, usize) = (self.tried.values().sum(), self.allowed.values().sum());
        write!(f, "{all} changes of {} ways in {:.1} s ({}); ", self.ways, self.took.as_secs_f64(), listed(kinds))?;
        write!(f, "{allowed} allowed ({}); {} unchanged calls, all allowed", reasons.join("; "), self.unchanged)
    }
}

impl Change {
    /// Which change, of what.
    pub(crate) fn name(&self, way: crate::Way) -> String {
        format!("{} {}: {}", way.name(), self.kind, self.what)
    }

    /// Whether others could make it to a call on its way.
    pub(crate) fn is_on_the_way(&self) -> bool {
        !matches!(self.edit, Edit::Token(..))
    }
}
