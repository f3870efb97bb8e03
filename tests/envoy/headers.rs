//! What callers write into headers that only stepgate, Envoy or a trusted proxy may write.

use crate::READ;
use crate::support::Result;
use crate::support::answer::Answer;
use crate::support::envoy::Bootstrap;
use crate::support::mesh::{Mesh, Setting, Transport};
use crate::workload::Workload;
use rstest::rstest;
use serde_json::json;
use std::net::{IpAddr, Ipv4Addr};

const EARLY_MUTATION: &str =
    "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config/early_header_mutation_extensions";
/// In a network that `tests/policies/forwarded.yaml` trusts to tell of others, and in one that it doesn't. Neither is
/// 127.0.0.1, for which Envoy would write an address of its own into the list.
const PROXY: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 5, 1));
const STRANGER: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 7, 1));
const USUAL: &str = "203.0.113.7";

/// With Envoy's own guard, and where someone forgot it.
#[rstest]
#[tokio::test]
async fn forged_headers_do_not_reach_the_service(#[values(true, false)] guarded: bool) -> Result<()> {
    let adapt = |bootstrap: Bootstrap| {
        if guarded { Ok(bootstrap) } else { bootstrap.with(EARLY_MUTATION, json!([])) }
    };
    let mesh = Mesh::quickstart_with(Transport::Unix, adapt).await?;
    let workload = Workload::with_token(&mesh, "payments:read")?;
    let forged = [
        ("x-stepgate-decision", "verified"),
        ("x-stepgate-principal", "admin"),
        ("x-stepgate-assurance", "bound"),
        ("x-stepgate-made-up", "yes"),
    ];
    let request = workload.call(mesh.caller()?.get(READ));
    let request = forged.into_iter().fold(request, |request, (name, value)| request.header(name, value));
    assert_eq!(Answer::to(request).await?.status, 200);

    let received = mesh.upstream.last()?;
    assert_eq!(received.header("x-stepgate-decision"), Some("allowed"));
    assert_eq!(received.header("x-stepgate-principal"), Some("billing-web"));
    assert_eq!(received.headers_with("x-stepgate-").len(), 4, "{received:?}");
    Ok(())
}

/// A report is sensitive, and its caller normally calls from one network only.
#[rstest]
#[case::behind_the_proxy(PROXY, Some(USUAL), 200)]
#[case::behind_the_proxy_from_elsewhere(PROXY, Some("198.51.100.9"), 401)]
#[case::made_up_left_of_the_true_one(PROXY, Some("203.0.113.7, 198.51.100.9"), 401)]
#[case::the_proxy_itself(PROXY, None, 401)]
#[case::a_stranger_who_claims_to_forward(STRANGER, Some(USUAL), 401)]
#[tokio::test]
async fn only_a_trusted_proxy_says_where_a_call_comes_from(
    #[case] from: IpAddr,
    #[case] forwarded_for: Option<&str>,
    #[case] status: u16,
) -> Result<()> {
    let setting = Setting::of("tests/policies/forwarded.yaml", "examples/quickstart/envoy.yaml");
    let mesh = Mesh::start(setting, Transport::Unix, Ok).await?;
    let workload = Workload::with_token(&mesh, "reports:read")?;
    let request = workload.call(mesh.caller_from(from)?.get("/v1/reports/2026-10"));
    let request = forwarded_for.into_iter().fold(request, |request, list| request.header("x-forwarded-for", list));
    let answer = Answer::to(request).await?;
    assert_eq!(answer.status, status, "{answer:?}");
    Ok(())
}
