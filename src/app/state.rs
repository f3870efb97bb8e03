//! What lies beyond this process: nothing, a file, or what replicas share; opened before anything is judged by it.

use super::{AppServer, Failure, Options};
use crate::admin::Readiness;
use crate::challenge::ChallengeKeys;
use crate::clock::{Clock, SystemClock};
use crate::store::learned::Bounds;
use crate::store::valkey::{Settings, StateMeter, StateOp, StateOutcome, StateUrl, StateUrlError};
use crate::store::{
    Journal, Learned, LearnedRecord, Ledger, NoRandomness, RevocationMeter, Revoked, ScopeKey, State, Valkey,
};
use crate::telemetry::Metrics;
use crate::time::Ttl;
use arc_swap::ArcSwap;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// `--state`, as the command line writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StateAt {
    File(PathBuf),
    Shared(StateUrl),
}

/// Why a text names no state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateAtError {
    #[error("write file:PATH, redis://HOST:PORT or rediss://HOST:PORT")]
    Form,
    #[error(transparent)]
    Url(#[from] StateUrlError),
}

/// The ledger, and what was learned before.
pub(super) struct Opened {
    pub ledger: Arc<Ledger>,
    pub learned: Learned,
    /// What was learned before, which is merged where the policy says it belongs.
    pub records: Vec<LearnedRecord>,
}

/// What replicas agree on the digests of scopes by.
const SCOPES: &[u8] = b"stepgate learned scopes v1";
/// How often what is no longer needed is given up.
const TIDY_EVERY: Duration = Duration::from_secs(60);
/// How often what was learned is kept, and where it is shared, what others learned is heard.
const LEARN_EVERY: Duration = Duration::from_secs(5);
const LEAVE_PATIENCE: Duration = Duration::from_secs(1);

pub(super) fn open(
    options: &Options,
    challenges: &Arc<ArcSwap<ChallengeKeys>>,
    metrics: &Metrics,
) -> Result<Opened, Failure> {
    let keep = options.revocations_keep;
    let meter = RevocationMeter::new(|source| metrics.revocations(source))?;
    let (ledger, scope_key, records) = match &options.state {
        None => (in_process(keep, metrics), ScopeKey::random()?, Vec::new()),
        Some(StateAt::File(path)) => from_file(path, keep, metrics)?,
        Some(StateAt::Shared(url)) => {
            let (ledger, scope_key) = shared(url, options, challenges, metrics)?;
            (ledger, scope_key, Vec::new())
        }
    };
    let learned = Learned::new(Bounds::default(), scope_key);
    Ok(Opened { ledger: Arc::new(ledger.counted_by(meter)), learned, records })
}

fn in_process(keep: Ttl, metrics: &Metrics) -> Ledger {
    metrics.state().up.set(1);
    Ledger::in_process(keep)
}

fn from_file(path: &Path, keep: Ttl, metrics: &Metrics) -> Result<(Ledger, ScopeKey, Vec<LearnedRecord>), Failure> {
    let (journal, kept) = Journal::open(path, SystemClock, keep)
        .map_err(|source| Failure::Journal { path: path.to_owned(), source: Box::new(source) })?;
    if kept.torn_bytes > 0 {
        tracing::warn!(file = %path.display(), bytes = kept.torn_bytes, "the last record of the state was torn, and is cut off");
    }
    let revoked = Revoked::none(keep);
    revoked.forget_before(kept.forgotten.revoked_before);
    revoked.add(kept.revocations);
    let ledger = Ledger::new(Arc::new(revoked), State::File(journal));
    ledger.forget_spent_before(kept.forgotten.spent_before);
    let now = SystemClock.now();
    kept.spent.into_iter().for_each(|spending| ledger.recall(spending, now));
    metrics.state().up.set(1);
    Ok((ledger, kept.scope_key, kept.learned))
}

