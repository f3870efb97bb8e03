//! What operators see.

use crate::support::Result;
use crate::support::authz::Ask;
use crate::support::wait::until;
use crate::support::workload::Workload;
use crate::world::{READ, World};
use rstest::rstest;
use serde_json::Value;

const PAYMENT: &str = "/v1/payments/7";

/// The decisions, once there are so many.
async fn decisions(world: &World, query: &str, count: usize) -> Result<Vec<Value>> {
    let path = format!("/v1/decisions{query}");
    until("the decisions", async || {
        let found = world.look(&path).await.ok()?["decisions"].as_array().cloned()?;
        (found.len() >= count).then_some(found)
    })
    .await
}

/// Waits until what is said of the policy is so.
async fn policy(world: &World, what: &str, holds: impl Fn(&Value) -> bool) -> Result<Value> {
    until(what, async || world.look("/v1/policy").await.ok().filter(|found| holds(found))).await
}

#[tokio::test]
async fn the_policy_in_force_is_told_and_what_is_wrong_with_a_newer_one() -> Result<()> {
    let world = World::start().await?;
    let first = world.look("/v1/policy").await?;
    let names: Vec<_> = first["files"].as_array().unwrap().iter().map(|file| file.as_str().unwrap()).collect();
    assert!(names.iter().any(|file| file.ends_with("policy.yaml")), "{first}");
    assert!(names.iter().any(|file| file.ends_with("idp.jwks.json")), "{first}");
    assert_eq!(first["last_error"], Value::Null);
    let loaded_at: jiff::Timestamp = first["loaded_at"].as_str().unwrap().parse()?;
    assert!(loaded_at.as_second().abs_diff(i64::try_from(crate::support::now())?) < 60, "{first}");
    let metrics = world.gate.stepgate.get("/metrics").await?;
    assert!(metrics.contains(&format!("stepgate_policy_info{{hash={}}} 1", first["hash"])), "{first}");

    let good = world.gate.policy()?;
    world.gate.replace_policy(&good.replace("sensitivity: low", "sensitivity: lowest"))?;
    world.gate.stepgate.child().signal("HUP").await?;
    let refused = policy(&world, "the refusal", |found| found["last_error"].is_string()).await?;
    assert!(refused["last_error"].as_str().unwrap().contains("`lowest`"), "{refused}");
    assert_eq!((&refused["hash"], &refused["loaded_at"]), (&first["hash"], &first["loaded_at"]));

    world.gate.replace_policy(&good.replace("path: \"/x\"", "path: \"/y\""))?;
    world.gate.stepgate.child().signal("HUP").await?;
    let second = policy(&world, "the new policy", |found| found["hash"] != first["hash"]).await?;
    policy(&world, "no error", |found| found["last_error"].is_null()).await?;
    assert_eq!(second["files"], first["files"]);
    Ok(())
}

#[tokio::test]
async fn a_bad_policy_that_is_taken_back_is_no_error_any_more() -> Result<()> {
    let world = World::start().await?;
    let good = world.gate.policy()?;
    world.gate.replace_policy("version: 1\nnonsense: true\n")?;
    policy(&world, "the refusal", |found| found["last_error"].is_string()).await?;
    world.gate.replace_policy(&good)?;
    policy(&world, "no error", |found| found["last_error"].is_null()).await.map(drop)
}

/// As when somebody takes the private half of a key for the public one.
#[tokio::test]
async fn what_is_wrong_with_a_policy_is_told_without_its_text() -> Result<()> {
    let world = World::start().await?;
    let key = "{ kty: EC, crv: P-256, x: AAAA, y: AAAA, d: Pr1vate }";
    let bad = world.gate.policy()?.replace("{ file: idp.jwks.json }", &format!("{{ inline: {{ keys: [{key}] }} }}"));
    world.gate.replace_policy(&bad)?;
    let refused = policy(&world, "the refusal", |found| found["last_error"].is_string()).await?;
    let said = refused["last_error"].as_str().unwrap();
    assert!(said.contains("policy.yaml:5:") && said.contains("error SG"), "{said}");
    assert!(said.contains("private") && !said.contains("Pr1vate"), "{said}");
    Ok(())
}

