//! Changed files: a good policy comes into force whole, a bad one is said once and changes nothing.

use crate::support::Result;
use crate::support::authz::{Ask, Authz};
use crate::support::gate::Gate;
use crate::support::issuers::Issuers;
use crate::support::stepgate::{Listen, Stepgate};
use crate::support::wait::until;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Files are looked at every two seconds; what is more is the machine's.
const SOON: Duration = Duration::from_secs(6);
/// More than two looks.
const A_WHILE: Duration = Duration::from_secs(5);

async fn reloads(stepgate: &Stepgate, outcome: &str) -> Result<u64> {
    stepgate.count("stepgate_policy_reloads_total", &[("outcome", outcome)]).await
}

/// Waits until that many reloads came to this.
async fn reach(stepgate: &Stepgate, outcome: &str, count: u64) -> Result<Duration> {
    let begun = Instant::now();
    let counted = async || reloads(stepgate, outcome).await.ok();
    until("a reload", async || counted().await.filter(|found| *found >= count)).await?;
    assert_eq!(reloads(stepgate, outcome).await?, count);
    Ok(begun.elapsed())
}

/// Whether anybody may call this path.
async fn is_open(authz: &Authz, path: &str) -> Result<bool> {
    Ok(authz.check(&Ask::new("GET", path)).await?.is_allowed())
}

/// The policy with the open route somewhere else.
fn opened(policy: &str, path: &str) -> String {
    let moved = policy.replace("path: \"/x\"", &format!("path: \"{path}\""));
    assert_ne!(moved, policy);
    moved
}

#[tokio::test]
async fn a_changed_policy_comes_into_force() -> Result<()> {
    let gate = Gate::start("answers").await?;
    assert!(is_open(&gate.authz, "/x").await?);
    gate.replace_policy(&opened(&gate.policy()?, "/y"))?;
    let took = reach(&gate.stepgate, "accepted", 1).await?;
    assert!(took < SOON, "{took:?}");
    assert!(is_open(&gate.authz, "/y").await?);
    assert!(!is_open(&gate.authz, "/x").await?);
    Ok(())
}

#[tokio::test]
async fn a_file_that_is_written_again_as_it_was_is_no_reload() -> Result<()> {
    let gate = Gate::start("answers").await?;
    gate.replace_policy(&gate.policy()?)?;
    sleep(A_WHILE).await;
    assert_eq!(reloads(&gate.stepgate, "accepted").await?, 0);
    Ok(())
}

/// Several times in a row, which the two-second look alone would not do.
#[tokio::test]
async fn a_hangup_reloads_at_once() -> Result<()> {
    let gate = Gate::start("answers").await?;
    let policy = gate.policy()?;
    for count in 1..=5 {
        gate.replace_policy(&opened(&policy, &format!("/y{count}")))?;
        gate.stepgate.child().signal("HUP").await?;
        let took = reach(&gate.stepgate, "accepted", count).await?;
        assert!(took < Duration::from_secs(1), "{took:?}");
    }
    Ok(())
}

/// Writes a version of a `ConfigMap` and makes it the current one, as the kubelet does.
fn publish(volume: &Path, version: &str, policy: &str, issuers: &Issuers) -> Result<()> {
    let folder = volume.join(version);
    fs::create_dir(&folder)?;
    fs::write(folder.join("policy.yaml"), policy)?;
    issuers.write_jwks(&folder)?;
    symlink(version, volume.join("..data_tmp"))?;
    Ok(fs::rename(volume.join("..data_tmp"), volume.join("..data"))?)
}

#[tokio::test]
async fn a_config_map_is_followed_over_the_swap_of_its_link() -> Result<()> {
    let (volume, issuers) = (tempfile::tempdir()?, Issuers::new()?);
    let policy = fs::read_to_string(crate::support::repository("tests/policies/answers.yaml"))?;
    publish(volume.path(), "..2026_11_23", &policy, &issuers)?;
    for file in ["policy.yaml", "idp.jwks.json", "attester.jwks.json"] {
        symlink(Path::new("..data").join(file), volume.path().join(file))?;
    }
    let stepgate = Stepgate::start(volume.path(), &Listen::any(), &[]).await?;
    let authz = Authz::connect(&stepgate.listen).await?;
    assert!(is_open(&authz, "/x").await?);

    publish(volume.path(), "..2026_11_24", &opened(&policy, "/y"), &issuers)?;
    fs::remove_dir_all(volume.path().join("..2026_11_23"))?;
    let took = reach(&stepgate, "accepted", 1).await?;
    assert!(took < SOON, "{took:?}");
    assert!(is_open(&authz, "/y").await? && !is_open(&authz, "/x").await?);
    Ok(())
}

#[tokio::test]
async fn a_bad_policy_is_refused_once_and_the_last_good_one_stays() -> Result<()> {
    let gate = Gate::start("answers").await?;
    let good = gate.policy()?;
    gate.replace_policy(&opened(&good, "/y").replace("sensitivity: low", "sensitivity: lowest"))?;
    reach(&gate.stepgate, "rejected", 1).await?;
    sleep(A_WHILE).await;
    assert_eq!(reloads(&gate.stepgate, "rejected").await?, 1);
    assert_eq!(reloads(&gate.stepgate, "accepted").await?, 0);
    assert_eq!(gate.stepgate.get("/readyz").await?, "ok\n");
    assert!(is_open(&gate.authz, "/x").await? && !is_open(&gate.authz, "/y").await?);
    let log = gate.stepgate.child().stderr();
    assert_eq!(log.iter().filter(|line| line.contains("lowest")).count(), 1, "{log:?}");

    gate.replace_policy(&opened(&good, "/y"))?;
    reach(&gate.stepgate, "accepted", 1).await?;
    assert!(is_open(&gate.authz, "/y").await?);
    Ok(())
}

#[tokio::test]
async fn a_key_file_that_is_gone_is_refused_and_the_last_good_keys_stay() -> Result<()> {
    let gate = Gate::start("answers").await?;
    let token = gate.issuers.bearer(crate::NAME, crate::SCOPES)?;
    fs::remove_file(gate.dir().join("idp.jwks.json"))?;
    reach(&gate.stepgate, "rejected", 1).await?;
    let call = Ask::new("GET", crate::READ).header("authorization", format!("Bearer {token}"));
    gate.check(&call).await?.allowed()?;
    gate.issuers.write_jwks(gate.dir())?;
    sleep(A_WHILE).await;
    gate.check(&call).await?.allowed().map(drop)
}

#[tokio::test]
async fn calls_are_decided_while_policies_change() -> Result<()> {
    let gate = Gate::start("answers").await?;
    let policy = gate.policy()?;
    for round in 1..=20 {
        // The same route under another name each time, so that only the policy changes and no answer.
        gate.replace_policy(&policy.replace("name: open,", &format!("name: open{round},")))?;
        gate.stepgate.child().signal("HUP").await?;
        for _ in 0..20 {
            assert!(is_open(&gate.authz, "/x").await?);
        }
    }
    Ok(())
}
