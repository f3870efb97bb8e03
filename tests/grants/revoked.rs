//! What operators revoke is void in the next call.

use crate::support::Result;
use crate::support::wait::next_second;
use crate::world::{READ, REFUND, TASK, WEB, World, assert_said};
use rstest::rstest;
use serde_json::{Value, json};

#[rstest]
#[case::principal(json!({ "principal": WEB }), "deny", "credential_revoked")]
#[case::everything(json!({ "all": true }), "deny", "credential_revoked")]
#[case::alias(json!({ "principal": "billing-web" }), "deny", "credential_revoked")]
#[case::issuer_of_the_token(json!({ "attester": "idp" }), "deny", "credential_revoked")]
#[case::task(json!({ "task": TASK }), "step_up", "attestation_missing")]
#[case::attester(json!({ "attester": "attester" }), "step_up", "attestation_missing")]
#[case::another(json!({ "principal": "spiffe://example.org/ns/billing/sa/batch" }), "allow", "granted")]
#[tokio::test]
async fn a_revocation_counts_from_the_next_call_on(
    #[case] body: Value,
    #[case] decision: &str,
    #[case] reason: &str,
) -> Result<()> {
    let world = World::start().await?;
    world.attest(REFUND).await?.allowed()?;
    assert_said(&world.call(REFUND).await?, "allow", "granted");
    let answer = world.operate("POST", "/v1/revocations", Some(body)).await?;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_said(&world.call(REFUND).await?, decision, reason);
    Ok(())
}

#[tokio::test]
async fn what_is_issued_after_a_revocation_counts_again() -> Result<()> {
    let mut world = World::start().await?;
    world.attest(REFUND).await?.allowed()?;
    world.operate("POST", "/v1/revocations", Some(json!({ "principal": WEB, "reason": "stolen" }))).await?;
    assert_said(&world.gate.check(&world.web.plain("GET", READ)?).await?, "deny", "credential_revoked");
    next_second().await;
    world.web.renew(&world.gate.issuers)?;
    assert_said(&world.gate.check(&world.web.plain("GET", READ)?).await?, "allow", "routine");
    assert_said(&world.call(REFUND).await?, "step_up", "attestation_missing");
    assert_said(&world.attest(REFUND).await?, "allow", "attested");
    Ok(())
}

#[tokio::test]
async fn a_revoked_key_is_void_in_all_it_signed_and_holds() -> Result<()> {
    let world = World::start().await?;
    world.attest(REFUND).await?.allowed()?;
    let key = world.web.key.public().thumbprint();
    let answer = world.operate("POST", "/v1/revocations", Some(json!({ "key": key }))).await?;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_said(&world.call(REFUND).await?, "deny", "credential_revoked");
    Ok(())
}

#[tokio::test]
async fn a_grant_is_listed_and_ended_and_its_attestation_does_not_bring_it_back() -> Result<()> {
    let world = World::start().await?;
    let first = world.web.attested(&world.gate.issuers, "POST", REFUND, TASK)?;
    world.gate.check(&first).await?.allowed()?;
    let listed = world.operate("GET", "/v1/grants", None).await?.json()?;
    let grants = listed["grants"].as_array().ok_or("no grants")?;
    assert_eq!(grants.len(), 1, "{listed}");
    assert_eq!(
        (&grants[0]["principal"], &grants[0]["task"], &grants[0]["assurance"]),
        (&WEB.into(), &TASK.into(), &"task".into())
    );
    let id = grants[0]["id"].as_str().ok_or("no id")?;
    assert_eq!(world.operate("DELETE", &format!("/v1/grants/{id}"), None).await?.status, 204);
    assert_eq!(world.operate("DELETE", &format!("/v1/grants/{id}"), None).await?.status, 404);
    assert_said(&world.call(REFUND).await?, "step_up", "attestation_missing");
    let verdict = world.attest(REFUND).await?;
    assert_said(&verdict, "step_up", "attestation_revoked");
    assert_eq!(verdict.problem()?["code"], "use_fresh_attestation");
    Ok(())
}
