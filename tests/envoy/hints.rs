//! What Envoy's own configuration says of a route, in `context_extensions`: it can raise what the policy says, never lower it.

use crate::support::Result;
use crate::support::answer::Answer;
use crate::support::envoy::Bootstrap;
use crate::support::mesh::{Mesh, Transport};
use crate::workload::Workload;
use crate::{READ, REFUND};
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

const ROUTE: &str =
    "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config/route_config/virtual_hosts/0/routes/0";

fn hinting(extensions: &Value) -> impl FnOnce(Bootstrap) -> Result<Bootstrap> {
    let settings = json!({ "envoy.filters.http.ext_authz": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute",
        "check_settings": { "context_extensions": extensions },
    } });
    |bootstrap| bootstrap.add(&format!("{ROUTE}/typed_per_filter_config"), settings)
}

#[rstest]
#[case::raised_to_where_proof_is_asked_for("GET", READ, json!({ "stepgate.sensitivity": "high", "stepgate.scopes": "payments:refund" }), 401)]
#[case::raised_in_sensitivity_alone("GET", READ, json!({ "stepgate.sensitivity": "high" }), 200)]
#[case::raised_in_privilege_alone("GET", READ, json!({ "stepgate.scopes": "payments:refund" }), 200)]
#[case::raised_to_a_scope_that_the_token_lacks("GET", READ, json!({ "stepgate.scopes": "admin:users" }), 403)]
#[case::not_lowered("POST", REFUND, json!({ "stepgate.sensitivity": "low" }), 401)]
#[case::mistyped("GET", READ, json!({ "stepgate.sensitivty": "low" }), 401)]
#[case::of_others("GET", READ, json!({ "team": "billing" }), 200)]
#[tokio::test]
async fn a_route_of_envoy_raises_and_never_lowers(
    #[case] method: Method,
    #[case] path: &str,
    #[case] extensions: Value,
    #[case] status: u16,
) -> Result<()> {
    let mesh = Mesh::quickstart_with(Transport::Unix, hinting(&extensions)).await?;
    let workload = Workload::with_token(&mesh, "payments:read payments:refund")?;
    let answer = Answer::to(workload.call(mesh.caller()?.request(method, path))).await?;
    assert_eq!(answer.status, status, "{answer:?}");
    Ok(())
}
