//! One process and its own file, `--state file:PATH`: what counted before it was killed counts after.

use crate::support::Result;
use crate::support::authz::Authz;
use crate::support::gate::Gate;
use crate::support::holder::Holder;
use crate::support::stepgate::{Listen, Stepgate};
use crate::support::wait::until;
use crate::support::workload::Workload;
use crate::world::{Operator, READ, REFUND, TASK, WEB, tokens};
use std::fs::{self, OpenOptions};
use tempfile::TempDir;

const REVOKED: &str = "spiffe://example.org/ns/billing/sa/revoked";

struct World {
    gate: Gate,
    web: Holder,
    folder: TempDir,
}

impl World {
    async fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join("admin.tokens"), tokens())?;
        let gate = Gate::start_with("grants", &arguments(&folder).each_ref().map(|text| &**text)).await?;
        let web = Holder::new(&gate.issuers, WEB)?;
        Ok(Self { gate, web, folder })
    }

    async fn start_again(&mut self) -> Result<()> {
        self.gate.stepgate.start_again().await?;
        self.gate.authz = Authz::connect(&self.gate.stepgate.listen).await?;
        Ok(())
    }
}

fn arguments(folder: &TempDir) -> [String; 4] {
    let path = |name| folder.path().join(name).display().to_string();
    ["--admin-token-file".to_owned(), path("admin.tokens"), "--state".to_owned(), format!("file:{}", path("state"))]
}

#[tokio::test]
async fn what_was_revoked_and_used_before_a_kill_is_so_after_it() -> Result<()> {
    let mut world = World::start().await?;
    let read = Workload::new(&world.gate.issuers, REVOKED, "payments:read")?.call("GET", READ);
    assert_eq!(world.gate.check(&read).await?.said(), ("allow", "routine"));
    let proven = world.web.attested(&world.gate.issuers, "POST", REFUND, TASK)?;
    assert_eq!(world.gate.check(&proven).await?.said(), ("allow", "attested"));
    let id = Operator::of(&world.gate.stepgate)?.revoke(REVOKED).await?;
    world.gate.stepgate.kill().await?;
    world.start_again().await?;
    assert_eq!(world.gate.check(&read).await?.said(), ("deny", "credential_revoked"));
    assert_eq!(world.gate.check(&proven).await?.said(), ("deny", "proof_replayed"));
    assert_eq!(Operator::of(&world.gate.stepgate)?.revocations().await?, [id].into());
    let again = world.web.attested(&world.gate.issuers, "POST", REFUND, TASK)?;
    assert_eq!(world.gate.check(&again).await?.said(), ("allow", "attested"));
    Ok(())
}

/// As a power cut leaves it.
#[tokio::test]
async fn a_file_that_lost_its_last_bytes_is_taken_and_that_is_said() -> Result<()> {
    let mut world = World::start().await?;
    let read = Workload::new(&world.gate.issuers, REVOKED, "payments:read")?.call("GET", READ);
    Operator::of(&world.gate.stepgate)?.revoke(REVOKED).await?;
    world.gate.check(&world.web.attested(&world.gate.issuers, "POST", REFUND, TASK)?).await?.allowed()?;
    world.gate.stepgate.kill().await?;
    let file = OpenOptions::new().write(true).open(world.folder.path().join("state"))?;
    file.set_len(file.metadata()?.len() - 5)?;
    world.start_again().await?;
    assert_eq!(world.gate.check(&read).await?.said(), ("deny", "credential_revoked"));
    let stepgate = &world.gate.stepgate;
    let is_said = |line: &String| line.contains("the last record of the state was torn, and is cut off");
    until("the log to say so", async || stepgate.child().stderr().iter().any(is_said).then_some(())).await
}

#[tokio::test]
async fn a_file_that_another_process_uses_is_refused() -> Result<()> {
    let world = World::start().await?;
    let (policy, keys) = (world.gate.dir().join("policy.yaml"), arguments(&world.folder));
    let second = Stepgate::launch(&policy, &Listen::any(), &keys.each_ref().map(|text| &**text)).await;
    let why = second.err().ok_or("it was taken by two")?.to_string();
    assert!(why.contains("exit status: 1") && why.contains("is used by another process"), "{why}");
    assert_eq!(world.gate.check(&world.web.plain("GET", READ)?).await?.said(), ("allow", "routine"));
    Ok(())
}
