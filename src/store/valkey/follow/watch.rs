//! Looks again and again whether all still stands: the end of the stream, calls, clocks, settings.

use super::{CLOCK_SKEW, Ending, Follower, MOST_UNANSWERED, PATIENCE};
use crate::store::valkey::chain::ChainFault;
use crate::store::valkey::connect::Connection;
use crate::store::valkey::stream::{self, Standing, StreamError};
use crate::time::UnixTime;
use redis::aio::MultiplexedConnection;
use redis::{Value, cmd};

impl Follower {
    /// Whether the stream still ends with what is remembered, or goes on from there.
    pub(super) async fn look(&mut self, pen: &mut MultiplexedConnection) -> Result<(), Ending> {
        self.compare_clocks(pen).await;
        let Standing { last, .. } = &stream::standing(pen).await.and_then(sound)?;
        let goes_on = last.as_ref().is_some_and(|last| last.seq > self.last_seq());
        if goes_on || last.as_ref() == self.chain.tip() { Ok(()) } else { Err(Ending::Lost) }
    }

    /// Whether calls would be answered: the same kind as they are, since a store may answer and take nothing.
    pub(super) async fn probe(&mut self, line: &Connection) -> Result<(), Ending> {
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
    pub(super) async fn compare_clocks(&mut self, pen: &mut MultiplexedConnection) {
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
    pub(super) async fn advise(&mut self, pen: &mut MultiplexedConnection) {
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
}

/// A stream that looks as one does that nothing was done to.
fn sound(standing: Standing) -> Result<Standing, StreamError> {
    let is_sound = standing.is_without_gap() && standing.ends_at(standing.last.as_ref());
    if is_sound { Ok(standing) } else { Err(StreamError::Chain(ChainFault::End)) }
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
