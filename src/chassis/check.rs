//! One call of `Check`: admission, deadline and panics around the service's decision.

use super::authorize::{Authorize, Call, Unavailable};
use super::connection::Shared;
use super::grpc;
use super::reply::Reply;
use super::undecided::Undecided;
use http::{Request, Response};
use hyper::body::Incoming;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Instant;
use tokio::task::unconstrained;
use tokio::time::sleep_until;

/// Answers one call: with a `CheckResponse`, unless it carries no `CheckRequest`.
pub(super) async fn answer<S: Authorize>(shared: &Shared<S>, request: Request<Incoming>) -> Response<Reply> {
    let service = &*shared.service;
    let (head, body) = request.into_parts();
    if !grpc::is_grpc(&head) {
        return Reply::not_grpc();
    }
    let call = Call::new(head.headers, Instant::now());
    // Counted before the message is read, so that the bound also holds for the memory that small messages take.
    let Some(_place) = shared.in_flight.admit(shared.limits.max_in_flight) else {
        return Reply::answer(&service.unavailable(Unavailable::Overload, &call));
    };
    let decision = pin!(decide(shared, &call, body));
    let why = match within(call.deadline(), decision).await {
        Ok(Ok(response)) if call.waits_for_answer() => return response,
        Ok(Ok(_)) => Unavailable::Deadline, // decided, but too late to count on
        Ok(Err(Undecided::NoRequest(status))) => return Reply::refusal(status),
        Ok(Err(Undecided::Unavailable(why))) | Err(why) => why,
    };
    Reply::answer(&service.unavailable(why, &call))
}

/// The answer is encoded here, so that a panic there and the time it takes count as the decision's.
async fn decide<S: Authorize>(shared: &Shared<S>, call: &Call, body: Incoming) -> Result<Response<Reply>, Undecided> {
    let mut held = shared.messages.share(); // until the decision is made: what was decoded takes room as well
    let request = grpc::read(body, &mut held).await?;
    Ok(Reply::answer(&shared.service.check(*request, call).await?))
}

/// What `work` comes to, without a panic and without waiting beyond `deadline`.
///
/// The work is borrowed, because an async function keeps room for what it was given and for what it made of it: moved
/// in, the call's future would be twice as large.
async fn within<F: Future>(deadline: Instant, mut work: Pin<&mut F>) -> Result<F::Output, Unavailable> {
    let mut timer = pin!(None);
    poll_fn(|cx| {
        // The only poll of the work in this one (`executor`): the timer is polled without it.
        if let Poll::Ready(outcome) = poll_caught(work.as_mut(), cx) {
            return Poll::Ready(outcome);
        }
        if timer.is_none() {
            // Nearly all calls are decided at the first poll: only those that wait pay for a timer. It fires also where
            // the work has used up what a task may do in one turn.
            timer.set(Some(unconstrained(sleep_until(deadline.into()))));
        }
        let passed = timer.as_mut().as_pin_mut().is_some_and(|timer| timer.poll(cx).is_ready());
        if passed { Poll::Ready(Err(Unavailable::Deadline)) } else { Poll::Pending }
    })
    .await
}

/// Polls once and turns a panic into a value. What panicked is not polled again, only dropped.
fn poll_caught<F: Future>(work: Pin<&mut F>, cx: &mut Context<'_>) -> Poll<Result<F::Output, Unavailable>> {
    match catch_unwind(AssertUnwindSafe(|| work.poll(cx))) {
        Ok(poll) => poll.map(Ok),
        Err(_) => Poll::Ready(Err(Unavailable::Panic)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::task::Waker;
    use std::time::Duration;

    fn in_a_second() -> Instant {
        Instant::now() + Duration::from_secs(1)
    }

    #[tokio::test]
    async fn what_waits_is_polled_once_a_poll() {
        let polls = Cell::new(0);
        let work = poll_fn(|_| {
            polls.set(polls.get() + 1);
            Poll::<()>::Pending
        });
        let work = pin!(work);
        let mut call = pin!(within(in_a_second(), work));
        for expected in 1..=3 {
            assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            assert_eq!(polls.get(), expected);
        }
    }

    #[tokio::test]
    async fn what_never_stops_working_is_ended_by_its_deadline() {
        let busy = async {
            loop {
                tokio::task::consume_budget().await;
            }
        };
        let outcome: Result<(), _> = within(Instant::now() + Duration::from_millis(20), pin!(busy)).await;
        assert_eq!(outcome, Err(Unavailable::Deadline));
    }
}
