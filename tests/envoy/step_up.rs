//! The quickstart: who passes, who is asked for proof, and what happens while stepgate is away.

use crate::support::Result;
use crate::support::answer::Answer;
use crate::support::envoy::Bootstrap;
use crate::support::mesh::{Mesh, Transport};
use crate::workload::Workload;
use crate::{HTTP_FILTERS, READ, REFUND};
use rstest::rstest;
use serde_json::json;

#[rstest]
#[tokio::test]
async fn a_routine_call_passes_and_the_service_learns_who_calls(
    #[values(Transport::Tcp, Transport::Unix)] transport: Transport,
) -> Result<()> {
    let mesh = Mesh::quickstart(transport).await?;
    let workload = Workload::with_token(&mesh, "payments:read")?;
    let answer = Answer::to(workload.call(mesh.caller()?.get(READ))).await?;
    assert_eq!((answer.status, answer.challenge()), (200, None), "{answer:?}");

    let received = mesh.upstream.last()?;
    let id = received.header("x-stepgate-decision-id").unwrap_or_default();
    assert!(!id.is_empty());
    let told = [
        "x-stepgate-decision: allowed".to_owned(),
        format!("x-stepgate-decision-id: {id}"),
        "x-stepgate-principal: billing-web".to_owned(),
        "x-stepgate-route: read-payment".to_owned(),
    ];
    assert_eq!(received.headers_with("x-stepgate-"), told);
    Ok(())
}

#[rstest]
#[tokio::test]
async fn a_refund_with_only_a_token_is_asked_for_proof(
    #[values(Transport::Tcp, Transport::Unix)] transport: Transport,
) -> Result<()> {
    let mesh = Mesh::quickstart(transport).await?;
    let workload = Workload::with_token(&mesh, "payments:refund")?;
    let answer = Answer::to(workload.call(mesh.caller()?.post(REFUND))).await?;
    assert_eq!(answer.status, 401, "{answer:?}");

    let challenge = answer.challenge().ok_or("no challenge")?;
    let asked = "Bearer error=\"use_attestation_challenge\", error_description=\"Fresh attestation required\", \
        acr_values=\"fresh\", max_age=\"300\", scope=\"payments:refund\"";
    assert_eq!(answer.header("www-authenticate"), Some(asked));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    assert_eq!(answer.header("dpop-nonce"), Some(challenge));
    let by_envoy = ["content-length", "date", "server"];
    let by_stepgate = answer.headers.keys().filter(|name| !by_envoy.contains(&name.as_str()));
    assert_eq!(by_stepgate.count(), 5, "{answer:?}");

    let mut problem = answer.json()?;
    let members = problem.as_object_mut().ok_or("no object")?;
    assert!(members.remove("detail").is_some_and(|detail| detail.is_string()));
    assert!(members.remove("decision_id").is_some_and(|id| id.is_string()));
    let accept = ["DPoP", "OAuth-Client-Attestation-PoP"].map(|proof| {
        json!({ "profile": "oauth-client-attestation", "headers": ["OAuth-Client-Attestation", proof], "alg": ["ES256"] })
    });
    assert_eq!(
        problem,
        json!({
            "type": "urn:stepgate:problem:use_attestation_challenge", "title": "Fresh attestation required",
            "status": 401, "code": "use_attestation_challenge", "route": "refund", "assurance": "fresh",
            "max_age": 300, "scope": "payments:refund", "challenge": challenge, "challenge_expires_in": 120,
            "resource": "https://api.example.com", "accept": accept,
        })
    );
    assert!(mesh.upstream.received().is_empty());
    Ok(())
}

#[rstest]
#[tokio::test]
async fn an_answered_challenge_passes_and_the_proof_stops_at_the_edge(
    #[values(Transport::Tcp, Transport::Unix)] transport: Transport,
) -> Result<()> {
    let mesh = Mesh::quickstart(transport).await?;
    let (caller, workload) = (mesh.caller()?, Workload::with_token(&mesh, "payments:refund")?);
    let asked = Answer::to(workload.call(caller.post(REFUND))).await?;
    let challenge = asked.challenge().ok_or("no challenge")?;
    let answer = Answer::to(workload.answer(&mesh, caller.post(REFUND), challenge)?).await?;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.challenge().is_some(), "{answer:?}");
    assert_eq!(answer.header("dpop-nonce"), answer.challenge());

    let received = mesh.upstream.last()?;
    assert_eq!(received.header("x-stepgate-decision"), Some("verified"));
    assert_eq!(received.header("x-stepgate-assurance"), Some("fresh"));
    assert_eq!(received.header("oauth-client-attestation"), None);
    assert_eq!(received.header("dpop"), None);
    assert!(received.header("authorization").is_some());
    Ok(())
}

