//! gRPC over HTTP/2 as far as a unary method needs it: one message in, one message out, a status in the trailers.
//!
//! Not here: compression, streaming, and statuses other than those that the chassis answers with.
//! <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>

use super::budget::Share;
use super::undecided::Undecided;
use bytes::{BufMut, Bytes, BytesMut};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use http_body::Body;
use http_body_util::BodyExt;
use prost::Message;

/// The largest message that is read: Envoy's `max_request_bytes` and all its attributes stay far below.
pub(super) const MAX_MESSAGE: usize = 16 * 1024 * 1024;

/// A flag byte and four bytes of length stand before each message.
const PREFIX: usize = 5;

/// What the chassis itself has to say about a call that carries no `CheckRequest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    InvalidArgument(&'static str),
    ResourceExhausted(&'static str),
    Unimplemented(&'static str),
    Unavailable(&'static str),
}

impl Status {
    /// The headers (or trailers) that carry it.
    pub(super) fn write_to(self, headers: &mut HeaderMap) {
        let (code, message) = match self {
            Self::InvalidArgument(message) => ("3", message),
            Self::ResourceExhausted(message) => ("8", message),
            Self::Unimplemented(message) => ("12", message),
            Self::Unavailable(message) => ("14", message),
        };
        headers.insert(GRPC_STATUS, HeaderValue::from_static(code));
        headers.insert(GRPC_MESSAGE, HeaderValue::from_static(message));
    }
}

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
pub(super) const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("application/grpc");

/// The trailers of a call that was answered.
pub(super) fn ok_trailers() -> HeaderMap {
    let mut trailers = HeaderMap::with_capacity(1);
    trailers.insert(GRPC_STATUS, HeaderValue::from_static("0"));
    trailers
}

/// Whether a request is gRPC with protobuf messages.
pub(super) fn is_grpc(head: &Parts) -> bool {
    head.method == Method::POST
        && head.headers.get(header::CONTENT_TYPE).is_some_and(|value| {
            let essence = value.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
            matches!(essence.trim_ascii_end(), b"application/grpc" | b"application/grpc+proto")
        })
}

/// Reads the one message of a unary call, and holds the room for it where it is large. A `CheckRequest` takes a kilobyte
/// even when it is small, so it is made where it stays.
pub(super) async fn read<M, B>(body: B, held: &mut Share<'_>) -> Result<Box<M>, Undecided>
where
    M: Message + Default,
    B: Body<Data = Bytes> + Unpin,
{
    let message = unframe(gather(body, held).await?)?;
    let mut decoded = Box::<M>::default();
    decoded.merge(message).map_err(|_| Status::InvalidArgument("the message can't be decoded"))?;
    Ok(decoded)
}

/// The body in one piece, as long as it can be one message.
async fn gather<B: Body<Data = Bytes> + Unpin>(mut body: B, held: &mut Share<'_>) -> Result<Bytes, Undecided> {
    let first = next_data(&mut body).await?.unwrap_or_default();
    refuse_oversize(&first)?;
    if body.is_end_stream() {
        return Ok(first); // the usual case: all in one frame, nothing to copy
    }
    held.grow(first.len())?;
    let mut whole = BytesMut::from(first);
    while let Some(data) = next_data(&mut body).await? {
        held.grow(data.len())?;
        whole.extend_from_slice(&data);
        refuse_oversize(&whole)?;
    }
    Ok(whole.freeze())
}

/// The next bytes of the body; request trailers say nothing that matters here.
async fn next_data<B: Body<Data = Bytes> + Unpin>(body: &mut B) -> Result<Option<Bytes>, Status> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Status::InvalidArgument("the request was cut short"))?;
        if let Ok(data) = frame.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

/// Refuses what is too large, or says that it will be, before more of it is kept.
fn refuse_oversize(body: &[u8]) -> Result<(), Status> {
    let announced = prefix(body).map_or(0, |(_, length)| length);
    if announced > MAX_MESSAGE || body.len() > PREFIX + MAX_MESSAGE {
        return Err(Status::ResourceExhausted("the message is larger than 16 MiB"));
    }
    Ok(())
}

/// The bytes of exactly one message.
fn unframe(mut body: Bytes) -> Result<Bytes, Status> {
    let Some((flag, length)) = prefix(&body) else {
        return Err(Status::InvalidArgument("the request holds no message"));
    };
    match flag {
        0 => {}
        1 => return Err(Status::Unimplemented("messages must not be compressed")),
        _ => return Err(Status::InvalidArgument("the message's flags are unknown")),
    }
    let message = body.split_off(PREFIX);
    if message.len() != length {
        return Err(Status::InvalidArgument("the request holds more or less than one message"));
    }
    Ok(message)
}

/// The flags and the announced length of the message that begins here.
fn prefix(body: &[u8]) -> Option<(u8, usize)> {
    let (&[flag, a, b, c, d], _) = body.split_first_chunk::<PREFIX>()?;
    Some((flag, usize::try_from(u32::from_be_bytes([a, b, c, d])).ok()?))
}

/// A message behind its prefix, in one allocation.
pub(super) fn frame<M: Message>(message: &M) -> Bytes {
    let length = message.encoded_len();
    let mut framed = Vec::with_capacity(PREFIX + length);
    framed.put_u8(0);
    #[expect(clippy::cast_possible_truncation, reason = "prost can't encode 4 GiB: its own lengths end there")]
    framed.put_u32(length as u32);
    message.encode_raw(&mut framed);
    framed.into()
}
