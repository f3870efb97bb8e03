//! Runs a connection's calls in the connection's own task, as far as they don't wait.
//!
//! **The contract on polls**, on which a service's `yield_now` rests: once a call has returned `Pending`, it is not polled
//! again before everything else that was ready on its worker has had a turn. So whatever stands between the executor and
//! the service (`check`) polls the service at most once in a poll of its own.

use hyper::rt::Executor;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Waker};

/// Polls each call once where it arrives, and gives a task of its own only to those that wait for something.
///
/// What this saves is the scheduling; what it gains is that answers can leave while their batch is still worked on.
/// A connection holds up the others of its worker for a batch at most, as it would with tasks.
#[derive(Clone, Copy, Debug)]
pub(super) struct AtOnce;

impl<F: Future<Output = ()> + Send + Unpin + 'static> Executor<F> for AtOnce {
    fn execute(&self, mut call: F) {
        // Nobody is woken by this poll, and nobody has to be: the task's first poll comes after it and registers anew.
        // A new task goes to the end of the worker's queue, as the contract asks.
        let mut unheard = Context::from_waker(Waker::noop());
        // A panic here would end the connection; caught, it resets its own stream only, as in a task.
        let poll = catch_unwind(AssertUnwindSafe(|| Pin::new(&mut call).poll(&mut unheard)));
        if poll.is_ok_and(|poll| poll.is_pending()) {
            tokio::spawn(call);
        }
    }
}
