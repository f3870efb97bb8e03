//! What is shipped for Envoy, as Envoy itself judges it.

use crate::support::certificates::Authority;
use crate::support::envoy::Bootstrap;
use crate::support::mesh::HOST;
use crate::support::{Result, repository};
use std::fs;

const SHIPPED: [&str; 5] = [
    "envoy/bootstrap.yaml",
    "examples/context/envoy.yaml",
    "examples/mcp/envoy.yaml",
    "examples/quickstart/envoy.yaml",
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
