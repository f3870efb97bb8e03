//! One call of `Check`: admission, deadline and panics around the service's decision.

use super::authorize::{Authorize, Call, Unavailable};
use super::grpc::{self, Status};
use super::in_flight::InFlight;
use super::reply::Reply;
use envoy_types::pb::envoy::service::auth::v3::CheckResponse;
use http::{Request, Response};
use hyper::body::Incoming;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Instant;
use tokio::time::timeout_at;

/// Answers one call: with a `CheckResponse`, unless it carries no `CheckRequest`.
pub(super) async fn answer<S: Authorize>(
    service: &S,
    in_flight: &InFlight,
    max_in_flight: usize,
    request: Request<Incoming>,
) -> Response<Reply> {
    let (head, body) = request.into_parts();
    if !grpc::is_grpc(&head) {
        return Reply::not_grpc();
    }
    let call = Call::new(head.headers, Instant::now());
    // Counted before the message is read, so that the bound also holds for the memory that messages take.
    let Some(_place) = in_flight.admit(max_in_flight) else {
        return Reply::answer(&service.unavailable(Unavailable::Overload, &call));
    };
    let decision = pin!(decide(service, &call, body));
    match within(call.deadline(), decision).await {
        Ok(Ok(response)) => Reply::answer(&response),
        Ok(Err(status)) => Reply::refusal(status),
        Err(why) => Reply::answer(&service.unavailable(why, &call)),
    }
}

async fn decide<S: Authorize>(service: &S, call: &Call, body: Incoming) -> Result<CheckResponse, Status> {
    let request = grpc::read(body).await?;
    Ok(service.check(*request, call).await)
}

/// What `work` comes to, if it does so before `deadline` and without a panic.
///
/// The work is borrowed, because an async function keeps room for what it was given and for what it made of it: moved
/// in, the call's future would be twice as large.
async fn within<F: Future>(deadline: Instant, mut work: Pin<&mut F>) -> Result<F::Output, Unavailable> {
    // Nearly all calls are decided at the first poll: only those that wait pay for a timer.
    let first = poll_fn(|cx| Poll::Ready(poll_caught(work.as_mut(), cx))).await;
    let outcome = match first {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => timeout_at(deadline.into(), poll_fn(|cx| poll_caught(work.as_mut(), cx)))
            .await
            .unwrap_or(Err(Unavailable::Deadline)),
    };
    if outcome.is_ok() && Instant::now() >= deadline {
        return Err(Unavailable::Deadline); // decided, but too late to count on
    }
    outcome
}

/// Polls once and turns a panic into a value. What panicked is not polled again, only dropped.
fn poll_caught<F: Future>(work: Pin<&mut F>, cx: &mut Context<'_>) -> Poll<Result<F::Output, Unavailable>> {
    match catch_unwind(AssertUnwindSafe(|| work.poll(cx))) {
        Ok(poll) => poll.map(Ok),
        Err(_) => Poll::Ready(Err(Unavailable::Panic)),
    }
}
