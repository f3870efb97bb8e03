//! What calls wait for: one connection, a few tens of milliseconds, and a circuit. After some failures in a row nobody
//! waits any more until the follower found that the store answers again. Who calls never connects.

use super::meter::{StateMeter, StateOp, StateOutcome};
use arc_swap::ArcSwapOption;
use redis::aio::MultiplexedConnection;
use redis::{Cmd, Pipeline, RedisError, RedisResult, Value};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

/// The shared state can't be asked now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the shared state is away")]
pub struct Away;

/// How long one call waits. A store nearby answers in less than one.
pub(super) const CALL_PATIENCE: Duration = Duration::from_millis(50);
/// So many calls in a row that failed are not by chance.
const FAILURES_THAT_OPEN: u32 = 3;

type Line = Arc<MultiplexedConnection>;

pub(super) struct Link {
    /// Nothing while the circuit is open.
    calls: ArcSwapOption<MultiplexedConnection>,
    failures: AtomicU32,
    opened: Notify,
    meter: StateMeter,
}

impl Link {
    pub(super) fn new(meter: StateMeter) -> Self {
        meter.is_up(false);
        Self { calls: ArcSwapOption::empty(), failures: AtomicU32::new(0), opened: Notify::new(), meter }
    }

    pub(super) fn is_up(&self) -> bool {
        self.calls.load().is_some()
    }

    /// From now on calls are made on this.
    pub(super) fn close(&self, calls: MultiplexedConnection) {
        self.failures.store(0, Ordering::Relaxed);
        self.calls.store(Some(Arc::new(calls)));
        self.meter.is_up(true);
    }

    /// From now on no calls are made.
    pub(super) fn open(&self) {
        self.meter.is_up(false);
        self.calls.store(None);
    }

    /// Waits until calls failed so often that none are made any more.
    pub(super) async fn opened(&self) {
        self.opened.notified().await;
    }

    pub(super) async fn call(&self, op: StateOp, command: &Cmd) -> Result<Value, Away> {
        let line = self.line(op)?;
        let answer = MultiplexedConnection::clone(&line).send_packed_command(command).await;
        self.conclude(op, line, answer.and_then(Value::extract_error))
    }

    /// All of these, in this order, but not as one.
    pub(super) async fn call_all(&self, op: StateOp, commands: &Pipeline) -> Result<Vec<Value>, Away> {
        let line = self.line(op)?;
        let answers = MultiplexedConnection::clone(&line).send_packed_commands(commands, 0, commands.len()).await;
        let answers: RedisResult<Vec<_>> =
            answers.and_then(|answers| answers.into_iter().map(Value::extract_error).collect());
        self.conclude(op, line, answers)
    }

    /// An operation that is not made because the state is away.
    pub(super) fn refuse(&self, op: StateOp) -> Away {
        self.meter.count(op, StateOutcome::Open);
        Away
    }

    pub(super) const fn meter(&self) -> &StateMeter {
        &self.meter
    }

    fn line(&self, op: StateOp) -> Result<Line, Away> {
        self.calls.load_full().ok_or_else(|| self.refuse(op))
    }

    fn conclude<T>(&self, op: StateOp, line: Line, answer: RedisResult<T>) -> Result<T, Away> {
        match answer {
            Ok(answer) => {
                self.failures.store(0, Ordering::Relaxed);
                self.meter.count(op, StateOutcome::Ok);
                Ok(answer)
            }
            Err(error) => {
                self.meter.count(op, StateOutcome::Failed);
                self.note_failure(op, line, &error);
                Err(Away)
            }
        }
    }

    fn note_failure(&self, op: StateOp, line: Line, error: &RedisError) {
        if is_of_another_kind(error) {
            return; // that is about one key, and says nothing of others
        }
        let failures = self.failures.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        if failures < FAILURES_THAT_OPEN && !error.is_connection_dropped() {
            return;
        }
        // Who was late on a line that was given up says nothing of the new one.
        let line = Some(line);
        let current = self.calls.compare_and_swap(&line, None);
        if current.as_ref().zip(line.as_ref()).is_some_and(|(current, line)| Arc::ptr_eq(current, line)) {
            self.meter.is_up(false);
            tracing::warn!(op = op.as_str(), %error, "calls to the shared state fail; none are made until it answers again");
            self.opened.notify_one();
        }
    }
}

/// Whether somebody wrote something else where ours should be.
pub(super) fn is_of_another_kind(error: &RedisError) -> bool {
    error.code() == Some("WRONGTYPE")
}
