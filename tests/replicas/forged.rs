//! Somebody else writes to the store: what is known stays in force, nothing forged counts, and who looks is told what to do.

use crate::support::Result;
use crate::support::authz::Ask;
use crate::support::gate::CHALLENGE_KEY;
use crate::support::wait::until;
use crate::support::workload::Workload;
use crate::world::{BATCH, READ, STREAM, World};
use std::collections::HashMap;

const REVOKED: [&str; 3] = [
    "spiffe://example.org/ns/billing/sa/one",
    "spiffe://example.org/ns/billing/sa/two",
    "spiffe://example.org/ns/billing/sa/three",
];
/// In the form of a seal, but nobody's.
const TAG: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Replicas that know of revocations, under a level that they can judge without the store.
struct Informed {
    world: World,
    ids: Vec<String>,
    /// What was revoked, as it would call.
    revoked: Vec<Ask>,
}

impl Informed {
    async fn start() -> Result<Self> {
        let world = World::start_without_single_use().await?;
        let (mut ids, mut revoked) = (Vec::new(), Vec::new());
        for (name, replica) in REVOKED.into_iter().zip(&world.replicas) {
            revoked.push(Workload::new(&world.issuers, name, "payments:read")?.call("GET", READ));
            ids.push(replica.operator.revoke(name).await?);
        }
        world.all_know(&ids).await?;
        Ok(Self { world, ids, revoked })
    }
}

/// What was known counts, and so does what is judged by it; what is revoked here counts here; once the stream was deleted,
/// all is as before.
async fn is_not_believed_until_it_is_deleted(informed: Informed) -> Result<()> {
    let Informed { world, mut ids, revoked } = informed;
    world.all_say_state(false).await?;
    for replica in &world.replicas {
        for call in &revoked {
            assert_eq!(replica.check(call).await?.said(), ("deny", "credential_revoked"));
        }
        assert_eq!(replica.check(&world.web.plain("GET", READ)?).await?.said(), ("allow", "routine"));
        assert_eq!(replica.check(&world.attested()?).await?.said(), ("allow", "attested"));
        let advice = format!("else delete {STREAM}, and replicas fill it anew with what they know");
        until("the log to say what to do", async || replica.logged(&advice).then_some(())).await?;
    }
    let batch = Workload::new(&world.issuers, BATCH, "payments:read")?.call("GET", READ);
    let here = &world.replicas[0];
    assert!(here.operator.revoke(BATCH).await.is_err(), "it can't be shared");
    assert_eq!(here.check(&batch).await?.said(), ("deny", "credential_revoked"));
    let late = world.launch().await?;
    assert!(late.stepgate.obstacles().await?.is_some(), "who knows nothing yet believes nothing");

    world.valkey.say::<()>(&["DEL", STREAM]).await?;
    ids.extend(here.operator.revocations().await?.into_iter().filter(|id| !ids.contains(id)).collect::<Vec<_>>());
    world.all_know(&ids).await?;
    world.all_say_state(true).await?;
    late.stepgate.ready().await?;
    late.knows_soon(&ids).await?;
    for replica in world.replicas.iter().chain([&late]) {
        assert_eq!(replica.check(&batch).await?.said(), ("deny", "credential_revoked"));
        assert_eq!(replica.operator.revocations().await?.len(), ids.len());
    }
    Ok(())
}

#[tokio::test]
async fn a_stream_that_somebody_trimmed_is_not_believed() -> Result<()> {
    let informed = Informed::start().await?;
    assert_eq!(informed.world.valkey.say::<u64>(&["XTRIM", STREAM, "MAXLEN", "1"]).await?, 2);
    is_not_believed_until_it_is_deleted(informed).await
}

/// Nothing of it is left to be wrong, and all replicas know what it was.
#[tokio::test]
async fn a_stream_that_somebody_emptied_is_filled_again() -> Result<()> {
    let Informed { world, ids, .. } = Informed::start().await?;
    assert_eq!(world.valkey.say::<u64>(&["XTRIM", STREAM, "MAXLEN", "0"]).await?, 3);
    let is_full = async || (world.valkey.say::<u64>(&["XLEN", STREAM]).await.ok()? == 3).then_some(());
    until("the stream to be filled", is_full).await?;
    world.all_say_state(true).await?;
    world.another().await?.knows_soon(&ids).await
}

