//! Grants as operators see, end and give them.

use crate::support::wait::until;
use crate::support::{Result, now};
use crate::world::{ADMIN, Answer, READ, World};
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

const PATH: &str = "/v1/grants";
const WEB: &str = "spiffe://example.org/web";

fn request() -> Value {
    json!({ "principal": WEB, "routes": ["refund"], "reason": "the attester is down", "ttl": "30m" })
}

async fn break_glass(world: &World, body: &Value) -> Result<Answer> {
    world.send(Method::POST, PATH, body.to_string()).await
}

/// Grants, and gives back what was made.
async fn granted(world: &World) -> Result<Value> {
    let answer = break_glass(world, &request()).await?;
    assert_eq!((answer.status, answer.header("content-type")), (201, Some("application/json")), "{answer:?}");
    answer.json()
}

async fn listed(world: &World) -> Result<Vec<Value>> {
    Ok(world.look(PATH).await?["grants"].as_array().cloned().unwrap())
}

/// Has the gate judge by the same policy and these lines.
async fn change_policy(world: &World, more: &str) -> Result<()> {
    let hash = world.look("/v1/policy").await?["hash"].clone();
    world.gate.replace_policy(&format!("{}\n{more}", world.gate.policy()?))?;
    world.gate.stepgate.child().signal("HUP").await?;
    until("the policy", async || world.look("/v1/policy").await.ok().filter(|found| found["hash"] != hash)).await?;
    Ok(())
}

#[tokio::test]
async fn a_grant_by_hand_is_listed_counted_logged_and_ended() -> Result<()> {
    let world = World::start().await?;
    assert_eq!(world.get(PATH, READ).await?.body, "{\"grants\":[]}\n");
    let made = granted(&world).await?;
    let id = made["id"].as_str().unwrap();
    let expires_at: jiff::Timestamp = made["expires_at"].as_str().unwrap().parse()?;
    assert!(u64::try_from(expires_at.as_second())?.abs_diff(now() + 1_800) < 60, "{made}");

    let grants = listed(&world).await?;
    let issued_at = grants[0]["issued_at"].as_str().unwrap();
    assert_eq!(
        grants,
        [json!({
            "id": id, "kind": "break_glass", "principal": WEB, "holder": "certified", "bound_to": null,
            "assurance": null, "task": format!("break-glass:{id}"), "attester": null, "attestation": null,
            "scopes": [], "routes": ["refund"], "issued_at": issued_at, "expires_at": made["expires_at"],
            "reason": "the attester is down", "by": "alice",
        })]
    );
    let said = world.said();
    let warning = said.lines().find(|line| line.contains("break-glass grant")).unwrap();
    for part in ["WARN", "alice", WEB, "the attester is down"] {
        assert!(warning.contains(part), "{part}: {warning}");
    }
    assert!(!said.contains(ADMIN), "{said}");

    let path = format!("{PATH}/{id}");
    world.send_as(READ, Method::DELETE, &path, "").await?.is_problem(403, "insufficient_role")?;
    assert_eq!(listed(&world).await?.len(), 1);
    let answer = world.send(Method::DELETE, &path, "").await?;
    assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    assert_eq!(listed(&world).await?, [Value::Null; 0]);
    world.send(Method::DELETE, &path, "").await?.is_problem(404, "not_found")?;

    let revocations = world.look("/v1/revocations").await?["revocations"].clone();
    let one = &revocations[0];
    assert_eq!((&one["kind"], &one["value"]), (&"task".into(), &format!("break-glass:{id}").into()), "{one}");
    assert_eq!((&one["source"], &one["reason"]), (&"grant_ended".into(), &"ended by alice".into()), "{one}");
    assert_eq!(world.gate.stepgate.count("stepgate_revocations_total", &[("source", "grant_ended")]).await?, 1);
    Ok(())
}

