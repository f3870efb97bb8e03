//! Why a call has no decision.

use super::authorize::Unavailable;
use super::grpc::Status;

/// What the chassis makes an answer of in the decision's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Undecided {
    /// It carries no `CheckRequest`: the one case for a gRPC status.
    NoRequest(Status),
    /// The service is asked what to answer.
    Unavailable(Unavailable),
}

impl From<Status> for Undecided {
    fn from(status: Status) -> Self {
        Self::NoRequest(status)
    }
}

impl From<Unavailable> for Undecided {
    fn from(why: Unavailable) -> Self {
        Self::Unavailable(why)
    }
}
