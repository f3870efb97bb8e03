//! Keys that an agent tells of, each for the workloads of its own trust domain.

use crate::agent::Agent;
use crate::support::Result;
use crate::support::issuers::bearer;
use crate::support::wait::until;
use crate::world::{ATTESTER_FILE, Ground, World, key};
use stepgate::mint::SigningKey;

const OWN: &str = "spiffe://example.org/ns/billing/sa/web";
const PARTNER: &str = "spiffe://partner.example/web";

async fn start(agent: &Agent, ground: Ground) -> Result<World> {
    let keys = format!("{{ spiffe: \"unix:{}\" }}", agent.socket.display());
    ground.start(&keys, ATTESTER_FILE).await
}

/// A JWT-SVID.
fn svid(subject: &str, key: &SigningKey) -> Result<String> {
    Ok(bearer(subject, "payments:read").sign(key)?)
}

#[tokio::test]
async fn a_federated_bundle_vouches_for_nobody_elses_workloads() -> Result<()> {
    let ground = Ground::new()?;
    let (own, partner) = (key()?, key()?);
    let agent = Agent::start(ground.dir(), &[("example.org", &[&own]), ("partner.example", &[&partner])])?;
    let world = start(&agent, ground).await?;
    assert_eq!((world.keys("idp").await?, agent.refused()), (2, 0));
    assert!(world.read(&svid(OWN, &own)?).await?.is_allowed());
    assert!(world.read(&svid(PARTNER, &partner)?).await?.is_allowed());
    for subject in [OWN, "billing-web", "spiffe://partner.example.org/web", "spiffe://partner.example@example.org/web"]
    {
        assert_eq!(world.reason(&svid(subject, &partner)?).await?, "credential_unknown_key", "{subject}");
    }
    assert_eq!(world.reason(&svid(PARTNER, &own)?).await?, "credential_unknown_key");
    Ok(())
}

#[tokio::test]
async fn a_key_that_leaves_a_bundle_takes_what_it_signed_along() -> Result<()> {
    let ground = Ground::new()?;
    let (old, new) = (key()?, key()?);
    let agent = Agent::start(ground.dir(), &[("example.org", &[&old])])?;
    let world = start(&agent, ground).await?;
    let token = svid(OWN, &old)?;
    assert!(world.read(&token).await?.is_allowed());
    agent.tell(&[("example.org", &[&new])]);
    world.until_reason(&token, "credential_unknown_key").await?;
    assert!(world.read(&svid(OWN, &new)?).await?.is_allowed());
    // Nothing at all is no bundle: what was told last stays.
    agent.tell(&[]);
    until("the refusal", async || world.looks("idp", "refused").await.ok().filter(|count| *count == 1)).await?;
    assert!(world.read(&svid(OWN, &new)?).await?.is_allowed());
    Ok(())
}

#[tokio::test]
async fn an_agent_that_is_away_takes_no_keys_along_and_is_found_again() -> Result<()> {
    let ground = Ground::new()?;
    let dir = ground.dir().to_owned();
    let (old, new) = (key()?, key()?);
    let mut agent = Agent::start(&dir, &[("example.org", &[&old])])?;
    let world = start(&agent, ground).await?;
    agent.stop().await;
    until("the loss", async || world.looks("idp", "failed").await.ok().filter(|count| *count > 0)).await?;
    assert!(world.read(&svid(OWN, &old)?).await?.is_allowed());
    let _agent = Agent::start(&dir, &[("example.org", &[&new])])?;
    world.until_reason(&svid(OWN, &new)?, "routine").await?;
    assert_eq!(world.reason(&svid(OWN, &old)?).await?, "credential_unknown_key");
    Ok(())
}

#[tokio::test]
async fn without_its_agent_it_is_not_ready() -> Result<()> {
    let ground = Ground::new()?;
    let keys = format!("{{ spiffe: \"unix:{}\" }}", ground.dir().join("agent.sock").display());
    let world = ground.launch(&keys, ATTESTER_FILE).await?;
    assert_eq!(world.stepgate.obstacles().await?.as_deref(), Some("keys of idp\n"));
    assert_eq!(world.reason(&svid(OWN, &key()?)?).await?, "keys_unavailable");
    Ok(())
}
