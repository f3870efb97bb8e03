use crate::support::Server;
use tonic::Code;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

async fn status(client: &mut HealthClient<Channel>, service: &str) -> Result<ServingStatus, Code> {
    let request = HealthCheckRequest { service: service.to_owned() };
    client.check(request).await.map(|answer| answer.into_inner().status()).map_err(|error| error.code())
}

#[tokio::test]
async fn it_does_not_serve_until_told_so() {
    let server = Server::start().await;
    let mut client = HealthClient::new(server.channel().await);
    for (told, expected) in [
        (None, ServingStatus::NotServing),
        (Some(true), ServingStatus::Serving),
        (Some(false), ServingStatus::NotServing),
    ] {
        if let Some(serving) = told {
            server.health.set_serving(serving).await;
        }
        for service in ["", "envoy.service.auth.v3.Authorization"] {
            assert_eq!(status(&mut client, service).await, Ok(expected), "{service:?} after {told:?}");
        }
    }
}

#[tokio::test]
async fn a_service_that_is_not_here_is_not_found() {
    let server = Server::start().await;
    let mut client = HealthClient::new(server.channel().await);
    assert_eq!(status(&mut client, "envoy.service.auth.v2.Authorization").await, Err(Code::NotFound));
}

#[tokio::test]
async fn a_watch_is_told_of_every_change() {
    let server = Server::start().await;
    let mut client = HealthClient::new(server.channel().await);
    let mut watch = client.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
    server.health.set_serving(true).await;
    assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
}

#[tokio::test]
async fn a_name_that_is_far_too_long_is_not_gathered() {
    let server = Server::start().await;
    let mut client = HealthClient::new(server.channel().await);
    assert_eq!(status(&mut client, &"x".repeat(5000)).await, Err(Code::OutOfRange));
}
