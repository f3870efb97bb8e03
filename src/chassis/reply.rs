//! The bodies of the answers, without a box around the one that matters.

use super::grpc::{self, Status};
use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode, header};
use http_body::{Body, Frame};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio_util::sync::WaitForCancellationFutureOwned;

pub(super) const SHUTTING_DOWN: &str = "the server is shutting down";

/// The rest of an answer, after its headers.
#[derive(Debug)]
pub(super) enum Reply {
    /// One message, then the trailers.
    Message(Bytes),
    Trailers(HeaderMap),
    /// What tonic's health service answers; a watch of it ends when the drain begins.
    Health(tonic::body::Body, Pin<Box<WaitForCancellationFutureOwned>>),
    /// Nothing: all was said in the headers.
    End,
}

impl Reply {
    /// An answered check: the message, and status 0 in the trailers.
    pub(super) fn answer(message: &impl prost::Message) -> Response<Self> {
        grpc_response(Self::Message(grpc::frame(message)))
    }

    /// A call that carried no check. Everything stands in the headers.
    pub(super) fn refusal(status: Status) -> Response<Self> {
        let mut response = grpc_response(Self::End);
        status.write_to(response.headers_mut());
        response
    }

    /// A request that isn't gRPC is told so in HTTP's words.
    pub(super) fn not_grpc() -> Response<Self> {
        let mut response = Response::new(Self::End);
        *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        response.headers_mut().insert("accept-post", grpc::CONTENT_TYPE);
        response
    }
}

fn grpc_response(reply: Reply) -> Response<Reply> {
    let mut response = Response::new(reply);
    response.headers_mut().insert(header::CONTENT_TYPE, grpc::CONTENT_TYPE);
    response
}

impl Body for Reply {
    type Data = Bytes;
    type Error = tonic::Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, tonic::Status>>> {
        match std::mem::replace(&mut *self, Self::End) {
            Self::Message(message) => {
                *self = Self::Trailers(grpc::ok_trailers());
                Poll::Ready(Some(Ok(Frame::data(message))))
            }
            Self::Trailers(trailers) => Poll::Ready(Some(Ok(Frame::trailers(trailers)))),
            Self::Health(mut body, mut drain) => {
                let frame = Pin::new(&mut body).poll_frame(cx);
                if frame.is_pending() && drain.as_mut().poll(cx).is_ready() {
                    let mut trailers = HeaderMap::new();
                    Status::Unavailable(SHUTTING_DOWN).write_to(&mut trailers);
                    return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
                }
                *self = Self::Health(body, drain);
                frame
            }
            Self::End => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Health(body, _) => body.is_end_stream(),
            Self::End => true,
            Self::Message(_) | Self::Trailers(_) => false,
        }
    }
}
