//! Security events as transmitters push them (RFC 8935), and what becomes of the callers they speak of.

use crate::support::authz::Ask;
use crate::support::issuers::{IDP, bearer};
use crate::support::{Result, http, now, repository};
use crate::world::{Answer, World};
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};
use std::fs;
use std::time::Duration;
use stepgate::mint::{Jwt, SigningKey};
use tokio::time::sleep;

const EVENT: &str = "application/secevent+jwt";
const WEB: &str = "billing-web";

async fn receiving() -> Result<World> {
    let policy = fs::read_to_string(repository("tests/policies/answers.yaml"))?;
    World::start_under(&format!("{policy}\nevents: {{ transmitters: [idp], audiences: [stepgate] }}\n")).await
}

/// An event of CAEP's, issued now.
fn event(kind: &str, subject: &str, payload: Value) -> Jwt {
    Jwt::new("secevent+jwt")
        .claim("iss", IDP)
        .claim("jti", "one")
        .claim("iat", now())
        .claim("aud", "stepgate")
        .claim("sub_id", json!({ "format": "opaque", "id": subject }))
        .claim("events", json!({ format!("https://schemas.openid.net/secevent/caep/event-type/{kind}"): payload }))
}

fn revoked_session() -> Jwt {
    event("session-revoked", WEB, json!({}))
}

impl World {
    async fn push(&self, content_type: &str, body: impl Into<String>) -> Result<Answer> {
        let url = format!("http://{}/v1/events", self.gate.stepgate.admin);
        let request = http().build()?.post(url).header("content-type", content_type).body(body.into());
        Answer::of(request.send().await?).await
    }

    async fn transmit(&self, event: &Jwt) -> Result<Answer> {
        self.push(EVENT, event.sign(&self.gate.issuers.idp)?).await
    }

    /// What becomes of a call with this token.
    async fn call(&self, token: &str) -> Result<String> {
        let ask = Ask::new("GET", "/v1/payments/7").header("authorization", format!("Bearer {token}"));
        Ok(self.gate.check(&ask).await?.metadata("reason").to_owned())
    }

    fn token(&self) -> Result<String> {
        Ok(bearer(WEB, "payments:read").sign(&self.gate.issuers.idp)?)
    }
}

