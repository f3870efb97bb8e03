use crate::support::{CHECK, Server, check_request, framed, framed_request, raw_request, send};
use bytes::Bytes;
use envoy_types::pb::envoy::service::auth::v3::CheckRequest;
use http::{Method, StatusCode};
use http_body::Frame;
use http_body_util::{Full, StreamBody};
use prost::Message;
use std::convert::Infallible;
use tonic::Request;
use tonic::codegen::tokio_stream;

const MIB: usize = 1024 * 1024;

#[tokio::test]
async fn a_check_is_answered_with_the_services_response() {
    let server = Server::start().await;
    let response = server.client().await.check(check_request("/")).await.unwrap().into_inner();
    assert_eq!(response.status.unwrap().message, "decided");
}

#[tokio::test]
async fn the_service_sees_the_calls_metadata() {
    let server = Server::start().await;
    let mut request = Request::new(check_request("/metadata"));
    request.metadata_mut().insert("x-said", "00-trace-parent".parse().unwrap());
    let response = server.client().await.check(request).await.unwrap().into_inner();
    assert_eq!(response.status.unwrap().message, "00-trace-parent");
}

#[tokio::test]
async fn as_much_metadata_passes_as_envoy_takes_from_a_client() {
    let server = Server::start().await;
    let mut request = raw_request(CHECK, Full::new(framed_request("/metadata")));
    request.headers_mut().insert("x-said", "still read".parse().unwrap());
    for n in 0..50 {
        request.headers_mut().append("baggage", format!("member-{n}={}", "x".repeat(1024)).parse().unwrap());
    }
    assert_eq!(send(&server, request).await.said(), "still read");
}

#[tokio::test]
async fn a_message_without_bytes_is_a_check_request() {
    let server = Server::start().await;
    let answer = send(&server, raw_request(CHECK, Full::new(Bytes::from_static(&[0; 5])))).await;
    assert_eq!(answer.said(), "decided");
}

#[tokio::test]
async fn a_message_in_pieces_is_read_whole() {
    let server = Server::start().await;
    let whole = framed_request("/a/path/that/is/cut/anywhere");
    let pieces: Vec<Result<Frame<Bytes>, Infallible>> =
        whole.chunks(3).map(|piece| Ok(Frame::data(Bytes::copy_from_slice(piece)))).collect();
    let body = StreamBody::new(tokio_stream::iter(pieces));
    assert_eq!(send(&server, raw_request(CHECK, body)).await.said(), "decided");
}

#[tokio::test]
async fn what_is_no_single_check_request_gets_a_grpc_status() {
    let server = Server::start().await;
    let good = framed_request("/");
    let cases: [(&str, Vec<u8>, &str); 8] = [
        ("nothing", vec![], "3"),
        ("half a prefix", vec![0, 0], "3"),
        ("half a message", good[..good.len() - 1].to_vec(), "3"),
        ("two messages", [&good[..], &good[..]].concat(), "3"),
        ("garbage", framed(0, b"\xff\xff\xff\xff").to_vec(), "3"),
        ("unknown flags", framed(2, b"").to_vec(), "3"),
        ("a compressed message", framed(1, b"").to_vec(), "12"),
        ("a message announced too large", vec![0, 1, 0, 0, 1], "8"),
    ];
    for (what, body, status) in cases {
        let answer = send(&server, raw_request(CHECK, Full::from(body))).await;
        assert_eq!((answer.http, answer.grpc.unwrap()), (StatusCode::OK, status.parse().unwrap()), "{what}");
    }
}

/// A `CheckRequest` of exactly this many bytes.
fn check_request_of(bytes: usize) -> CheckRequest {
    let around = check_request(&"x".repeat(16 * MIB - 100)).encoded_len() - (16 * MIB - 100);
    let request = check_request(&"x".repeat(bytes - around));
    assert_eq!(request.encoded_len(), bytes);
    request
}

#[tokio::test]
async fn sixteen_mebibytes_pass_and_not_a_byte_more() {
    let server = Server::start().await;
    for (bytes, status) in [(16 * MIB, "0"), (16 * MIB + 1, "8")] {
        let body = framed(0, &check_request_of(bytes).encode_to_vec());
        let answer = send(&server, raw_request(CHECK, Full::new(body))).await;
        assert_eq!(answer.grpc.unwrap(), status, "{bytes} bytes");
    }
}

#[tokio::test]
async fn a_message_that_outgrows_its_announced_length_is_not_kept() {
    let server = Server::start().await;
    let body = [&framed(0, b"")[..], &vec![0; 17 * MIB]].concat();
    let answer = send(&server, raw_request(CHECK, Full::from(body))).await;
    assert_eq!(answer.grpc.unwrap(), "8");
}

#[tokio::test]
async fn other_methods_are_unimplemented() {
    let server = Server::start().await;
    for path in ["/", "/envoy.service.auth.v3.Authorization/Other", "/envoy.service.auth.v2.Authorization/Check"] {
        let answer = send(&server, raw_request(path, Full::new(framed_request("/")))).await;
        assert_eq!(answer.grpc.unwrap(), "12", "{path}");
    }
}

#[tokio::test]
async fn what_is_not_grpc_is_refused_in_http() {
    let server = Server::start().await;
    let mut get = raw_request(CHECK, Full::new(framed_request("/")));
    *get.method_mut() = Method::GET;
    let mut json = raw_request(CHECK, Full::new(framed_request("/")));
    json.headers_mut().insert("content-type", "application/grpc+json".parse().unwrap());
    let mut untyped = raw_request(CHECK, Full::new(framed_request("/")));
    untyped.headers_mut().remove("content-type");
    for request in [get, json, untyped] {
        let answer = send(&server, request).await;
        assert_eq!((answer.http, answer.grpc), (StatusCode::UNSUPPORTED_MEDIA_TYPE, None));
    }
}

#[tokio::test]
async fn the_protobuf_content_type_is_grpc_too() {
    let server = Server::start().await;
    for content_type in ["application/grpc+proto", "application/grpc; charset=utf-8"] {
        let mut request = raw_request(CHECK, Full::new(framed_request("/")));
        request.headers_mut().insert("content-type", content_type.parse().unwrap());
        assert_eq!(send(&server, request).await.said(), "decided", "{content_type}");
    }
}
