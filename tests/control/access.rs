//! Who is let in, and what the others are told.

use crate::support::Result;
use crate::world::{ADMIN, READ, World};
use reqwest::Method;
use rstest::rstest;
use tokio::task::JoinSet;

const PAGES: [&str; 4] = ["/v1/policy", "/v1/decisions", "/v1/no/such/page", "/v1/"];

#[tokio::test]
async fn without_a_token_nobody_learns_what_there_is() -> Result<()> {
    let world = World::start().await?;
    for path in PAGES {
        for method in [Method::GET, Method::POST, Method::DELETE, Method::OPTIONS] {
            let answer = world.ask(method, path, &[]).await?;
            answer.is_problem(401, "invalid_token")?;
            assert_eq!(answer.header("www-authenticate"), Some(r#"Bearer realm="stepgate""#));
        }
    }
    let missing = [("reason", "token_missing")];
    assert_eq!(world.gate.stepgate.count("stepgate_control_refused_total", &missing).await?, 16);
    Ok(())
}

#[rstest]
#[case::guessed(&["Bearer 0123456789abcdef0123456789abcdef"])]
#[case::none(&["Bearer "])]
#[case::the_name(&["Bearer alice"])]
#[case::name_and_token(&["Bearer alice ad31n0123456789abcdef0123456789abcdef"])]
#[case::other_scheme(&["Basic ad31n0123456789abcdef0123456789abcdef"])]
#[case::two(&["Bearer ad31n0123456789abcdef0123456789abcdef", "Bearer ad31n0123456789abcdef0123456789abcdef"])]
#[tokio::test]
async fn a_wrong_token_is_told_so_and_is_never_logged(#[case] shown: &[&str]) -> Result<()> {
    let world = World::start_with(&["--log-level", "trace"]).await?;
    let answer = world.ask(Method::GET, "/v1/policy", shown).await?;
    answer.is_problem(401, "invalid_token")?;
    assert_eq!(answer.header("www-authenticate"), Some(r#"Bearer realm="stepgate", error="invalid_token""#));
    let said = world.said();
    assert!(said.contains("was not let in") && said.contains("token_wrong") && said.contains("127.0.0.1:"), "{said}");
    assert!(!said.contains("0123456789abcdef") && !answer.body.contains("0123456789abcdef"));
    Ok(())
}

/// A token in the query would stand in the logs of whatever lies between.
#[tokio::test]
async fn a_token_elsewhere_than_in_its_header_is_none() -> Result<()> {
    let world = World::start().await?;
    world.ask(Method::GET, &format!("/v1/policy?access_token={ADMIN}"), &[]).await?.is_problem(401, "invalid_token")
}

#[tokio::test]
async fn many_wrong_tokens_are_logged_once_and_keep_nobody_out() -> Result<()> {
    let world = World::start().await?;
    let url = format!("http://{}/v1/policy", world.gate.stepgate.admin);
    let mut guesses = JoinSet::new();
    for guess in 0..20 {
        let request = crate::support::http().build()?.get(&url).bearer_auth(format!("{guess:032}"));
        guesses.spawn(async move { Ok::<_, reqwest::Error>(request.send().await?.status().as_u16()) });
    }
    assert_eq!(world.get("/v1/policy", READ).await?.status, 200);
    for status in guesses.join_all().await {
        assert_eq!(status?, 401);
    }
    assert_eq!(world.get("/v1/policy", READ).await?.status, 200);
    let wrong = [("reason", "token_wrong")];
    assert_eq!(world.gate.stepgate.count("stepgate_control_refused_total", &wrong).await?, 20);
    assert_eq!(world.said().matches("was not let in").count(), 1);
    Ok(())
}

#[tokio::test]
async fn both_roles_may_look() -> Result<()> {
    let world = World::start().await?;
    for token in [ADMIN, READ] {
        for path in ["/v1/policy", "/v1/decisions"] {
            assert_eq!(world.get(path, token).await?.status, 200, "{path}");
        }
        world.get("/v1/no/such/page", token).await?.is_problem(404, "not_found")?;
        world.get("/v1/", token).await?.is_problem(404, "not_found")?;
        world.get("/", token).await?.is_problem(404, "not_found")?;
    }
    Ok(())
}

#[rstest]
#[case(Method::POST)]
#[case(Method::PUT)]
#[case(Method::PATCH)]
#[case(Method::DELETE)]
#[tokio::test]
async fn who_may_look_may_not_change_and_who_may_is_logged(#[case] method: Method) -> Result<()> {
    let world = World::start_with(&["--log-level", "trace"]).await?;
    for path in PAGES {
        let answer = world.ask(method.clone(), path, &[&format!("Bearer {READ}")]).await?;
        answer.is_problem(403, "insufficient_role")?;
    }
    let answer = world.ask(method.clone(), "/v1/policy?x=Qu3ry", &[&format!("Bearer {ADMIN}")]).await?;
    answer.is_problem(405, "method_not_allowed")?;
    assert_eq!(answer.header("allow"), Some("GET,HEAD"));
    let said = world.said();
    let logged: Vec<_> = said.lines().filter(|line| line.contains("control API\"") && line.contains("alice")).collect();
    assert_eq!(logged.len(), 1, "{said}");
    assert!(logged[0].contains(method.as_str()) && logged[0].contains("/v1/policy") && logged[0].contains("405"));
    assert!(!said.contains(ADMIN) && !said.contains(READ) && !said.contains("Qu3ry"), "{said}");
    Ok(())
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused_before_it_is_read() -> Result<()> {
    let world = World::start().await?;
    let url = format!("http://{}/v1/policy", world.gate.stepgate.admin);
    let request = crate::support::http().build()?.post(url).bearer_auth(ADMIN).body(vec![b'x'; 65_537]);
    assert_eq!(request.send().await?.status(), 413);
    Ok(())
}

#[tokio::test]
async fn health_and_metrics_need_no_token() -> Result<()> {
    let world = World::start().await?;
    for path in ["/livez", "/readyz", "/metrics"] {
        assert_eq!(world.ask(Method::GET, path, &[]).await?.status, 200, "{path}");
    }
    Ok(())
}
