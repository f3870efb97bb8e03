//! What replicas learned of callers: each keeps a hash of its own, so that none overwrites another's. What is in it is not
//! known here. A replica that is gone is remembered for a while, so that who takes its place need not learn anew.

use super::grants::{places, scanned};
use super::link::{Away, Link};
use super::meter::StateOp;
use super::sealed::{self, Unbelieved};
use super::stream::text;
use crate::challenge::ChallengeKeys;
use crate::time::Ttl;
use redis::{Value, cmd, pipe};

const PREFIX: &str = "stepgate:learned:";
const LABEL: &str = "stepgate learned v1";
/// How long what a replica wrote outlives its last writing.
const KEPT: Ttl = Ttl::from_secs(7 * 86_400);
/// More than what is learned of one caller takes.
const MAX_VALUE_BYTES: usize = 64 * 1024;
/// Written at once.
const BATCH: usize = 64;
/// Replicas, present and gone, that are listened to.
const MOST_REPLICAS: usize = 256;
/// Callers of one replica that are read: as many as it remembers itself.
const MOST_EACH: usize = 100_000;
const READ_AT_ONCE: usize = 64;

/// A caller, and what was learned of it.
pub type Baseline = (Box<str>, String);

#[derive(Debug, Default)]
pub(super) struct Heard {
    pub baselines: Vec<Baseline>,
    pub unbelieved: Option<Unbelieved>,
}

/// Writes what this replica learned anew. What is too long is left out.
pub(super) async fn put(link: &Link, keys: &ChallengeKeys, replica: &str, baselines: &[Baseline]) -> Result<(), Away> {
    let place = place(replica);
    for some in baselines.chunks(BATCH) {
        let fits = some.iter().filter(|(_, json)| json.len() <= MAX_VALUE_BYTES);
        let sealed = fits.filter_map(|(who, json)| Some((who, sealed::seal(keys, &[LABEL, &place, who], json)?)));
        let sealed: Vec<_> = sealed.collect();
        if sealed.is_empty() {
            continue;
        }
        let mut commands = pipe();
        commands.cmd("HSET").arg(&place);
        for (who, value) in sealed {
            commands.arg(&**who).arg(value);
        }
        commands.cmd("EXPIRE").arg(&place).arg(KEPT.as_secs());
        link.call_all(StateOp::Learn, &commands).await?;
    }
    Ok(())
}

/// What all others wrote.
pub(super) async fn read(link: &Link, keys: &ChallengeKeys, replica: &str) -> Result<Heard, Away> {
    let own = place(replica);
    let mut heard = Heard::default();
    for place in places(link, StateOp::Learn, PREFIX, MOST_REPLICAS).await? {
        if place != own {
            read_one(link, keys, &place, &mut heard).await?;
        }
    }
    Ok(heard)
}

async fn read_one(link: &Link, keys: &ChallengeKeys, place: &str, heard: &mut Heard) -> Result<(), Away> {
    let (mut cursor, mut count) = ("0".to_owned(), 0);
    while count < MOST_EACH {
        let mut command = cmd("HSCAN");
        command.arg(place).arg(&cursor).arg("COUNT").arg(READ_AT_ONCE);
        let (next, fields) = scanned(link.call(StateOp::Learn, &command).await?).ok_or(Away)?;
        count += fields.len() / 2;
        hear(keys, place, fields, heard);
        if next == "0" {
            break;
        }
        cursor = next;
    }
    Ok(())
}

fn hear(keys: &ChallengeKeys, place: &str, fields: Vec<Value>, heard: &mut Heard) {
    let mut fields = fields.into_iter().map(|field| text(field).unwrap_or_default());
    while let (Some(who), Some(value)) = (fields.next(), fields.next()) {
        if value.len() > 2 * MAX_VALUE_BYTES {
            heard.unbelieved = Some(Unbelieved::Form);
            continue;
        }
        match sealed::open(keys, &[LABEL, place, &who], &value) {
            Ok(json) => heard.baselines.push((who.into(), json.to_owned())),
            Err(why) => heard.unbelieved = Some(why),
        }
    }
}

fn place(replica: &str) -> String {
    format!("{PREFIX}{replica}")
}
