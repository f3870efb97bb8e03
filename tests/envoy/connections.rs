//! Envoy's network filter: a connection is judged by who opens it, as a request that no route names.

use crate::certificates::SAN_MATCHER;
use crate::support::Result;
use crate::support::answer::Answer;
use crate::support::certificates::{dns, uri};
use crate::support::envoy::Bootstrap;
use crate::support::mesh::{Mesh, Setting, Transport};
use crate::support::wait::until;
use crate::{FILTERS, READ, SPIFFE_ID};
use rcgen::SanType;
use serde_json::{Value, json};

/// The hardened edge, with connections in the place of requests.
fn by_connection(bootstrap: Bootstrap) -> Result<Bootstrap> {
    let check = json!({ "name": "envoy.filters.network.ext_authz", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.ext_authz.v3.ExtAuthz",
        "stat_prefix": "stepgate",
        "transport_api_version": "V3",
        "grpc_service": { "envoy_grpc": { "cluster_name": "stepgate", "authority": "stepgate.local" }, "timeout": "0.25s" },
        "failure_mode_allow": false,
        "include_peer_certificate": true,
    } });
    let proxy = json!({ "name": "envoy.filters.network.tcp_proxy", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
        "stat_prefix": "app",
        "cluster": "app",
    } });
    bootstrap.with(FILTERS, json!([check, proxy]))
}

async fn mesh(policy: &'static str) -> Result<Mesh> {
    let adapt = |bootstrap: Bootstrap| by_connection(bootstrap)?.with(SAN_MATCHER, json!([]));
    Mesh::start(Setting::of(policy, "envoy/bootstrap.yaml"), Transport::Unix, adapt).await
}

async fn call(mesh: &Mesh, name: SanType) -> Result<Answer> {
    let caller = mesh.certified_caller(&mesh.authority.client(vec![name])?)?;
    Answer::to(caller.get(READ)).await
}

/// The first decision. Whoever is refused sees no more than an end.
async fn decided(mesh: &Mesh) -> Result<Value> {
    until("a decision", async || mesh.stepgate.decisions().into_iter().next()).await
}

#[tokio::test]
async fn a_connection_passes_by_its_certificate_where_nothing_is_asked_for() -> Result<()> {
    let mesh = mesh("tests/policies/connections.yaml").await?;
    assert_eq!(call(&mesh, uri(SPIFFE_ID)?).await?.status, 200);
    let line = decided(&mesh).await?;
    assert_eq!((&line["decision"], &line["principal"]), (&json!("allow"), &json!(SPIFFE_ID)), "{line}");
    Ok(())
}

#[tokio::test]
async fn a_connection_that_would_be_asked_for_proof_is_refused() -> Result<()> {
    let mesh = mesh("tests/policies/mtls.yaml").await?;
    assert!(call(&mesh, uri(SPIFFE_ID)?).await.is_err());
    let line = decided(&mesh).await?;
    assert_eq!((&line["decision"], &line["reason"]), (&json!("deny"), &json!("unanswerable")), "{line}");
    assert!(mesh.upstream.received().is_empty());
    Ok(())
}

#[tokio::test]
async fn a_connection_of_nobody_is_refused_also_where_nothing_is_asked_for() -> Result<()> {
    let mesh = mesh("tests/policies/connections.yaml").await?;
    assert!(call(&mesh, dns(SPIFFE_ID)?).await.is_err());
    assert_eq!(decided(&mesh).await?["reason"], "credential_missing");
    assert!(mesh.upstream.received().is_empty());
    Ok(())
}
