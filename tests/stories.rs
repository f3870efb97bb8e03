//! The examples that tell a story, run as users run them: each checks itself what it tells.

mod support;

use rstest::rstest;
use support::{Result, stepgate::binary};
use tokio::process::Command;

/// `cargo test` builds the examples. With `--test stories` alone it doesn't.
#[rstest]
#[case("agents")]
#[case("ci")]
#[case("replicas")]
#[tokio::test]
async fn the_story_of_an_example_goes_as_told(#[case] name: &str) -> Result<()> {
    let stepgate = binary()?;
    let example = stepgate.with_file_name("examples").join(name);
    let mut command = Command::new(&example);
    let output = command.env("STEPGATE", stepgate).kill_on_drop(true).output().await;
    let output = output.map_err(|why| format!("{}: {why}; run `cargo build --examples`", example.display()))?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