#[tokio::test]
async fn decisions_are_the_lines_of_the_log_the_newest_first() -> Result<()> {
    let world = World::start().await?;
    assert_eq!(world.get("/v1/decisions", READ).await?.body, "{\"decisions\":[]}\n");
    for number in 0..3 {
        world.gate.check(&Ask::new("GET", &format!("/x?{number}"))).await?;
        world.gate.check(&Ask::new("GET", &format!("/number/{number}"))).await?;
    }
    let found = decisions(&world, "", 6).await?;
    let paths: Vec<_> = found.iter().map(|decision| decision["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["/number/2", "/x", "/number/1", "/x", "/number/0", "/x"]);
    assert_eq!(decisions(&world, "?limit=2", 2).await?, found[..2]);
    let mut logged =
        until("the log", async || Some(world.gate.stepgate.decisions()).filter(|lines| lines.len() == 6)).await?;
    logged.reverse();
    assert_eq!(logged, found);
    Ok(())
}

#[tokio::test]
async fn decisions_can_be_looked_at_where_the_log_is_off() -> Result<()> {
    let world = World::start_with(&["--decision-log", "off"]).await?;
    world.gate.check(&Ask::new("GET", "/nowhere")).await?;
    assert_eq!(decisions(&world, "", 1).await?[0]["reason"], "credential_missing");
    assert_eq!(world.gate.stepgate.child().stdout(), [""; 0]);
    Ok(())
}

#[tokio::test]
async fn no_more_decisions_are_kept_than_can_be_asked_for() -> Result<()> {
    let world = World::start().await?;
    for number in 0..1_010 {
        world.gate.check(&Ask::new("GET", &format!("/number/{number}"))).await?;
    }
    let is_last = |found: &Vec<Value>| found[0]["path"] == "/number/1009";
    let found =
        until("the last decision", async || decisions(&world, "?limit=1000", 1_000).await.ok().filter(is_last)).await?;
    assert_eq!((found.len(), &found[999]["path"]), (1_000, &"/number/10".into()));
    assert_eq!(decisions(&world, "", 100).await?.len(), 100);
    Ok(())
}

#[tokio::test]
async fn nothing_secret_is_in_a_decision() -> Result<()> {
    let world = World::start().await?;
    let workload = Workload::new(&world.gate.issuers, "billing-web", "payments:read payments:refund")?;
    let query = "access_token=Pa55word&x=Qu3ry";
    let calls = [
        workload.call_with("POST", &format!("{PAYMENT}/refund?{query}"), "eyJ.Att3st.c2ln", "eyJ.Pr00f.c2ln"),
        workload.call("GET", &format!("{PAYMENT}?{query}")).header("cookie", "session=C00kie"),
        Ask::new("GET", &format!("/%zz?{query}")).header("authorization", "Basic B4sic"),
    ];
    for call in &calls {
        world.gate.check(call).await?;
    }
    decisions(&world, "", 3).await?;
    let shown = world.get("/v1/decisions", READ).await?.body;
    for secret in ["Pa55word", "Qu3ry", "Att3st", "Pr00f", "C00kie", "B4sic", READ]
        .into_iter()
        .chain(workload.token.split('.').filter(|part| part.len() > 20))
    {
        assert!(!shown.contains(secret), "`{secret}` is shown");
    }
    Ok(())
}

#[rstest]
#[case("limit=0")]
#[case("limit=1001")]
#[case("limit=-1")]
#[case("limit=1e2")]
#[case("limit=")]
#[case("limit=ten")]
#[case("limit=99999999999999999999999")]
#[case("limit=1&limit=2")]
#[case("limits=5")]
#[case("limit=1&access_token=x")]
#[tokio::test]
async fn a_bad_query_is_told_so(#[case] query: &str) -> Result<()> {
    let world = World::start().await?;
    world.get(&format!("/v1/decisions?{query}"), READ).await?.is_problem(400, "invalid_request")
}
