//! Follows the store: the one task that connects, reads, hears, adds and heals.
//!
//! A session begins with reading the whole stream and ends with the first thing that is not as it should be; the next
//! session finds out what that was. What a replica remembers of the chain is what the store is measured by.

mod exchange;
mod restore;
mod watch;

use super::Shared;
use super::chain::Chain;
use super::connect::{ConnectError, Connection};
use super::link::{CALL_PATIENCE, is_of_another_kind};
use super::stream::{self, PAGE, StreamError};
use crate::revocation::Revocation;
use crate::time::Ttl;
use redis::RedisError;
use redis::aio::MultiplexedConnection;
use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{MissedTickBehavior, interval, sleep};

/// Revocations to be added, and who waits for that.
pub(super) struct Sharing {
    pub revocations: Vec<Revocation>,
    pub done: oneshot::Sender<()>,
}

pub(super) struct Follower {
    shared: Arc<Shared>,
    queue: mpsc::UnboundedReceiver<Sharing>,
    /// What is remembered of the stream.
    chain: Chain,
    /// Whether the clock is near enough to the store's to say what is too old to be kept; nothing where the store does
    /// not tell.
    clock_agrees: Option<bool>,
    /// Sessions in a row that came to nothing.
    failures: u32,
    /// Probes in a row that were not answered.
    unanswered: u32,
    advised: bool,
    told: Option<String>,
}

/// Why a session ended.
#[derive(Debug, thiserror::Error)]
enum Ending {
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Stream(#[from] StreamError),
    #[error("it does not take what is written: {0}")]
    Write(RedisError),
    #[error("it does not hold what it held before")]
    Lost,
    #[error("it does not answer calls in time")]
    Silent,
    #[error("others are faster to write, again and again")]
    Crowded,
    #[error("it keeps as many revocations as it may: set a shorter --revocations-keep")]
    Full,
}

/// For what is read or written at once; nobody but the follower waits for it.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often it is looked whether all still stands.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How soon the store is asked again after calls failed.
const PROBE_REST: Duration = Duration::from_millis(100);
/// A connection on which so many were not answered is given up.
const MOST_UNANSWERED: u32 = 10;
const FIRST_REST: Duration = Duration::from_millis(50);
/// What came back is found within a second.
const LONGEST_REST: Duration = Duration::from_secs(1);
/// A stream that is not believed is read whole each time.
const DISBELIEVING_REST: Duration = Duration::from_secs(2);
/// How often adding gives way to others, each of whom added something.
const MOST_CONFLICTS: usize = 100;
/// Revocations that are added before anything else is looked at.
const MOST_AT_ONCE: usize = 16 * PAGE;
/// How far the clocks of replicas and store may be apart.
const CLOCK_SKEW: Ttl = Ttl::from_secs(60);

impl Follower {
    pub(super) fn new(shared: Arc<Shared>, queue: mpsc::UnboundedReceiver<Sharing>) -> Self {
        let chain = Chain::default();
        Self { shared, queue, chain, clock_agrees: None, failures: 0, unanswered: 0, advised: false, told: None }
    }

    pub(super) async fn follow(mut self) {
        loop {
            let ending = match self.session().await {
                Err(ending) => ending,
                Ok(never) => match never {},
            };
            self.shared.link.open();
            self.shared.owe();
            while self.queue.try_recv().is_ok() {} // who waits is told by that
            self.failures = self.failures.saturating_add(1);
            self.unanswered = 0;
            self.tell(&ending);
            sleep(rest(self.failures, ending.is_disbelief())).await;
        }
    }

    async fn session(&mut self) -> Result<Infallible, Ending> {
        let connector = &self.shared.connector;
        let pen = connector.connect(PATIENCE).await?;
        let ears = connector.connect(stream::LONGEST_WAIT + PATIENCE).await?;
        let line = connector.connect(CALL_PATIENCE).await?;
        let mut pen_calls = pen.calls();
        let pen_calls = &mut pen_calls;
        self.advise(pen_calls).await;
        self.compare_clocks(pen_calls).await;
        self.catch_up(pen_calls).await?;
        self.shared.revoked.set_whole(true);
        self.shared.read.send_replace(true);
        self.pay(pen_calls).await?;
        self.probe(&line).await?;
        self.hear(pen_calls, &ears, &line).await
    }

    async fn hear(
        &mut self,
        pen: &mut MultiplexedConnection,
        ears: &Connection,
        line: &Connection,
    ) -> Result<Infallible, Ending> {
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard = pin!(stream::wait(ears.calls(), self.last_seq()));
        let shared = Arc::clone(&self.shared);
        loop {
            tokio::select! {
                entries = &mut heard => {
                    self.take(entries?)?;
                    heard.set(stream::wait(ears.calls(), self.last_seq()));
                }
                Some(sharing) = self.queue.recv() => self.share(sharing, pen).await?,
                () = shared.link.opened() => {}
                () = sleep(PROBE_REST), if !shared.link.is_up() => self.probe(line).await?,
                _ = looks.tick() => {
                    self.look(pen).await?;
                    self.probe(line).await?;
                    self.pay(pen).await?;
                }
            }
        }
    }

    fn last_seq(&self) -> u64 {
        self.chain.tip().map_or(0, |tip| tip.seq)
    }

    /// Says what is wrong once, until something else is, or nothing.
    fn tell(&mut self, ending: &Ending) {
        let (what, state) = (ending.to_string(), self.shared.connector.url());
        // A loss is found out about by the next session, and so is a stream that was being put back just then.
        let is_early = matches!(ending, Ending::Lost) || ending.is_disbelief() && self.failures < 2;
        if is_early || self.told.as_ref() == Some(&what) {
            return;
        }
        if ending.is_disbelief() {
            tracing::error!(
                %state,
                why = what,
                "the shared revocations are not believed, and none are shared until they are: if a challenge key is missing, add it again as the last line of its file; else delete {}, and replicas fill it anew with what they know",
                stream::KEY
            );
        } else {
            tracing::warn!(%state, why = what, "the shared state is away");
        }
        self.told = Some(what);
    }
}

impl Ending {
    /// Whether the store answers, and with what can't be ours.
    fn is_disbelief(&self) -> bool {
        match self {
            Self::Stream(StreamError::Chain(_) | StreamError::Answer(_)) => true,
            Self::Stream(StreamError::Store(error)) => is_of_another_kind(error),
            _ => false,
        }
    }
}

/// Twice as long each time, and between half and all of it, so that replicas don't all come at once.
fn rest(failures: u32, disbelieving: bool) -> Duration {
    let longest = if disbelieving { DISBELIEVING_REST } else { LONGEST_REST };
    let whole = (FIRST_REST * 2_u32.pow(failures.saturating_sub(1).min(16))).min(longest);
    let mut chance = [0; 1];
    // Without randomness all come as late as they may.
    let chance = if aws_lc_rs::rand::fill(&mut chance).is_ok() { chance[0] } else { u8::MAX };
    whole / 2 + (whole / 2).mul_f64(f64::from(chance) / f64::from(u8::MAX))
}
