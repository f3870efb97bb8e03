use crate::support::{CHECK, RawRequest, Server, check_request, eventually, framed_request, raw_request, send};
use bytes::Bytes;
use http_body::Frame;
use http_body_util::{Full, StreamBody};
use std::convert::Infallible;
use std::num::NonZeroUsize;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tonic::Request;
use tonic::codegen::tokio_stream::{self, StreamExt};

fn with_timeout(timeout: &str, path: &str) -> RawRequest {
    let mut request = raw_request(CHECK, Full::new(framed_request(path)));
    request.headers_mut().insert("grpc-timeout", timeout.parse().unwrap());
    request
}

#[tokio::test]
async fn a_call_that_takes_too_long_is_answered_all_the_same() {
    let server = Server::start().await;
    let sent = Instant::now();
    assert_eq!(send(&server, with_timeout("100m", "/never")).await.said(), "deadline");
    let taken = sent.elapsed();
    assert!(taken >= Duration::from_millis(95), "{taken:?}");
    assert!(taken < Duration::from_secs(5), "{taken:?}"); // a busy machine may be late, but not by this much
    assert_eq!(server.in_flight.count(), 0);
}

#[tokio::test]
async fn a_decision_made_too_late_is_neither_concluded_nor_given() {
    let server = Server::start().await;
    let answer = send(&server, with_timeout("50m", "/block")).await;
    assert_eq!(answer.said(), "deadline");
    assert!(server.service.answered_by.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_decision_concluded_too_late_is_not_given() {
    let server = Server::start().await;
    let answer = send(&server, with_timeout("50m", "/conclude-slowly")).await;
    assert_eq!(answer.said(), "deadline");
}

#[tokio::test]
async fn a_message_that_never_ends_is_answered_at_the_deadline() {
    let server = Server::start().await;
    let begun = Ok::<_, Infallible>(Frame::data(Bytes::from_static(&[0, 0, 0])));
    let body = StreamBody::new(tokio_stream::once(begun).chain(tokio_stream::pending()));
    let mut request = raw_request(CHECK, body);
    request.headers_mut().insert("grpc-timeout", "100m".parse().unwrap());
    assert_eq!(send(&server, request).await.said(), "deadline");
}

#[tokio::test]
async fn a_call_beyond_the_limit_is_answered_at_once() {
    let server = Server::with_limits(|limits| limits.max_in_flight = 1).await;
    let mut first = server.client().await;
    let waiting = tokio::spawn(async move { first.check(check_request("/wait")).await.unwrap() });
    server.reaches_in_flight(1).await;

    let mut second = server.client().await;
    let shed = second.check(check_request("/")).await.unwrap().into_inner();
    assert_eq!(shed.status.unwrap().message, "overload");

    server.service.releases.add_permits(1);
    assert_eq!(waiting.await.unwrap().into_inner().status.unwrap().message, "decided");
    server.reaches_in_flight(0).await;
    let next = second.check(check_request("/")).await.unwrap().into_inner();
    assert_eq!(next.status.unwrap().message, "decided");
}

#[tokio::test]
async fn messages_for_which_there_is_no_room_are_answered() {
    let server = Server::with_limits(|limits| limits.max_message_bytes = 100_000).await;
    for (bytes, expected) in [(90_000, "decided"), (110_000, "overload"), (90_000, "decided"), (10, "decided")] {
        let body = framed_request(&"x".repeat(bytes));
        assert_eq!(send(&server, raw_request(CHECK, Full::new(body))).await.said(), expected, "{bytes} bytes");
    }
}

#[tokio::test]
async fn a_messages_room_is_held_until_its_call_is_decided() {
    let server = Server::with_limits(|limits| limits.max_message_bytes = 100_000).await;
    let mut client = server.client().await;
    let mut large = check_request("/wait");
    large.attributes.as_mut().unwrap().context_extensions.insert("large".into(), "x".repeat(90_000));
    let waiting = tokio::spawn(async move { client.check(large).await.unwrap().into_inner() });
    eventually(|| server.service.waiting.load(Ordering::Relaxed) == 1).await;

    let other = || raw_request(CHECK, Full::new(framed_request(&"x".repeat(90_000))));
    assert_eq!(send(&server, other()).await.said(), "overload");
    server.service.releases.add_permits(1);
    assert_eq!(waiting.await.unwrap().status.unwrap().message, "decided");
    assert_eq!(send(&server, other()).await.said(), "decided");
}

#[tokio::test]
async fn a_panic_is_an_answer_and_harms_no_other_call() {
    let server = Server::start().await;
    let mut client = server.client().await;
    for (path, expected) in [("/panic", "panic"), ("/yield-then-panic", "panic"), ("/", "decided")] {
        let response = client.check(check_request(path)).await.unwrap().into_inner();
        assert_eq!(response.status.unwrap().message, expected, "{path}");
    }
    assert_eq!(server.in_flight.count(), 0);
}

#[tokio::test]
async fn not_even_a_panic_in_the_last_answer_harms_another_call() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let mut waiting = client.clone();
    let waiting = tokio::spawn(async move { waiting.check(check_request("/wait")).await.unwrap() });
    server.reaches_in_flight(1).await;
    let mut request = Request::new(check_request("/panic"));
    request.metadata_mut().insert("x-panic", "1".parse().unwrap());
    assert!(client.check(request).await.is_err());
    server.service.releases.add_permits(1);
    assert_eq!(waiting.await.unwrap().into_inner().status.unwrap().message, "decided");
}

#[tokio::test]
async fn a_thousand_calls_at_once_are_all_answered() {
    let server = Server::with_limits(|limits| (limits.workers, limits.max_in_flight) = (NonZeroUsize::MIN, 2000)).await;
    let client = server.client().await;
    let calls: Vec<_> = (0..1000)
        .map(|n| {
            let mut client = client.clone();
            let request = check_request(["/", "/yield", "/sleep"][n % 3]);
            tokio::spawn(async move { client.check(request).await.unwrap().into_inner() })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap().status.unwrap().message, "decided");
    }
    assert_eq!(server.in_flight.count(), 0);
}

#[tokio::test]
async fn whatever_is_ready_has_its_turn_when_a_call_yields() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let response = client.check(check_request("/others-first")).await.unwrap().into_inner();
    assert_eq!(response.status.unwrap().message, "others first");
}

#[tokio::test]
async fn a_call_that_its_caller_gives_up_makes_room() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let call = tokio::spawn(async move { client.check(check_request("/never")).await });
    server.reaches_in_flight(1).await;
    call.abort();
    server.reaches_in_flight(0).await;
}
