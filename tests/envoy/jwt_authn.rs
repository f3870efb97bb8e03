//! Callers whose token Envoy's `jwt_authn` filter has verified: what it leaves as metadata says who calls.

use crate::support::Result;
use crate::support::answer::Answer;
use crate::support::envoy::Bootstrap;
use crate::support::issuers::{IDP, RESOURCE, bearer, proof};
use crate::support::mesh::{Mesh, Setting, Transport};
use crate::workload::Workload;
use crate::{HTTP_FILTERS, READ, REFUND};
use serde_json::json;
use stepgate::mint::{Algorithm, SigningKey};

const NAMESPACE: &str = "envoy.filters.http.jwt_authn";

/// `jwt_authn` in front of the check, and its metadata sent along.
fn verifying(bootstrap: Bootstrap) -> Result<Bootstrap> {
    let provider = json!({
        "issuer": IDP,
        "audiences": [RESOURCE],
        "local_jwks": { "filename": bootstrap.beside("idp.jwks.json") },
        "require_expiration": true,
        "payload_in_metadata": "idp",
        // A proof is bound to the token as it was sent, and the scheme says whether it needs one.
        "forward": true,
        "from_headers": [
            { "name": "authorization", "value_prefix": "Bearer " },
            { "name": "authorization", "value_prefix": "DPoP " },
        ],
    });
    let filter = json!({ "name": NAMESPACE, "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
        "providers": { "idp": provider },
        "rules": [{ "match": { "prefix": "/" }, "requires": { "provider_name": "idp" } }],
    } });
    let bootstrap = bootstrap.add(&format!("{HTTP_FILTERS}/0"), filter)?;
    bootstrap.add(&format!("{HTTP_FILTERS}/1/typed_config/metadata_context_namespaces"), json!([NAMESPACE]))
}

async fn mesh() -> Result<Mesh> {
    let setting = Setting::of("tests/policies/by_envoy.yaml", "examples/quickstart/envoy.yaml");
    Mesh::start(setting, Transport::Unix, verifying).await
}

#[tokio::test]
async fn whom_envoy_has_verified_is_the_caller() -> Result<()> {
    let mesh = mesh().await?;
    let (caller, workload) = (mesh.caller()?, Workload::with_token(&mesh, "payments:read payments:refund")?);
    assert_eq!(Answer::to(workload.call(caller.get(READ))).await?.status, 200);
    assert_eq!(mesh.upstream.last()?.header("x-stepgate-principal"), Some("billing-web"));

    let asked = Answer::to(workload.call(caller.post(REFUND))).await?;
    let challenge = asked.challenge().ok_or("no challenge")?;
    let answer = Answer::to(workload.answer(&mesh, caller.post(REFUND), challenge)?).await?;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(mesh.upstream.last()?.header("x-stepgate-decision"), Some("verified"));
    Ok(())
}

#[tokio::test]
async fn its_scopes_are_those_of_the_token() -> Result<()> {
    let mesh = mesh().await?;
    let workload = Workload::with_token(&mesh, "payments:read")?;
    let answer = Answer::to(workload.call(mesh.caller()?.post(REFUND))).await?;
    assert_eq!((answer.status, answer.code().as_str()), (403, "insufficient_scope"), "{answer:?}");
    Ok(())
}

#[tokio::test]
async fn whom_envoy_refuses_stepgate_never_sees() -> Result<()> {
    let mesh = mesh().await?;
    let stranger = SigningKey::generate(Algorithm::Es256)?;
    let forged = bearer("billing-web", "payments:read").sign(&stranger)?;
    assert_eq!(Answer::to(mesh.caller()?.get(READ).bearer_auth(forged)).await?.status, 401);
    assert!(mesh.upstream.received().is_empty() && mesh.stepgate.decisions().is_empty());
    Ok(())
}

/// Envoy verifies a token whatever it is bound to, and finds it behind any scheme.
#[tokio::test]
async fn a_token_that_is_bound_to_a_key_passes_with_its_proof_only() -> Result<()> {
    let mesh = mesh().await?;
    let key = SigningKey::generate(Algorithm::Es256)?;
    let bound = bearer("billing-web", "payments:read").claim("cnf", json!({ "jkt": key.public().thumbprint() }));
    let bound = bound.sign(&mesh.issuers.idp)?;
    let caller = mesh.caller()?;
    let call = |scheme: &str| caller.get(READ).header("authorization", format!("{scheme} {bound}"));
    for scheme in ["Bearer", "DPoP", "Basic DPoP"] {
        assert_eq!(Answer::to(call(scheme)).await?.status, 401, "{scheme}");
    }
    assert!(mesh.upstream.received().is_empty());

    let proof = proof(&key, "GET", READ, Some(&bound), None)?;
    let answer = Answer::to(call("DPoP").header("DPoP", proof)).await?;
    assert_eq!(answer.status, 200, "{answer:?}");
    Ok(())
}