/// What is issued in the second of a revocation is void by it.
async fn next_second() {
    let second = now();
    while now() == second {
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_revoked_session_ends_what_was_issued_before_it() -> Result<()> {
    let world = receiving().await?;
    let (token, event) = (world.token()?, revoked_session());
    let allowed = world.call(&token).await?;
    let answer = world.transmit(&event).await?;
    assert_eq!((answer.status, &*answer.body), (202, ""));
    assert_eq!(world.call(&token).await?, "credential_revoked");
    next_second().await;
    let renewed = world.token()?;
    assert_eq!(world.call(&renewed).await?, allowed);
    // Once more is taken, and changes nothing.
    assert_eq!(world.transmit(&event).await?.status, 202);
    assert_eq!((world.call(&renewed).await?, world.call(&token).await?), (allowed, "credential_revoked".to_owned()));
    let said = world.said();
    assert!(
        said.contains("security event received") && said.contains("session-revoked") && said.contains("idp"),
        "{said}"
    );
    assert!(!said.contains(&event.sign(&world.gate.issuers.idp)?[..40]), "{said}");
    Ok(())
}

#[rstest]
#[case::verification(Jwt::new("secevent+jwt").claim("events", json!({ "https://schemas.openid.net/secevent/ssf/event-type/verification": { "state": "x" } })))]
#[case::new_credential(event("credential-change", WEB, json!({ "change_type": "create" })))]
#[case::of_nobody_known(event("session-presented", "stranger", json!({})))]
#[tokio::test]
async fn what_got_no_worse_is_taken_and_revokes_nobody(#[case] event: Jwt) -> Result<()> {
    let world = receiving().await?;
    let token = world.token()?;
    let before = world.call(&token).await?;
    let event = event.claim("iss", IDP).claim("jti", "one").claim("iat", now()).claim("aud", "stepgate");
    assert_eq!(world.transmit(&event).await?.status, 202);
    assert_eq!(world.call(&token).await?, before);
    Ok(())
}

#[rstest]
#[case::access_token(revoked_session().header("typ", "at+jwt"), "invalid_request")]
#[case::plain_subject(revoked_session().claim("sub", WEB), "invalid_request")]
#[case::expiry(revoked_session().claim("exp", now() + 60), "invalid_request")]
#[case::no_events(revoked_session().without("events"), "invalid_request")]
#[case::another_issuer(revoked_session().claim("iss", "https://attest.example.com"), "invalid_issuer")]
#[case::another_key(revoked_session().header("kid", "x"), "invalid_key")]
#[case::another_audience(revoked_session().claim("aud", "https://sp.example.com"), "invalid_audience")]
#[case::anothers_subject(event("session-revoked", "payroll", json!({})), "access_denied")]
#[tokio::test]
async fn what_is_wrong_is_said_in_the_words_of_rfc_8935(#[case] event: Jwt, #[case] code: &str) -> Result<()> {
    let world = receiving().await?;
    let token = world.token()?;
    let before = world.call(&token).await?;
    refused(&world.transmit(&event).await?, code)?;
    assert_eq!(world.call(&token).await?, before);
    Ok(())
}

fn refused(answer: &Answer, code: &str) -> Result<()> {
    assert_eq!((answer.status, answer.header("content-type")), (400, Some("application/json")), "{answer:?}");
    assert_eq!((answer.header("content-language"), answer.header("cache-control")), (Some("en"), Some("no-store")));
    let fault: Value = serde_json::from_str(&answer.body)?;
    assert_eq!(fault["err"], code);
    assert!(fault["description"].as_str().is_some_and(|text| !text.is_empty()), "{fault}");
    Ok(())
}

#[tokio::test]
async fn only_a_signed_event_of_that_type_and_method_is_taken() -> Result<()> {
    let world = receiving().await?;
    let token = revoked_session().sign(&world.gate.issuers.idp)?;
    for content_type in ["application/json", "application/jwt", "text/plain", "application/secevent+jwts"] {
        refused(&world.push(content_type, &token).await?, "invalid_request")?;
    }
    let forged = revoked_session().header("kid", world.gate.issuers.idp.kid());
    refused(&world.push(EVENT, forged.sign(&world.gate.issuers.attester)?).await?, "invalid_key")?;
    refused(&world.push(EVENT, "").await?, "invalid_request")?;
    world.push(EVENT, "x".repeat(65_537)).await?.is_problem(413, "content_too_large")?;
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        world.ask(method, "/v1/events", &[]).await?.is_problem(405, "method_not_allowed")?;
    }
    assert_eq!(world.push("Application/SecEvent+JWT; charset=utf-8", &token).await?.status, 202);
    Ok(())
}

#[tokio::test]
async fn a_policy_without_transmitters_says_how_to_name_one() -> Result<()> {
    let world = World::start().await?;
    world.transmit(&revoked_session()).await?.is_problem(403, "events_off")
}

#[tokio::test]
async fn whoever_keeps_pushing_what_is_refused_waits_and_fills_no_log() -> Result<()> {
    let world = receiving().await?;
    let stranger = SigningKey::generate(stepgate::mint::Algorithm::Es256)?;
    for _ in 0..11 {
        refused(&world.push(EVENT, revoked_session().sign(&stranger)?).await?, "invalid_key")?;
    }
    let begun = std::time::Instant::now();
    assert_eq!(world.transmit(&revoked_session()).await?.status, 202);
    assert!(begun.elapsed() >= Duration::from_millis(500), "{:?}", begun.elapsed());
    assert_eq!(world.said().matches("was not taken").count(), 1);
    Ok(())
}