#[tokio::test]
async fn a_chain_goes_on_with_the_challenge_that_came_along_and_each_proof_passes_once() -> Result<()> {
    let mesh = Mesh::quickstart(Transport::Unix).await?;
    let (caller, workload) = (mesh.caller()?, Workload::with_token(&mesh, "payments:refund")?);
    let asked = Answer::to(workload.call(caller.post(REFUND))).await?;
    let mut challenge = asked.challenge().ok_or("no challenge")?.to_owned();
    for _ in 0..3 {
        let answer = Answer::to(workload.answer(&mesh, caller.post(REFUND), &challenge)?).await?;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.challenge().ok_or("no next challenge")?.clone_into(&mut challenge);
    }

    let call = workload.answer(&mesh, caller.post(REFUND), &challenge)?;
    let replay = call.try_clone().ok_or("the call has a stream")?;
    assert_eq!(Answer::to(call).await?.status, 200);
    let replayed = Answer::to(replay).await?;
    assert_eq!((replayed.status, replayed.code().as_str()), (401, "invalid_dpop_proof"), "{replayed:?}");
    assert_eq!(mesh.upstream.received().len(), 4);
    Ok(())
}

#[rstest]
#[tokio::test]
async fn while_stepgate_is_away_nothing_passes(
    #[values(Transport::Tcp, Transport::Unix)] transport: Transport,
) -> Result<()> {
    let mut mesh = Mesh::quickstart(transport).await?;
    let (caller, workload) = (mesh.caller()?, Workload::with_token(&mesh, "payments:read")?);
    assert_eq!(Answer::to(workload.call(caller.get(READ))).await?.status, 200);

    mesh.stepgate.kill().await?;
    assert_eq!(Answer::to(workload.call(caller.get(READ))).await?.status, 503);
    assert_eq!(mesh.upstream.received().len(), 1);

    mesh.stepgate.start_again().await?;
    assert_eq!(Answer::to(workload.call(caller.get(READ))).await?.status, 200);
    Ok(())
}

/// Control planes name clusters so; without `authority` that name would be sent as one, and every call reset.
#[tokio::test]
async fn a_cluster_whose_name_is_no_host_name_is_reached() -> Result<()> {
    let name = json!("outbound|9191||authz.svc");
    let cluster = format!("{HTTP_FILTERS}/0/typed_config/grpc_service/envoy_grpc/cluster_name");
    let rename = |bootstrap: Bootstrap| {
        let bootstrap = bootstrap.with(&cluster, name.clone())?;
        let bootstrap = bootstrap.with("/static_resources/clusters/0/name", name.clone())?;
        bootstrap.with("/static_resources/clusters/0/load_assignment/cluster_name", name.clone())
    };
    let mesh = Mesh::quickstart_with(Transport::Tcp, rename).await?;
    let workload = Workload::with_token(&mesh, "payments:read")?;
    assert_eq!(Answer::to(workload.call(mesh.caller()?.get(READ))).await?.status, 200);
    Ok(())
}

#[rstest]
#[case::asked_for_proof("payments:refund", "16")]
#[case::without_the_scope("payments:read", "7")]
#[tokio::test]
async fn a_grpc_caller_gets_a_grpc_status(#[case] scope: &str, #[case] grpc_status: &str) -> Result<()> {
    let mesh = Mesh::quickstart(Transport::Unix).await?;
    let workload = Workload::with_token(&mesh, scope)?;
    let request = workload.call(mesh.http2_caller()?.post(REFUND));
    let request = request.header("content-type", "application/grpc").header("te", "trailers");
    let answer = Answer::to(request).await?;
    assert_eq!((answer.status, answer.header("grpc-status")), (200, Some(grpc_status)), "{answer:?}");
    assert!(mesh.upstream.received().is_empty());
    Ok(())
}

#[tokio::test]
async fn a_challenge_can_be_fetched_ahead_without_a_route_for_it() -> Result<()> {
    let mesh = Mesh::quickstart(Transport::Unix).await?;
    let (caller, workload) = (mesh.caller()?, Workload::with_token(&mesh, "payments:refund")?);
    let endpoint = || caller.post("/.well-known/stepgate/challenge");
    assert_eq!(Answer::to(endpoint()).await?.status, 401);

    let fetched = Answer::to(workload.call(endpoint())).await?;
    assert_eq!(fetched.status, 200, "{fetched:?}");
    let body = fetched.json()?;
    let challenge = body["attestation_challenge"].as_str().ok_or("no challenge")?;
    assert!(mesh.upstream.received().is_empty());

    let answer = Answer::to(workload.answer(&mesh, caller.post(REFUND), challenge)?).await?;
    assert_eq!(answer.status, 200, "{answer:?}");
    Ok(())
}
