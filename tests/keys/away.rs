//! Keys that are not there yet.

use crate::provider::Provider;
use crate::support::Result;
use crate::support::authz::Ask;
use crate::support::certificates::Authority;
use crate::support::stepgate::Listen;
use crate::support::verdict::Refusal;
use crate::support::wait::until;
use crate::world::{ATTESTER_FILE, Ground, IDP_FILE, World, at, token};
use rstest::rstest;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;
use tokio::time::sleep;
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

/// An address where nobody listens.
fn nobody() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

fn url(address: SocketAddr) -> String {
    format!("https://localhost:{}/jwks", address.port())
}

async fn is_open(world: &World) -> Result<bool> {
    Ok(world.authz.check(&Ask::new("GET", "/x")).await?.is_allowed())
}

/// What Envoy's health checks are told.
async fn health(world: &World) -> Result<ServingStatus> {
    let Listen::Tcp(address) = &world.stepgate.listen else { return Err("no TCP address".into()) };
    let channel = Endpoint::new(format!("http://{address}"))?.connect().await?;
    Ok(HealthClient::new(channel).check(HealthCheckRequest::default()).await?.into_inner().status())
}

#[tokio::test]
async fn until_the_keys_were_there_once_it_is_not_ready_and_refuses_what_needs_them() -> Result<()> {
    let address = nobody()?;
    let world = Ground::new()?.launch(&at(&url(address)), ATTESTER_FILE).await?;
    assert_eq!(world.stepgate.obstacles().await?.as_deref(), Some("keys of idp\n"));
    let refusal = world.read(&token(&world.issuers.idp)?).await?.refusal()?;
    assert_eq!(refusal, Refusal::without_error(503, "temporarily_unavailable", "keys_unavailable"));
    assert!(is_open(&world).await?);
    assert_eq!(health(&world).await?, ServingStatus::NotServing);
    assert_eq!((world.keys("idp").await?, world.keys("attester").await?), (0, 1));

    let _provider = Provider::start_at(&world.authority, address, &[&world.issuers.idp]).await?;
    world.stepgate.ready().await?;
    until("its health", async || health(&world).await.ok().filter(|status| *status == ServingStatus::Serving)).await?;
    assert!(world.read(&token(&world.issuers.idp)?).await?.is_allowed());
    assert_eq!((world.keys("idp").await?, world.looks("idp", "updated").await?), (1, 1));
    assert!(world.looks("idp", "failed").await? >= 1);
    for issuer in ["idp", "attester"] {
        let labels = [("issuer", issuer)];
        assert!(world.stepgate.count("stepgate_jwks_last_success_timestamp_seconds", &labels).await? > 1_700_000_000);
    }
    Ok(())
}

/// Whoever stands there would sign for the provider.
#[rstest]
#[case::under_another_ca(true, "{ url: \"URL\", ca: ca.pem }")]
#[case::under_a_ca_that_no_system_knows(false, "{ url: \"URL\" }")]
#[case::under_another_name(false, "{ url: \"https://127.0.0.1:PORT/jwks\", ca: ca.pem }")]
#[tokio::test]
async fn who_is_not_shown_to_be_the_provider_is_not_asked(#[case] foreign: bool, #[case] keys: &str) -> Result<()> {
    let (ground, other) = (Ground::new()?, Authority::new()?);
    let authority = if foreign { &other } else { &ground.authority };
    let provider = Provider::start(authority, &[&ground.issuers.idp]).await?;
    let keys = keys.replace("URL", &provider.url()).replace("PORT", &provider.address.port().to_string());
    let world = ground.launch(&keys, ATTESTER_FILE).await?;
    until("a failure", async || world.looks("idp", "failed").await.ok().filter(|count| *count > 0)).await?;
    assert_eq!(provider.asked(), 0);
    assert_eq!(world.reason(&token(&world.issuers.idp)?).await?, "keys_unavailable");
    Ok(())
}

#[tokio::test]
async fn keys_that_are_new_in_a_policy_come_into_force_with_it() -> Result<()> {
    let ground = Ground::new()?;
    let provider = Provider::start(&ground.authority, &[&ground.issuers.idp]).await?;
    let url = at(&provider.url());
    let world = ground.start(IDP_FILE, ATTESTER_FILE).await?;
    let token = token(&world.issuers.idp)?;
    world.replace_policy(&url, ATTESTER_FILE)?;
    let reloaded = async || world.stepgate.reloads().await.ok().filter(|count| *count == 1);
    let calls = async {
        loop {
            assert_eq!(world.reason(&token).await.unwrap(), "routine");
            sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        done = until("the reload", reloaded) => done.map(drop)?,
        () = calls => {}
    }
    assert!(world.read(&token).await?.is_allowed());
    assert_eq!((provider.asked(), world.stepgate.obstacles().await?), (1, None));

    // What is only written in another way is what it was.
    world.replace_policy(&url.replace("ca.pem", "ca.pem, refresh: 5m"), ATTESTER_FILE)?;
    until("the reload", async || world.stepgate.reloads().await.ok().filter(|count| *count == 2)).await?;
    assert!(world.read(&token).await?.is_allowed());
    assert_eq!(provider.asked(), 1);
    Ok(())
}
