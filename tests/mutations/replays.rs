//! What was shown before: the very call again, and with every change on its way that a new call passes with.

use crate::actor::Actor;
use crate::change::{Call, Kind};
use crate::excuses::Excuse;
use crate::support::Result;
use crate::tally::source;
use crate::way::{Role, Way};
use crate::{Scene, gate};
use std::sync::Arc;
use tokio::task::JoinSet;

const REPLAYED: &str = "proof_replayed";
/// As many as could meet in one moment.
const AT_ONCE: usize = 16;

impl Actor {
    /// The reason of the refusal; nothing where it is allowed.
    async fn refusal(&self, call: &Call, network: usize) -> Result<Option<String>> {
        let verdict = self.gate.authz.send(call.told(&source(network))).await?;
        if verdict.is_allowed() { Ok(None) } else { Ok(Some(verdict.refusal()?.reason)) }
    }

    /// A call that has passed, and so has spent its proof.
    async fn spent(&self, network: usize) -> Result<Call> {
        let call = self.call(&self.target(), None)?;
        assert_eq!(self.refusal(&call, network).await?, None, "{}", self.way.name());
        Ok(call)
    }
}

fn spent_ways() -> impl Iterator<Item = Way> {
    Way::ALL.into_iter().filter(|way| way.is_spent())
}

#[tokio::test]
async fn a_call_that_passed_does_not_pass_again_whatever_is_changed_on_its_way() -> Result<()> {
    let gate = gate().await?;
    let mut tried = 0;
    for way in spent_ways() {
        let scene = Scene::set(&gate, way)?;
        let changes = scene.changes()?;
        let passing = changes.iter().filter(|change| {
            // A mixed call may have a new proof, and is then a new call.
            change.is_on_the_way() && change.kind != Kind::Mixed && Excuse::of(&change.name(way)).is_some()
        });
        for (network, change) in passing.enumerate() {
            let mut call = scene.actor.spent(network).await?;
            assert_eq!(scene.actor.refusal(&call, network).await?.as_deref(), Some(REPLAYED), "{}", way.name());
            change.alter(&mut call, &scene)?;
            let reason = scene.actor.refusal(&call, network).await?;
            assert_eq!(reason.as_deref(), Some(REPLAYED), "{}", change.name(way));
            tried += 1;
        }
    }
    println!("{tried} changes to calls that had passed; none passed again");
    Ok(())
}

#[tokio::test]
async fn a_call_that_is_shown_many_times_at_once_passes_once() -> Result<()> {
    let gate = gate().await?;
    for way in spent_ways() {
        let actor = Arc::new(Actor::new(&gate, way, crate::NAME)?);
        let call = Arc::new(actor.call(&actor.target(), None)?);
        let mut shown = JoinSet::new();
        for network in 0..AT_ONCE {
            let (actor, call) = (Arc::clone(&actor), Arc::clone(&call));
            shown.spawn(async move { actor.refusal(&call, network).await });
        }
        let mut passed = 0;
        while let Some(refusal) = shown.join_next().await {
            match refusal?? {
                None => passed += 1,
                Some(reason) => assert_eq!(reason, REPLAYED, "{}", way.name()),
            }
        }
        assert_eq!(passed, 1, "{}", way.name());
    }
    Ok(())
}

/// The statement is its own proof, and single use means that it passes once however its signature is written.
#[tokio::test]
async fn a_statement_does_not_pass_twice_under_its_other_signature() -> Result<()> {
    let actor = Actor::new(&gate().await?, Way::JwtChallenge, crate::NAME)?;
    let mut call = actor.spent(0).await?;
    let shown = call.of_mut(Role::Attestation).ok_or("no statement")?;
    let other = crate::letters::with_other_signature(shown.token());
    assert_ne!(shown.token(), other);
    shown.set_token(&other);
    assert_eq!(actor.refusal(&call, 0).await?.as_deref(), Some(REPLAYED));
    Ok(())
}

/// It is not a proof that can be stolen: whoever shows it again has the certificate's key.
#[tokio::test]
async fn what_is_bound_to_the_certificate_may_be_shown_again_with_it() -> Result<()> {
    let actor = Actor::new(&gate().await?, Way::JwtCertificate, crate::NAME)?;
    let call = actor.spent(0).await?;
    assert_eq!(actor.refusal(&call, 0).await?, None);
    Ok(())
}
