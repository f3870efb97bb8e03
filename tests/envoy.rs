//! The product from outside: callers, the real Envoy, the real binary and a service behind them.

mod support;

use support::Result;
use support::certificates::Authority;
use support::envoy::Bootstrap;
use support::mesh::HOST;

#[tokio::test]
async fn the_shipped_bootstraps_are_valid() -> Result<()> {
    let dir = tempfile::tempdir()?;
    Authority::new()?.write_server(HOST, dir.path())?;
    for path in ["envoy/bootstrap.yaml", "examples/quickstart/envoy.yaml"] {
        Bootstrap::read(path, dir.path())?
            .validate()
            .await
            .map_err(|why| format!("{path}: {why}"))?;
    }
    Ok(())
}
