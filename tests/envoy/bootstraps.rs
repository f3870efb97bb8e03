//! What is shipped for Envoy: as Envoy itself judges it, and what the hardened edge does with bodies.

use crate::support::answer::Answer;
use crate::support::certificates::{Authority, uri};
use crate::support::envoy::Bootstrap;
use crate::support::mesh::{Caller, HOST, Mesh, Transport};
use crate::support::{Result, repository};
use crate::{REFUND, SPIFFE_ID};
use rstest::rstest;
use std::fs;

const SHIPPED: [&str; 6] = [
    "envoy/bootstrap.yaml",
    "examples/context/envoy.yaml",
    "examples/mcp/envoy.yaml",
    "examples/quickstart/envoy.yaml",
    "examples/replicas/envoy.yaml",
    "examples/tokens/envoy.yaml",
];

#[tokio::test]
async fn the_shipped_bootstraps_are_valid() -> Result<()> {
    let dir = tempfile::tempdir()?;
    Authority::new()?.write_server(HOST, dir.path())?;
    for path in SHIPPED {
        Bootstrap::read(path, dir.path())?.validate().await.map_err(|why| format!("{path}: {why}"))?;
    }
    Ok(())
}

#[test]
fn every_bootstrap_of_the_examples_is_among_the_shipped() -> Result<()> {
    for example in fs::read_dir(repository("examples"))? {
        let envoy = example?.path().join("envoy.yaml");
        let known = SHIPPED.iter().any(|path| repository(path) == envoy);
        assert!(known || !envoy.exists(), "{}", envoy.display());
    }
    Ok(())
}

async fn ask(caller: &Caller, path: &str, body: Vec<u8>) -> Result<Answer> {
    Answer::to(caller.post(path).header("content-type", "application/x-www-form-urlencoded").body(body)).await
}

/// As text, the first would be unreadable for its `!`, and the byte in the second would be one.
#[rstest]
#[case::routine(b"scope=payments:read&note=done!", 200)]
#[case::not_utf8(b"scope=payments:read&note=\xff", 401)]
#[case::elevated(b"scope=payments:refund", 401)]
#[tokio::test]
async fn the_hardened_edge_brings_the_body_of_a_request_for_a_token(
    #[case] body: &[u8],
    #[case] status: u16,
) -> Result<()> {
    let mesh = Mesh::mtls(Transport::Unix, Ok).await?;
    let caller = mesh.certified_caller(&mesh.authority.client(vec![uri(SPIFFE_ID)?])?)?;
    let answer = ask(&caller, "/oauth2/token", body.to_vec()).await?;
    assert_eq!(answer.status, status, "{answer:?}");
    Ok(())
}

#[tokio::test]
async fn the_hardened_edge_refuses_a_long_request_for_a_token_and_lets_other_bodies_be() -> Result<()> {
    let mesh = Mesh::mtls(Transport::Unix, Ok).await?;
    let caller = mesh.certified_caller(&mesh.authority.client(vec![uri(SPIFFE_ID)?])?)?;
    let long = [b"scope=payments:read&padding=".to_vec(), vec![b'x'; 200_000]].concat();
    assert_eq!(ask(&caller, "/oauth2/token", long.clone()).await?.status, 413);
    assert!(mesh.upstream.received().is_empty() && mesh.stepgate.decisions().is_empty());
    assert_eq!(ask(&caller, REFUND, long).await?.status, 401);
    Ok(())
}
