use crate::support::{
    CHECK, Server, check_request, connect, framed_request, raw_request, refuses_connections, was_closed,
};
use bytes::Bytes;
use http_body::Frame;
use http_body_util::{Full, StreamBody};
use std::convert::Infallible;
use std::time::Duration;
use stepgate::chassis::{Drained, Limits};
use tonic::Code;
use tonic::codegen::tokio_stream::{self, StreamExt};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

#[tokio::test]
async fn what_is_in_flight_is_finished_and_nothing_new_is_taken() {
    let server = Server::start().await;
    let service = server.service.clone();
    let mut client = server.client().await;
    let call = tokio::spawn(async move { client.check(check_request("/wait")).await.unwrap() });
    server.reaches_in_flight(1).await;
    let url = server.url().to_owned();

    let ended = server.stop();
    refuses_connections(&url).await;
    assert!(!ended.is_finished());
    service.releases.add_permits(1);

    assert_eq!(call.await.unwrap().into_inner().status.unwrap().message, "decided");
    assert_eq!(ended.await.unwrap(), Drained::Complete);
}

#[tokio::test]
async fn the_drain_ends_at_its_limit_and_says_what_was_cut() {
    let server = Server::with_drain(Limits::default(), Duration::from_millis(50)).await;
    let mut client = server.client().await;
    let call = tokio::spawn(async move { client.check(check_request("/never")).await });
    server.reaches_in_flight(1).await;
    assert_eq!(server.stop().await.unwrap(), Drained::Cut(1));
    assert!(call.await.unwrap().is_err());
}

#[tokio::test]
async fn an_idle_connection_does_not_hold_up_the_end() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.check(check_request("/")).await.unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(5), server.stop()).await;
    assert_eq!(ended.unwrap().unwrap(), Drained::Complete);
}

#[tokio::test]
async fn a_connection_that_never_said_a_word_does_not_hold_up_the_end() {
    let server = Server::start().await;
    let mut silent = server.stream().await;
    let mut client = server.client().await;
    client.check(check_request("/")).await.unwrap(); // by now the silent one has been accepted
    let ended = tokio::time::timeout(Duration::from_secs(5), server.stop()).await;
    assert_eq!(ended.unwrap().unwrap(), Drained::Complete);
    assert!(was_closed(&mut silent).await);
}

#[tokio::test]
async fn a_question_for_the_health_that_never_ends_does_not_hold_up_the_end() {
    let server = Server::start().await;
    let connection = connect(&server).await;
    let begun = Ok::<_, Infallible>(Frame::data(Bytes::from_static(&[0, 0, 0])));
    let body = StreamBody::new(tokio_stream::once(begun).chain(tokio_stream::pending()));
    let question = raw_request("/grpc.health.v1.Health/Check", body);
    let stop = async {
        let check = raw_request(CHECK, Full::new(framed_request("/")));
        assert_eq!(connection.send(check).await.said(), "decided"); // so the question before it has arrived
        tokio::time::timeout(Duration::from_secs(5), server.stop()).await
    };
    let (answer, ended) = tokio::join!(connection.send(question), stop);
    assert_eq!(ended.unwrap().unwrap(), Drained::Complete);
    assert_eq!(answer.grpc.unwrap(), "14");
}

#[tokio::test]
async fn a_watch_of_the_health_ends_when_the_drain_begins() {
    let server = Server::start().await;
    let mut health = HealthClient::new(server.channel().await);
    let mut watch = health.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    watch.message().await.unwrap().unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(5), server.stop()).await;
    assert_eq!(ended.unwrap().unwrap(), Drained::Complete);
    let code = loop {
        match watch.message().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the watch ended without a status"),
            Err(status) => break status.code(),
        }
    };
    assert_eq!(code, Code::Unavailable);
}
