//! The file of tokens: what is wrong with one, and how it is followed.

use crate::support::Result;
use crate::support::issuers::Issuers;
use crate::support::repository;
use crate::support::stepgate::binary;
use crate::support::wait::until;
use crate::world::{ADMIN, READ, World};
use rstest::rstest;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

const NEW: &str = "c4r010123456789abcdef0123456789abcdef";

async fn status(world: &World, token: &str) -> Option<u16> {
    world.get("/v1/policy", token).await.ok().map(|answer| answer.status)
}

#[tokio::test]
async fn a_token_that_is_taken_out_is_void_and_a_new_one_good() -> Result<()> {
    let world = World::start().await?;
    fs::write(world.token_file(), format!("bob read {READ}\ncarol admin {NEW}\n"))?;
    world.gate.stepgate.child().signal("HUP").await?;
    let begun = Instant::now();
    until("the new token", async || status(&world, NEW).await.filter(|status| *status == 200)).await?;
    assert!(begun.elapsed() < Duration::from_secs(1), "a hangup is heard at once");
    assert_eq!((status(&world, ADMIN).await, status(&world, READ).await), (Some(401), Some(200)));

    fs::write(world.token_file(), "# nobody\n")?;
    until("nobody to be let in", async || status(&world, NEW).await.filter(|status| *status == 401)).await?;
    until("a warning", async || world.said().contains("there are no admin tokens").then_some(())).await
}

#[tokio::test]
async fn a_bad_file_is_said_once_and_the_last_good_tokens_stay() -> Result<()> {
    let world = World::start().await?;
    fs::write(world.token_file(), format!("carol admin {NEW}\nalice {ADMIN} admin\n"))?;
    world.gate.stepgate.child().signal("HUP").await?;
    let refused = "admin tokens refused, the last good ones stay: the role in line 2";
    until("a word of it", async || world.said().contains(refused).then_some(())).await?;
    world.gate.stepgate.child().signal("HUP").await?;
    world.gate.stepgate.child().signal("HUP").await?;
    assert_eq!((status(&world, ADMIN).await, status(&world, NEW).await), (Some(200), Some(401)));
    fs::remove_file(world.token_file())?;
    world.gate.stepgate.child().signal("HUP").await?;
    until("a word of it", async || world.said().contains("No such file").then_some(())).await?;
    assert_eq!(status(&world, ADMIN).await, Some(200));
    let said = world.said();
    assert_eq!(said.matches(refused).count(), 1, "{said}");
    assert!(!said.contains(ADMIN) && !said.contains(NEW));
    Ok(())
}

#[tokio::test]
async fn a_file_that_others_may_read_is_warned_of() -> Result<()> {
    let world = World::start().await?;
    fs::set_permissions(world.token_file(), fs::Permissions::from_mode(0o644))?;
    fs::write(world.token_file(), format!("carol admin {NEW}\n"))?;
    let warning = "others may read the admin tokens; make the file 0600";
    until("a warning", async || world.said().contains(warning).then_some(())).await
}

#[rstest]
#[case::missing(None, &["No such file"])]
#[case::short(Some("alice admin 5ca1ab1e"), &["line 1", "32"])]
#[case::swapped(Some("\nalice 5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e admin"), &["line 2", "`read` nor `admin`"])]
#[case::token_alone(Some("5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e"), &["line 1", "a name, a role and a token"])]
fn a_bad_file_keeps_it_from_starting_and_is_not_shown(#[case] file: Option<&str>, #[case] says: &[&str]) -> Result<()> {
    let dir = tempfile::tempdir()?;
    Issuers::new()?.write_jwks(dir.path())?;
    let (policy, tokens) = (dir.path().join("policy.yaml"), dir.path().join("admin.tokens"));
    fs::copy(repository("tests/policies/answers.yaml"), &policy)?;
    if let Some(text) = file {
        fs::write(&tokens, text)?;
    }
    let mut command = assert_cmd::Command::new(binary()?);
    command.env("STEPGATE_LISTEN", "127.0.0.1:0").env("STEPGATE_ADMIN", "127.0.0.1:0");
    // As the environment has it.
    command.env("STEPGATE_ADMIN_TOKEN_FILE", &tokens).arg("serve").arg("--policy").arg(&policy);
    let output = command.timeout(Duration::from_secs(20)).output()?;
    let said = String::from_utf8(output.stderr)?;
    assert_eq!(output.status.code(), Some(1), "{said}");
    for text in ["admin tokens", "admin.tokens"].iter().chain(says) {
        assert!(said.contains(text), "`{text}` is not in: {said}");
    }
    assert!(!said.contains("5ca1ab1e"), "{said}");
    Ok(())
}