#[rstest]
#[case::unknown_id("4711")]
#[case::nothing_like_an_id("%ff")]
#[case::of_another_form("..%2f..%2fv1%2fpolicy")]
#[tokio::test]
async fn nothing_is_ended_that_there_is_not(#[case] id: &str) -> Result<()> {
    let world = World::start().await?;
    granted(&world).await?;
    world.send(Method::DELETE, &format!("{PATH}/{id}"), "").await?.is_problem(404, "not_found")?;
    assert_eq!(listed(&world).await?.len(), 1);
    Ok(())
}

#[rstest]
#[case::more_than_an_hour("ttl", json!("61m"), "at most 1h")]
#[case::nothing_at_all("ttl", json!("0m"), "at most 1h")]
#[case::unreadable("ttl", json!("half an hour"), "no span of time")]
#[case::a_number("ttl", json!(1_800), "expected a string")]
#[case::no_ttl("ttl", Value::Null, "expected a string")]
#[case::no_reason("reason", json!(""), "one line")]
#[case::unknown_route("routes", json!(["refnud"]), "did you mean `refund`?")]
#[case::no_routes("routes", json!([]), "1 to 64")]
#[case::no_list("routes", json!("refund"), "expected a sequence")]
#[case::principal("principal", json!("two words"), "visible ASCII")]
#[case::more("scopes", json!(["admin:*"]), "Unknown field `scopes`")]
#[tokio::test]
async fn what_is_wrong_is_said_and_grants_nothing(
    #[case] member: &str,
    #[case] value: Value,
    #[case] says: &str,
) -> Result<()> {
    let world = World::start().await?;
    let mut body = request();
    body[member] = value;
    let answer = break_glass(&world, &body).await?;
    answer.is_problem(400, "invalid_request")?;
    assert!(answer.detail()?.contains(says), "{answer:?}");
    assert_eq!(listed(&world).await?, [Value::Null; 0]);
    Ok(())
}

#[rstest]
#[case("principal")]
#[case("routes")]
#[case("reason")]
#[case("ttl")]
#[tokio::test]
async fn every_member_is_needed(#[case] member: &str) -> Result<()> {
    let world = World::start().await?;
    let mut body = request();
    body.as_object_mut().unwrap().remove(member);
    let answer = break_glass(&world, &body).await?;
    answer.is_problem(400, "invalid_request")?;
    assert!(answer.detail()?.contains(&format!("Missing field `{member}`")), "{answer:?}");
    Ok(())
}

#[tokio::test]
async fn who_may_look_may_not_break_glass() -> Result<()> {
    let world = World::start().await?;
    let answer = world.send_as(READ, Method::POST, PATH, request().to_string()).await?;
    answer.is_problem(403, "insufficient_role")?;
    assert_eq!(listed(&world).await?, [Value::Null; 0]);
    Ok(())
}

#[tokio::test]
async fn who_is_suspended_gets_nothing_by_hand() -> Result<()> {
    let world = World::start().await?;
    change_policy(&world, &format!("identities:\n  - {{ match: \"{WEB}\", status: suspended }}\n")).await?;
    break_glass(&world, &request()).await?.is_problem(409, "principal_refused")?;
    assert_eq!(listed(&world).await?, [Value::Null; 0]);
    Ok(())
}

#[tokio::test]
async fn a_revocation_of_the_principal_ends_what_was_granted_and_another_second_may_grant_again() -> Result<()> {
    let world = World::start().await?;
    granted(&world).await?;
    let body = json!({ "principal": WEB }).to_string();
    assert_eq!(world.send(Method::POST, "/v1/revocations", body).await?.status, 201);
    assert_eq!(listed(&world).await?, [Value::Null; 0]);
    // In the same second, or in one that is later.
    let answer = break_glass(&world, &request()).await?;
    if answer.status != 201 {
        answer.is_problem(409, "just_revoked")?;
        until("another second", async || {
            let answer = break_glass(&world, &request()).await.ok()?;
            (answer.status == 201).then_some(())
        })
        .await?;
    }
    assert_eq!(listed(&world).await?.len(), 1);
    Ok(())
}
