use crate::support::{CHECK, Server, check_request, connect, framed_request, raw_request, was_closed};
use http_body_util::Full;
use std::pin::pin;
use std::time::Duration;
use stepgate::chassis::Drained;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const EMPTY_SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];

#[tokio::test]
async fn connections_are_dealt_evenly_to_the_workers() {
    let server = Server::start().await;
    let mut clients = Vec::new();
    for _ in 0..6 {
        let mut client = server.client().await;
        client.check(check_request("/")).await.unwrap();
        clients.push(client); // it stays open
    }
    let answered_by = server.service.answered_by.lock().unwrap();
    assert_eq!(answered_by.values().copied().collect::<Vec<_>>(), [3, 3], "{answered_by:?}");
}

#[tokio::test]
async fn a_connection_that_asks_nothing_is_closed() {
    let server = Server::with_limits(|limits| limits.first_request = Duration::from_millis(20)).await;
    let mut streams = Vec::new();
    for said in [b"".as_slice(), &PREFACE[..10], PREFACE, &[PREFACE, EMPTY_SETTINGS].concat()] {
        let mut stream = server.stream().await;
        stream.write_all(said).await.unwrap();
        streams.push((said.to_vec(), stream));
    }
    for (said, mut stream) in streams {
        assert!(was_closed(&mut stream).await, "after {said:?}");
    }
}

#[tokio::test]
async fn a_connection_that_has_asked_may_rest() {
    let server = Server::with_limits(|limits| limits.first_request = Duration::from_millis(20)).await;
    let connection = connect(&server).await;
    for _ in 0..2 {
        let request = raw_request(CHECK, Full::new(framed_request("/")));
        assert_eq!(connection.send(request).await.said(), "decided");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn a_connection_beyond_the_limit_waits_for_another_to_end() {
    let server = Server::with_limits(|limits| limits.max_connections = 1).await;
    let first = connect(&server).await;
    assert_eq!(first.send(raw_request(CHECK, Full::new(framed_request("/")))).await.said(), "decided");

    let second = connect(&server).await; // the system has it, the server not yet
    let mut answer = pin!(second.send(raw_request(CHECK, Full::new(framed_request("/")))));
    assert!(timeout(Duration::from_millis(100), answer.as_mut()).await.is_err());
    drop(first);
    let answer = timeout(Duration::from_secs(5), answer).await.unwrap();
    assert_eq!(answer.said(), "decided");
}

#[tokio::test]
async fn a_full_house_can_be_closed() {
    let server = Server::with_limits(|limits| limits.max_connections = 1).await;
    let first = connect(&server).await;
    assert_eq!(first.send(raw_request(CHECK, Full::new(framed_request("/")))).await.said(), "decided");
    let ended = timeout(Duration::from_secs(5), server.stop()).await;
    assert_eq!(ended.unwrap().unwrap(), Drained::Complete);
}