fn shared(
    url: &StateUrl,
    options: &Options,
    challenges: &Arc<ArcSwap<ChallengeKeys>>,
    metrics: &Metrics,
) -> Result<(Ledger, ScopeKey), Failure> {
    if options.challenge_key_file.is_none() {
        return Err(Failure::NoChallengeKeys);
    }
    let scope_key = challenges.load().shared_secret(SCOPES).ok_or(NoRandomness)?;
    let revoked = Arc::new(Revoked::unread(options.revocations_keep));
    let (keys, keep, clock) = (Arc::clone(challenges), options.revocations_keep, Arc::new(SystemClock));
    let settings = Settings { url: url.clone(), keys, keep, clock };
    let valkey = Valkey::new(settings, Arc::clone(&revoked), meter(metrics)?).map_err(Failure::Shared)?;
    Ok((Ledger::new(revoked, State::Shared(valkey)), ScopeKey::from_bytes(scope_key)))
}

fn meter(metrics: &Metrics) -> prometheus::Result<StateMeter> {
    let series = metrics.state();
    let counter = |op: StateOp, outcome: StateOutcome| series.operations(op.as_str(), outcome.as_str());
    let operations = StateOp::ALL.map(|op| StateOutcome::ALL.map(|outcome| counter(op, outcome)));
    let mut counters = Vec::new();
    for of_op in operations {
        let [ok, failed, open] = of_op;
        counters.push([ok?, failed?, open?]);
    }
    let operations = counters.try_into().map_err(|_| prometheus::Error::Msg("a counter for each operation".into()))?;
    Ok(StateMeter { operations, up: series.up, lag: series.lag })
}

/// Follows what replicas share, where they do; not ready before all revocations were read.
pub(super) fn follow(server: &Arc<AppServer>, readiness: &Readiness) {
    if let State::Shared(valkey) = server.store.ledger().state() {
        let (latch, mut read) = (readiness.latch("the revocations of the shared state"), valkey.read());
        tokio::spawn(async move {
            // The sender lives as long as the ledger.
            if read.wait_for(|read| *read).await.is_ok() {
                latch.set();
            }
        });
        tokio::spawn(valkey.clone().follow());
    }
    tokio::spawn(attend(Arc::clone(server)));
}

/// What was learned last is kept, if that does not take long.
pub(super) async fn leave(server: &AppServer) {
    let policy = Arc::clone(&server.snapshot.load().policy);
    if timeout(LEAVE_PATIENCE, server.store.exchange(&policy)).await.is_err() {
        tracing::warn!("what was learned last could not be kept in time");
    }
}

/// Keeps what was learned, hears of others', and gives up what is no longer needed.
async fn attend(server: Arc<AppServer>) {
    let (mut learn, mut tidy) = (interval(LEARN_EVERY), interval(TIDY_EVERY));
    learn.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tidy.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = learn.tick() => {
                let policy = Arc::clone(&server.snapshot.load().policy);
                server.store.exchange(&policy).await;
            }
            _ = tidy.tick() => server.store.ledger().tidy(server.clock.now()),
        }
    }
}

impl FromStr for StateAt {
    type Err = StateAtError;

    fn from_str(text: &str) -> Result<Self, StateAtError> {
        match text.split_once(':') {
            Some(("file", "")) => Err(StateAtError::Form),
            Some(("file", path)) => Ok(Self::File(path.into())),
            Some(("redis" | "rediss", _)) => Ok(Self::Shared(StateUrl::parse(text)?)),
            _ => Err(StateAtError::Form),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_a_file_or_shared() {
        assert_eq!("file:/var/lib/stepgate/state".parse(), Ok(StateAt::File("/var/lib/stepgate/state".into())));
        assert_eq!("file:state".parse(), Ok(StateAt::File("state".into())));
        for text in ["redis://127.0.0.1:6379", "rediss://user:s3cret@state.example.com/3"] {
            assert!(matches!(text.parse(), Ok(StateAt::Shared(_))), "{text}");
        }
        for text in ["", "file:", "memory", "/var/lib/state", "http://127.0.0.1", "redis:", "redis://"] {
            assert!(text.parse::<StateAt>().is_err(), "{text}");
        }
    }

    #[test]
    fn nobody_is_shown_the_password() {
        let at: StateAt = "redis://user:s3cret@state.example.com".parse().unwrap();
        assert!(!format!("{at:?}").contains("s3cret"));
        let wrong = "redis://user:s3cret@state.example.com/x".parse::<StateAt>().unwrap_err();
        assert!(!wrong.to_string().contains("s3cret"));
    }
}
