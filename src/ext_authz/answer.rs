//! The two constructors of an answer. A `CheckResponse` without a status *allows*, so nobody else makes one.

use super::passage::Passage;
use crate::decision::Permit;
use envoy_types::pb::envoy::config::core::v3::header_value_option::HeaderAppendAction;
use envoy_types::pb::envoy::config::core::v3::{HeaderValue, HeaderValueOption};
use envoy_types::pb::envoy::service::auth::v3::DeniedHttpResponse;
use envoy_types::pb::envoy::r#type::v3::HttpStatus;
use envoy_types::pb::google::rpc::Status;
use tonic::Code;

/// A `CheckResponse` as it goes over the wire, its larger parts already encoded: on the wire a message within a message
/// and bytes are the same.
#[derive(Clone, PartialEq, prost::Message)]
pub struct CheckAnswer {
    #[prost(message, optional, tag = "1")]
    status: Option<Status>,
    #[prost(message, optional, tag = "2")]
    denied: Option<DeniedHttpResponse>,
    /// An `OkHttpResponse`.
    #[prost(bytes = "vec", optional, tag = "3")]
    passage: Option<Vec<u8>>,
    /// A `google.protobuf.Struct`.
    #[prost(bytes = "vec", tag = "4")]
    dynamic_metadata: Vec<u8>,
}

/// Headers in the order in which they are sent.
pub type HeaderList = Vec<(&'static str, String)>;

/// Lets a request pass, on the authority of a permit.
pub fn allowed(_permit: &Permit, passage: Passage, metadata: Vec<u8>) -> CheckAnswer {
    CheckAnswer {
        status: Some(Status { code: Code::Ok.into(), ..Status::default() }),
        denied: None,
        passage: Some(passage.into_bytes()),
        dynamic_metadata: metadata,
    }
}

/// Answers in the upstream's place. The gRPC status is never OK, whatever the HTTP status is.
pub fn denied(status: u16, headers: HeaderList, body: String, metadata: Vec<u8>) -> CheckAnswer {
    let code = match status {
        401 => Code::Unauthenticated,
        400 => Code::InvalidArgument,
        429 => Code::ResourceExhausted,
        503 => Code::Unavailable,
        _ => Code::PermissionDenied,
    };
    let response =
        DeniedHttpResponse { status: Some(HttpStatus { code: i32::from(status) }), headers: options(headers), body };
    CheckAnswer {
        status: Some(Status { code: code.into(), ..Status::default() }),
        denied: Some(response),
        passage: None,
        dynamic_metadata: metadata,
    }
}

/// Envoy's default is to append, which would let a client's own value stand beside ours.
fn options(headers: HeaderList) -> Vec<HeaderValueOption> {
    headers
        .into_iter()
        .map(|(name, value)| HeaderValueOption {
            header: Some(HeaderValue { key: name.to_owned(), value, ..HeaderValue::default() }),
            append_action: HeaderAppendAction::OverwriteIfExistsOrAdd.into(),
            ..HeaderValueOption::default()
        })
        .collect()
}