/// It would revoke everything. All is as it should be, but for its seal.
#[tokio::test]
async fn an_entry_that_somebody_added_revokes_nothing() -> Result<()> {
    let informed = Informed::start().await?;
    let last: Vec<(String, HashMap<String, String>)> =
        informed.world.valkey.say(&["XREVRANGE", STREAM, "+", "-", "COUNT", "1"]).await?;
    let (id, last) = last.first().ok_or("an empty stream")?;
    assert_eq!(id, "3-0");
    let record =
        r#"{"id":"forged","kind":"all","value":null,"not_before":1800000000,"source":"operator","reason":null}"#;
    let entry = ["base", "1", "at", "1", "previous", &last["tag"], "key", &last["key"], "tag", TAG, "record", record];
    let added: String = informed.world.valkey.say(&[&["XADD", STREAM, "4-0"], &entry[..]].concat()).await?;
    assert_eq!(added, "4-0");
    is_not_believed_until_it_is_deleted(informed).await
}

/// With the seal of a grant that is genuine, for scopes and a task that it was not given for; and without any.
#[tokio::test]
async fn a_grant_that_somebody_wrote_or_changed_opens_nothing() -> Result<()> {
    let Informed { world, .. } = Informed::start().await?;
    let none_yet = world.launch().await?;
    world.replicas[0].check(&world.attested()?).await?.allowed()?;
    let places: Vec<String> = world.valkey.say(&["KEYS", "stepgate:grants:*"]).await?;
    let [place] = places.as_slice() else { return Err(format!("one place: {places:?}").into()) };
    let held: Vec<(String, String)> = world.valkey.say(&["HGETALL", place]).await?;
    let [(id, sealed)] = held.as_slice() else { return Err(format!("one grant: {held:?}").into()) };
    let forged = sealed.replace("payments:refund", "payments:wipe");
    assert_ne!(&forged, sealed);
    let bare = forged.splitn(3, '.').nth(2).unwrap_or_default();
    world.valkey.say::<()>(&["HSET", place, id, &forged, "forged", bare]).await?;

    none_yet.stepgate.ready().await?;
    let wipe = world.web.plain("DELETE", "/v1/payments")?;
    assert_eq!(none_yet.check(&wipe).await?.said(), ("step_up", "attestation_missing"));
    assert_eq!(none_yet.check(&world.plain()?).await?.said(), ("step_up", "attestation_missing"));
    let complaint = "the shared state holds a value that is not believed; it is passed over";
    until("the log to say so", async || none_yet.logged(complaint).then_some(())).await?;
    world.valkey.say::<()>(&["HSET", place, id, sealed]).await?;
    assert_eq!(none_yet.check(&world.plain()?).await?.said(), ("allow", "granted"), "the genuine one counts beside it");
    Ok(())
}

/// To it, all is as if somebody else had written it.
#[tokio::test]
async fn who_lacks_the_challenge_key_believes_nothing_until_it_has_it() -> Result<()> {
    let Informed { world, ids, revoked } = Informed::start().await?;
    let own = "0123456789abcdef".repeat(4);
    world.write("other.keys", &own)?;
    let other = world.launch_with("other.keys").await?;
    let advice = "if a challenge key is missing, add it again as the last line of its file";
    until("the log to say what to do", async || other.logged(advice).then_some(())).await?;
    assert!(other.stepgate.obstacles().await?.is_some());
    assert_eq!(other.check(&revoked[0]).await?.said(), ("allow", "routine"), "it knows of nothing");
    assert_eq!(other.check(&world.attested()?).await?.said(), ("deny", "state_unavailable"));
    world.write("other.keys", &format!("{own}\n{CHALLENGE_KEY}\n"))?;
    other.stepgate.ready().await?;
    other.knows_soon(&ids).await?;
    assert_eq!(other.check(&revoked[0]).await?.said(), ("deny", "credential_revoked"));
    Ok(())
}
