//! What the chassis carries: the service behind `envoy.service.auth.v3.Authorization/Check`.

use super::deadline;
use envoy_types::pb::envoy::service::auth::v3::{CheckRequest, CheckResponse};
use http::HeaderMap;
use std::future::Future;
use std::time::Instant;

/// Decides the calls that Envoy makes.
pub trait Authorize: Send + Sync + 'static {
    /// Decides one call. Never fails: whatever goes wrong is an answer.
    ///
    /// Dropped half-way when the deadline is about to pass or the caller is gone.
    fn check(&self, request: CheckRequest, call: &Call) -> impl Future<Output = CheckResponse> + Send;

    /// The answer where no decision could be made. Must not panic: nothing catches what it throws.
    fn unavailable(&self, why: Unavailable, call: &Call) -> CheckResponse;
}

/// Why the chassis asks for an answer without a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unavailable {
    /// The caller's deadline is about to pass.
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
}

impl Call {
    pub(super) fn new(headers: HeaderMap, received: Instant) -> Self {
        let deadline = received + deadline::patience(&headers);
        Self { headers, received, deadline }
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
}
