//! What the chassis carries: the service behind `envoy.service.auth.v3.Authorization/Check`.

use super::deadline::Patience;
use envoy_types::pb::envoy::service::auth::v3::CheckRequest;
use http::HeaderMap;
use std::future::Future;
use std::time::Instant;

/// Decides the calls that Envoy makes.
pub trait Authorize: Send + Sync + 'static {
    /// A `CheckResponse`, or what is the same on the wire.
    type Answer: prost::Message;

    /// Decides one call. An error says that no decision was made, and that nothing was counted or logged as one: the
    /// chassis then answers with what [`Authorize::unavailable`] says.
    ///
    /// Dropped half-way when the deadline is about to pass or the caller is gone. Work that doesn't wait can't be dropped,
    /// so [`Call::in_time`] is to be asked once the decision is made and before anybody is told of it.
    fn check(
        &self,
        request: CheckRequest,
        call: &Call,
    ) -> impl Future<Output = Result<Self::Answer, Unavailable>> + Send;

    /// The answer where no decision was made. Must not panic: nothing catches what it throws.
    fn unavailable(&self, why: Unavailable, call: &Call) -> Self::Answer;
}

/// Why the chassis asks for an answer without a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unavailable {
    /// The caller's deadline is about to pass, or has passed.
    Deadline,
    /// As many calls as may be in flight already are.
    Overload,
    /// The decision panicked.
    Panic,
}

/// What is known of a call besides its message.
#[derive(Debug)]
pub struct Call {
    headers: HeaderMap,
    received: Instant,
    deadline: Instant,
    answer_by: Instant,
}

impl Call {
    pub(super) fn new(headers: HeaderMap, received: Instant) -> Self {
        let patience = Patience::of(&headers);
        Self { headers, received, deadline: received + patience.decision, answer_by: received + patience.answer }
    }

    /// The gRPC metadata that Envoy sent with the call, such as its trace context. Not the client's headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// When the call's headers had arrived.
    pub fn received(&self) -> Instant {
        self.received
    }

    /// When the chassis stops waiting for the decision: a little before the caller does.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }
    /// An error when the deadline has passed. A decision that was in time is also given, if it is concluded within a few
    /// milliseconds: so what is counted and logged is what Envoy hears.
    pub fn in_time(&self) -> Result<(), Unavailable> {
        if Instant::now() < self.deadline { Ok(()) } else { Err(Unavailable::Deadline) }
    }

    /// Whether an answer that is complete now may still be given.
    pub(super) fn waits_for_answer(&self) -> bool {
        Instant::now() < self.answer_by
    }
}
