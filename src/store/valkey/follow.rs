//! Follows the store: the one task that connects, reads, hears, adds and heals.
//!
//! A session begins with reading the whole stream and ends with the first thing that is not as it should be; the next
//! session finds out what that was. What a replica remembers of the chain is what the store is measured by.

use super::Shared;
use super::chain::{Chain, ChainFault, Comparison, Entry, Terms, kept_from};
use super::connect::{ConnectError, Connection};
use super::link::CALL_PATIENCE;
use super::meter::{StateOp, StateOutcome};
use super::stream::{self, Appended, PAGE, Standing, StreamError};
use crate::revocation::{Revocation, RevocationId};
use crate::time::{Ttl, UnixTime};
use redis::aio::MultiplexedConnection;
use redis::{RedisError, Value, cmd};
use std::collections::HashSet;
use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
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

    /// Reads the whole stream, and puts back what it lost.
    async fn catch_up(&mut self, pen: &mut MultiplexedConnection) -> Result<(), Ending> {
        for _ in 0..MOST_CONFLICTS {
            let read = self.read_whole(pen).await?;
            match self.chain.compare(&read, &self.shared.keys.load()) {
                Comparison::Current => {}
                Comparison::Parted => tracing::warn!(
                    "the shared state holds other revocations than it did; those that it lost are added again"
                ),
                Comparison::Behind => {
                    self.put_back(&read, pen).await?;
                    continue;
                }
            }
            let standing = stream::standing(pen).await?;
            if standing.last.as_ref() == read.tip() && !standing.ends_at(read.tip()) {
                self.clear_end(&read, pen).await?;
                continue;
            }
            self.chain = read;
            return Ok(());
        }
        Err(Ending::Crowded)
    }

    async fn read_whole(&self, pen: &mut MultiplexedConnection) -> Result<Chain, Ending> {
        let mut read = Chain::default();
        let result = self.read_into(&mut read, pen).await;
        let result = result.and_then(|()| Ok(read.check_beginning().map_err(StreamError::Chain)?));
        let outcome = if result.is_ok() { StateOutcome::Ok } else { StateOutcome::Failed };
        self.shared.link.meter().count(StateOp::Read, outcome);
        result.map(|()| read)
    }

    async fn read_into(&self, read: &mut Chain, pen: &mut MultiplexedConnection) -> Result<(), Ending> {
        loop {
            let page = stream::page(pen, read.tip().map_or(0, |tip| tip.seq)).await?;
            let is_last = page.len() < PAGE;
            self.enforce(read, page)?;
            if is_last {
                return Ok(());
            }
        }
    }

    /// The store ends before what is remembered does: the same entries are added again, so that replicas that do this at
    /// once do the same.
    async fn put_back(&self, read: &Chain, pen: &mut MultiplexedConnection) -> Result<(), Ending> {
        let lost: Vec<_> = self.chain.after(read.tip().map_or(0, |tip| tip.seq)).cloned().collect();
        tracing::warn!(revocations = lost.len(), "the shared state lost revocations; they are put back");
        let (mut tip, mut left) = (read.tip(), lost.as_slice());
        while let Some((some, others)) =
            left.split_at_checked(left.len().min(PAGE)).filter(|(some, _)| !some.is_empty())
        {
            match stream::append(pen, tip, some).await? {
                Appended::Done => (tip, left) = (some.last(), others),
                Appended::Blocked => return self.make_anew(&self.chain, read.tip(), pen).await,
                Appended::Conflict => {
                    let theirs = stream::page(pen, tip.map_or(0, |tip| tip.seq)).await?;
                    let same = theirs.iter().zip(left).take_while(|(their, own)| their == own).count();
                    let (there, others) = left.split_at(same);
                    if there.is_empty() || there.len() < theirs.len() {
                        return Ok(()); // they are not the same: all is read again
                    }
                    (tip, left) = (there.last(), others);
                }
            }
        }
        Ok(())
    }

    /// The store once had entries after its last. Who remembers them puts them back; where nobody does, the places are
    /// made free, but not by who has read nothing yet and can't tell.
    async fn clear_end(&self, read: &Chain, pen: &mut MultiplexedConnection) -> Result<(), Ending> {
        if !*self.shared.read.borrow() {
            return Err(StreamError::Chain(ChainFault::End).into());
        }
        self.make_anew(read, read.tip(), pen).await
    }

    async fn make_anew(
        &self,
        chain: &Chain,
        tip: Option<&Entry>,
        pen: &mut MultiplexedConnection,
    ) -> Result<(), Ending> {
        let all: Vec<_> = chain.after(0).cloned().collect();
        let (first, others) = all.split_at(all.len().min(PAGE));
        if stream::replace(pen, tip, first).await? != Appended::Done {
            return Ok(());
        }
        let mut tip = first.last();
        for some in others.chunks(PAGE) {
            if stream::append(pen, tip, some).await? != Appended::Done {
                return Ok(());
            }
            tip = some.last();
        }
        Ok(())
    }

    /// Entries that were heard. Our own are known.
    fn take(&mut self, entries: Vec<Entry>) -> Result<(), Ending> {
        let new = entries.into_iter().skip_while(|entry| self.chain.has(entry)).collect::<Vec<_>>();
        let now = self.shared.clock.since_epoch();
        let lags: Vec<_> = new.iter().map(|entry| now.saturating_sub(Duration::from_millis(entry.at_ms))).collect();
        let mut chain = std::mem::take(&mut self.chain);
        let taken = self.enforce(&mut chain, new);
        self.chain = chain;
        taken?;
        for lag in lags {
            self.shared.link.meter().came_after(lag);
        }
        Ok(())
    }

    /// Takes entries into a chain, and puts in force what they revoke.
    fn enforce(&self, chain: &mut Chain, entries: Vec<Entry>) -> Result<(), StreamError> {
        let (keys, now) = (self.shared.keys.load(), self.shared.clock.now());
        let oldest = now.minus(self.shared.keep);
        let mut revocations = Vec::with_capacity(entries.len());
        let mut taken = Ok(());
        for entry in entries {
            match chain.push(entry, &keys) {
                Ok(revocation) => revocations.push(not_later(revocation, now)),
                Err(fault) => {
                    taken = Err(fault.into());
                    break;
                }
            }
        }
        // Those before a fault are genuine.
        self.shared.revoked.add(revocations.into_iter().filter(|revocation| revocation.not_before >= oldest));
        taken
    }

    /// Adds these, and whatever else waits to be added.
    async fn share(&mut self, first: Sharing, pen: &mut MultiplexedConnection) -> Result<(), Ending> {
        let (mut revocations, mut waiting) = (first.revocations, vec![first.done]);
        while revocations.len() < MOST_AT_ONCE
            && let Ok(Sharing { revocations: more, done }) = self.queue.try_recv()
        {
            revocations.extend(more);
            waiting.push(done);
        }
        self.add(revocations, pen).await?;
        for done in waiting {
            let _ = done.send(()); // who does not wait any more does not mind
        }
        Ok(())
    }

    /// Adds what is in force here and not in the store.
    async fn pay(&mut self, pen: &mut MultiplexedConnection) -> Result<(), Ending> {
        let oldest = kept_from(self.shared.clock.now(), self.shared.keep);
        self.chain.forget(oldest);
        if self.shared.owed.swap(false, Ordering::SeqCst) {
            self.add(self.shared.revoked.records(), pen).await?;
        }
        Ok(())
    }

    async fn add(&mut self, revocations: Vec<Revocation>, pen: &mut MultiplexedConnection) -> Result<(), Ending> {
        let new = self.lacking(revocations);
        for some in new.chunks(PAGE) {
            self.add_some(some, pen).await?;
        }
        Ok(())
    }

    /// Those that the chain has not, and that are not too old for it, each once.
    fn lacking(&self, mut revocations: Vec<Revocation>) -> Vec<Revocation> {
        let oldest = self.shared.clock.now().minus(self.shared.keep);
        let mut seen: HashSet<RevocationId> = HashSet::new();
        revocations.retain(|one| one.not_before >= oldest && !self.chain.holds(&one.id) && seen.insert(one.id.clone()));
        revocations
    }

    async fn add_some(&mut self, revocations: &[Revocation], pen: &mut MultiplexedConnection) -> Result<(), Ending> {
        for _ in 0..MOST_CONFLICTS {
            let new = self.lacking(revocations.to_vec());
            if new.is_empty() {
                return Ok(());
            }
            let drafted = self.draft(&new);
            if drafted.is_empty() {
                return Err(Ending::Full);
            }
            match stream::append(pen, self.chain.tip(), &drafted).await? {
                Appended::Done => self.take_own(drafted)?,
                Appended::Conflict => self.give_way(pen).await?,
                Appended::Blocked => return Err(Ending::Lost),
            }
        }
        Err(Ending::Crowded)
    }

    fn draft(&self, revocations: &[Revocation]) -> Vec<Entry> {
        let now = self.shared.clock.now();
        let now_ms = u64::try_from(self.shared.clock.since_epoch().as_millis()).unwrap_or(u64::MAX);
        let kept_from = (self.clock_agrees == Some(true)).then(|| kept_from(now, self.shared.keep));
        self.chain.draft(revocations, Terms { keys: &self.shared.keys.load(), kept_from, now_ms })
    }

    fn take_own(&mut self, entries: Vec<Entry>) -> Result<(), Ending> {
        let mut chain = std::mem::take(&mut self.chain);
        let taken = self.enforce(&mut chain, entries);
        self.chain = chain;
        Ok(taken?)
    }

    /// Somebody else added something first: that comes before ours.
    async fn give_way(&mut self, pen: &mut MultiplexedConnection) -> Result<(), Ending> {
        let page = stream::page(pen, self.last_seq()).await?;
        if page.is_empty() {
            return Err(Ending::Lost);
        }
        self.take(page)
    }

    /// Whether the stream still ends with what is remembered, or goes on from there.
    async fn look(&mut self, pen: &mut MultiplexedConnection) -> Result<(), Ending> {
        self.compare_clocks(pen).await;
        let Standing { last, .. } = &stream::standing(pen).await.and_then(sound)?;
        let goes_on = last.as_ref().is_some_and(|last| last.seq > self.last_seq());
        if goes_on || last.as_ref() == self.chain.tip() { Ok(()) } else { Err(Ending::Lost) }
    }

    /// Whether calls would be answered: the same kind as they are, since a store may answer and take nothing.
    async fn probe(&mut self, line: &Connection) -> Result<(), Ending> {
        let mut command = cmd("SET");
        command.arg("stepgate:probe").arg(1).arg("PX").arg(PATIENCE.as_millis().to_string());
        match line.calls().send_packed_command(&command).await.and_then(Value::extract_error) {
            Ok(_) => self.unanswered = 0,
            Err(error) if error.is_timeout() => {
                self.shared.link.open();
                self.unanswered += 1;
                return if self.unanswered < MOST_UNANSWERED { Ok(()) } else { Err(Ending::Silent) };
            }
            Err(error) => return Err(Ending::Write(error)),
        }
        if !self.shared.link.is_up() {
            self.come_up(line);
        }
        Ok(())
    }

    /// Calls are made from now on. What was revoked until then is still to be shared.
    fn come_up(&mut self, line: &Connection) {
        self.shared.link.close(line.calls());
        self.shared.owe();
        self.failures = 0;
        self.told = None;
        tracing::info!(state = %self.shared.connector.url(), "the shared state is at hand");
    }

    /// A clock that is far from the store's may not say what is too old.
    async fn compare_clocks(&mut self, pen: &mut MultiplexedConnection) {
        let answer = pen.send_packed_command(&cmd("TIME")).await.and_then(Value::extract_error);
        let Some(theirs) = answer.ok().and_then(seconds) else {
            self.clock_agrees = None;
            return;
        };
        let ours = self.shared.clock.now();
        let agrees = ours.since(theirs) <= CLOCK_SKEW && theirs.since(ours) <= CLOCK_SKEW;
        if self.clock_agrees != Some(false) && !agrees {
            tracing::warn!(
                ours = ours.as_secs(),
                theirs = theirs.as_secs(),
                "the clocks of this host and of the shared state differ; set them, or revocations hold from the wrong time"
            );
        }
        self.clock_agrees = Some(agrees);
    }

    /// Says once what an operator might have set otherwise. A store that does not tell is not asked again.
    async fn advise(&mut self, pen: &mut MultiplexedConnection) {
        if std::mem::replace(&mut self.advised, true) {
            return;
        }
        if let Some(policy) = setting(pen, "maxmemory-policy").await.filter(|policy| policy != "noeviction") {
            tracing::warn!(
                policy,
                "the shared state gives up records when it is full: set maxmemory-policy noeviction"
            );
        }
        if setting(pen, "appendonly").await.is_some_and(|on| on == "no") {
            tracing::info!(
                "the shared state forgets everything when it restarts (appendonly no): replicas then put revocations back, but not grants and used proofs"
            );
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
    const fn is_disbelief(&self) -> bool {
        matches!(self, Self::Stream(StreamError::Chain(_) | StreamError::Answer(_)))
    }
}

/// A stream that looks as one does that nothing was done to.
fn sound(standing: Standing) -> Result<Standing, StreamError> {
    let is_sound = standing.is_without_gap() && standing.ends_at(standing.last.as_ref());
    if is_sound { Ok(standing) } else { Err(StreamError::Chain(ChainFault::End)) }
}

/// Nothing is revoked from a time that is yet to come, whatever the clock of another replica says: it would void what is
/// not issued yet.
fn not_later(mut revocation: Revocation, now: UnixTime) -> Revocation {
    let latest = now.plus(CLOCK_SKEW);
    if revocation.not_before > latest {
        tracing::warn!(id = %revocation.id, "a revocation is from the future, by the clock of another replica; it holds from now on");
        revocation.not_before = latest;
    }
    revocation
}

async fn setting(pen: &mut MultiplexedConnection, name: &str) -> Option<String> {
    let mut command = cmd("CONFIG");
    command.arg("GET").arg(name);
    let answer = pen.send_packed_command(&command).await.and_then(Value::extract_error).ok()?;
    let [_, value] = <[Value; 2]>::try_from(stream::array(answer).ok()?).ok()?;
    stream::text(value).ok()
}

/// `[seconds, microseconds]`.
fn seconds(answer: Value) -> Option<UnixTime> {
    let [seconds, _] = <[Value; 2]>::try_from(stream::array(answer).ok()?).ok()?;
    stream::text(seconds).ok()?.parse().ok().map(UnixTime::from_secs)
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
