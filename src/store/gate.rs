//! The gate before cold signature checks, so that a flood of them can't starve calls that need none.
//!
//! A check takes some 50 µs of a core and can't be interrupted. Whoever has a turn first goes to the end of the runtime's
//! queue: between two checks everything else that is ready runs. More waiters than can be served in time are refused.

use crate::reason::Unavailable;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{Semaphore, SemaphorePermit};

/// Turns for costly work.
#[derive(Debug)]
pub struct Gate {
    turns: Semaphore,
    waiting: AtomicUsize,
    max_waiting: usize,
}

/// The right to do one costly thing; given back when dropped.
#[derive(Debug)]
pub struct Turn<'g> {
    _permit: SemaphorePermit<'g>,
}

impl Gate {
    /// What two cores check in about 25 ms: nobody waits longer than Envoy's patience for what can't be served in it.
    pub const DEFAULT_MAX_WAITING: usize = 1_024;

    /// As many turns at a time as there are threads to use them.
    pub fn new(turns: usize, max_waiting: usize) -> Self {
        Self { turns: Semaphore::new(turns), waiting: AtomicUsize::new(0), max_waiting }
    }

    pub async fn turn(&self) -> Result<Turn<'_>, Unavailable> {
        let waiting = Waiting::enter(self)?;
        let permit = self.turns.acquire().await.map_err(|_| Unavailable::Overload)?;
        drop(waiting);
        // A task of its own goes to the end of the queue and can't be skipped; `yield_now` is over as soon as somebody polls
        // twice. That it ran is all there is to know.
        let _ = tokio::spawn(std::future::ready(())).await;
        Ok(Turn { _permit: permit })
    }
}

/// A place in the queue, also given back when the call is dropped half-way.
struct Waiting<'g>(&'g Gate);

impl<'g> Waiting<'g> {
    fn enter(gate: &'g Gate) -> Result<Self, Unavailable> {
        let place = Self(gate);
        if gate.waiting.fetch_add(1, Ordering::Relaxed) < gate.max_waiting {
            Ok(place)
        } else {
            Err(Unavailable::Overload)
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    #[tokio::test]
    async fn more_than_the_gate_holds_are_refused_at_once() {
        let gate = Gate::new(1, 1);
        let first = gate.turn().await.unwrap();
        let second = gate.turn();
        let mut second = std::pin::pin!(second);
        assert!(std::future::poll_fn(|cx| std::task::Poll::Ready(second.as_mut().poll(cx).is_pending())).await);
        assert_eq!(gate.turn().await.unwrap_err(), Unavailable::Overload);
        drop(first);
        assert!(second.await.is_ok());
        assert!(gate.turn().await.is_ok());
    }

    #[tokio::test]
    async fn a_caller_who_gives_up_leaves_the_queue() {
        let gate = Gate::new(1, 1);
        let first = gate.turn().await.unwrap();
        {
            let mut given_up = std::pin::pin!(gate.turn());
            std::future::poll_fn(|cx| std::task::Poll::Ready(given_up.as_mut().poll(cx).is_pending())).await;
        }
        drop(first);
        assert!(gate.turn().await.is_ok());
    }

    #[tokio::test(flavor = "current_thread")]
    async fn polling_twice_gives_no_turn() {
        let gate = Gate::new(1, 1);
        let mut turn = std::pin::pin!(gate.turn());
        let pending = std::future::poll_fn(|cx| {
            let polls = [turn.as_mut().poll(cx).is_pending(), turn.as_mut().poll(cx).is_pending()];
            std::task::Poll::Ready(polls)
        });
        assert_eq!(pending.await, [true, true]);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn whatever_is_ready_runs_between_two_checks() {
        let gate = Arc::new(Gate::new(1, 100));
        let routine_ran = Arc::new(AtomicBool::new(false));
        let costly: Vec<_> = (0..50)
            .map(|_| {
                let (gate, routine_ran) = (Arc::clone(&gate), Arc::clone(&routine_ran));
                tokio::spawn(async move {
                    let _turn = gate.turn().await.unwrap();
                    routine_ran.load(Ordering::SeqCst)
                })
            })
            .collect();
        let flag = Arc::clone(&routine_ran);
        tokio::spawn(async move { flag.store(true, Ordering::SeqCst) });
        let mut before = 0;
        for check in costly {
            before += usize::from(!check.await.unwrap());
        }
        assert!(before <= 1, "{before} checks ran before a routine call that was ready");
    }
}
