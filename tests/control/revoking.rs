//! Revocations by operators.

use crate::support::wait::until;
use crate::support::{Result, now};
use crate::world::{ADMIN, READ, World};
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};
use std::time::Duration;

const PATH: &str = "/v1/revocations";

async fn revoke(world: &World, body: &Value) -> Result<Value> {
    let answer = world.send(Method::POST, PATH, body.to_string()).await?;
    assert_eq!((answer.status, answer.header("content-type")), (201, Some("application/json")), "{answer:?}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    answer.json()
}

async fn listed(world: &World, query: &str) -> Result<Vec<Value>> {
    Ok(world.look(&format!("{PATH}{query}")).await?["revocations"].as_array().cloned().unwrap())
}

#[tokio::test]
async fn what_is_revoked_is_listed_the_newest_first() -> Result<()> {
    let world = World::start().await?;
    assert_eq!(world.get(PATH, READ).await?.body, "{\"revocations\":[]}\n");
    let key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let targets = [
        ("principal", json!("spiffe://example.org/web")),
        ("task", json!("run 7")),
        ("key", json!(key)),
        ("attester", json!("attester")),
        ("all", json!(true)),
    ];
    let mut made = Vec::new();
    for (kind, value) in &targets {
        let one = revoke(&world, &json!({ *kind: value, "reason": format!("the {kind} is lost") })).await?;
        assert_eq!(one["id"].as_str().map(str::len), Some(32), "{one}");
        assert!(one["not_before"].as_u64().unwrap().abs_diff(now()) < 60, "{one}");
        assert_eq!(one.as_object().unwrap().len(), 2, "{one}");
        let value = if *kind == "all" { &Value::Null } else { value };
        let reason = format!("the {kind} is lost");
        made.push(json!({
            "id": one["id"], "kind": kind, "value": value, "not_before": one["not_before"], "source": "operator",
            "reason": reason,
        }));
    }
    made.reverse();
    assert_eq!(listed(&world, "").await?, made);
    assert_eq!(listed(&world, "?limit=2").await?, made[..2]);
    assert_eq!(listed(&world, "?limit=100000").await?, made);
    let counted = world.gate.stepgate.count("stepgate_revocations_total", &[("source", "operator")]).await?;
    assert_eq!(counted, 5);
    Ok(())
}

#[tokio::test]
async fn an_identity_is_revoked_by_all_its_names() -> Result<()> {
    let world = World::start().await?;
    let identities = "identities:\n  - { match: web, aliases: [billing-web, \"spiffe://example.org/web\"] }\n";
    world.gate.replace_policy(&format!("{}\n{identities}", world.gate.policy()?))?;
    let hash = world.look("/v1/policy").await?["hash"].clone();
    world.gate.stepgate.child().signal("HUP").await?;
    until("the policy", async || world.look("/v1/policy").await.ok().filter(|found| found["hash"] != hash)).await?;
    let made = revoke(&world, &json!({ "principal": "billing-web" })).await?;
    let mut listed = listed(&world, "").await?;
    listed.reverse();
    let values: Vec<_> = listed.iter().map(|one| one["value"].as_str().unwrap()).collect();
    assert_eq!(values, ["billing-web", "web", "spiffe://example.org/web"]);
    assert_eq!((&listed[0]["id"], &listed[0]["reason"]), (&made["id"], &Value::Null));
    assert!(listed.iter().all(|one| one["not_before"] == made["not_before"]));
    Ok(())
}

#[rstest]
#[case::nothing("{}", "Say what is revoked")]
#[case::two(r#"{"principal":"web","task":"t"}"#, "names more")]
#[case::not_all(r#"{"all":false}"#, "`all` is `true`")]
#[case::all_in_words(r#"{"all":"true"}"#, "expected a boolean")]
#[case::null(r#"{"principal":null,"all":true}"#, "expected a string")]
#[case::unknown(r#"{"principle":"web"}"#, "Unknown field `principle`")]
#[case::twice(r#"{"task":"t","task":"u"}"#, "Duplicate field `task`")]
#[case::attester(r#"{"attester":"atester"}"#, "did you mean `attester`?")]
#[case::key(r#"{"key":"my-key"}"#, "SHA-256 thumbprint")]
#[case::reason(r#"{"all":true,"reason":"a\u0000b"}"#, "one line")]
#[case::a_list(r#"[["web"]]"#, "JSON object")]
#[case::empty("", "JSON object")]
#[case::cut_off(r#"{"all":tr"#, "EOF")]
#[tokio::test]
async fn what_is_unclear_is_said_and_revokes_nothing(#[case] body: &str, #[case] says: &str) -> Result<()> {
    let world = World::start().await?;
    let answer = world.send(Method::POST, PATH, body).await?;
    answer.is_problem(400, "invalid_request")?;
    assert!(answer.detail()?.contains(says), "{answer:?}");
    assert_eq!(listed(&world, "").await?, [Value::Null; 0]);
    Ok(())
}

#[tokio::test]
async fn an_attester_that_left_the_policy_can_be_insisted_on() -> Result<()> {
    let world = World::start().await?;
    world.send(Method::POST, PATH, r#"{"attester":"former"}"#).await?.is_problem(400, "invalid_request")?;
    revoke(&world, &json!({ "attester": "former", "unlisted": true })).await?;
    assert_eq!(listed(&world, "").await?[0]["value"], "former");
    Ok(())
}

#[tokio::test]
async fn who_may_look_may_not_revoke() -> Result<()> {
    let world = World::start().await?;
    world.send_as(READ, Method::POST, PATH, r#"{"all":true}"#).await?.is_problem(403, "insufficient_role")?;
    let nobody = "0123456789abcdef0123456789abcdef";
    world.send_as(nobody, Method::POST, PATH, r#"{"all":true}"#).await?.is_problem(401, "invalid_token")?;
    assert_eq!(listed(&world, "").await?, [Value::Null; 0]);
    Ok(())
}

#[tokio::test]
async fn a_body_has_its_bounds_and_is_json_whatever_it_is_called() -> Result<()> {
    let world = World::start().await?;
    let long = format!(r#"{{"all":true,"reason":"{}"}}"#, "x".repeat(65_536));
    world.send(Method::POST, PATH, long).await?.is_problem(413, "content_too_large")?;
    let url = format!("http://{}{PATH}", world.gate.stepgate.admin);
    for content_type in ["application/x-www-form-urlencoded", "application/json; charset=utf-8"] {
        let request = crate::support::http().build()?.post(&url).bearer_auth(ADMIN);
        let request = request.header("content-type", content_type).body(r#"{"principal":"web"}"#);
        assert_eq!(request.send().await?.status(), 201, "as curl sends it, and as others do");
    }
    world.send(Method::PUT, PATH, "{}").await?.is_problem(405, "method_not_allowed")?;
    world.send(Method::DELETE, PATH, "").await?.is_problem(405, "method_not_allowed")
}

#[rstest]
#[case("limit=0")]
#[case("limit=-1")]
#[case("limit=")]
#[case("limit=all")]
#[case("limit=99999999999999999999999")]
#[case("limit=1&limit=2")]
#[case("since=5")]
#[tokio::test]
async fn a_bad_query_is_told_so(#[case] query: &str) -> Result<()> {
    let world = World::start().await?;
    for path in [PATH, "/v1/grants"] {
        world.get(&format!("{path}?{query}"), READ).await?.is_problem(400, "invalid_request")?;
    }
    Ok(())
}

#[tokio::test]
async fn many_records_are_listed_whole() -> Result<()> {
    let world = World::start().await?;
    let client = crate::support::http().build()?;
    let url = format!("http://{}{PATH}", world.gate.stepgate.admin);
    for number in 0..400 {
        let body = json!({ "task": format!("run {number} {}", "x".repeat(100)) }).to_string();
        let request = client.post(&url).bearer_auth(ADMIN).header("content-type", "application/json").body(body);
        assert_eq!(request.timeout(Duration::from_secs(10)).send().await?.status(), 201);
    }
    let listed = listed(&world, "").await?;
    assert_eq!(listed.len(), 400);
    let newest = listed[0]["value"].as_str().unwrap();
    assert!(newest.starts_with("run 399 ") || listed[0]["not_before"] == listed[1]["not_before"], "{newest}");
    Ok(())
}

#[tokio::test]
async fn every_revocation_is_logged_with_who_made_it_and_without_the_token() -> Result<()> {
    let world = World::start_with(&["--log-level", "trace"]).await?;
    revoke(&world, &json!({ "task": "run\n7", "reason": "it ran away" })).await?;
    let said = world.said();
    let lines: Vec<_> = said.lines().filter(|line| line.contains("revoked")).collect();
    assert_eq!(lines.len(), 1, "{said}");
    for part in ["alice", "task", "it ran away"] {
        assert!(lines[0].contains(part), "{part}: {}", lines[0]);
    }
    assert!(!said.contains(ADMIN) && !said.contains("run\n7"), "{said}");
    Ok(())
}
