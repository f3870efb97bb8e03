//! What replicas learned of callers: each keeps a hash of its own, so that none overwrites another's, and numbers what it
//! writes, so that others read what they have not read yet. What is in it is not known here. A replica that is gone is
//! remembered for a while, so that who takes its place need not learn anew.

use super::link::{Away, Link};
use super::meter::StateOp;
use super::sealed::{self, Unbelieved};
use super::stream::{array, text};
use crate::challenge::ChallengeKeys;
use crate::store::learned::locked;
use crate::time::Ttl;
use redis::{Value, cmd, pipe};
use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// By replica, the number of what it wrote last. Nobody is harmed who believes a wrong one.
const REPLICAS: &str = "stepgate:learned";
const LABEL: &str = "stepgate learned v1";
/// How long what a replica wrote outlives its last writing.
const KEPT: Ttl = Ttl::from_secs(7 * 86_400);
/// More than what is learned of one caller takes.
const MAX_VALUE_BYTES: usize = 64 * 1024;
/// Written or read at once.
const BATCH: usize = 64;
/// Replicas, present and gone, that are listened to: those of a week with a new version every hour.
const MOST_REPLICAS: usize = 4_096;
/// Values of one replica that are read at once: as many callers as it remembers itself.
const MOST_EACH: usize = 100_000;
const REPLICA_DIGITS: usize = 32;

/// A caller, and what was learned of it.
pub type Baseline = (Box<str>, String);

/// How far this replica has written and read.
#[derive(Debug, Default)]
pub(super) struct Marks {
    written: AtomicU64,
    /// By replica.
    read: Mutex<HashMap<String, u64>>,
}

#[derive(Debug, Default)]
pub(super) struct Heard {
    pub baselines: Vec<Baseline>,
    pub unbelieved: Option<Unbelieved>,
}

/// Writes what this replica learned anew. What is too long is left out.
pub(super) async fn put(
    link: &Link,
    keys: &ChallengeKeys,
    (replica, marks): (&str, &Marks),
    baselines: &[Baseline],
) -> Result<(), Away> {
    let (place, order) = (place(replica), order(replica));
    for some in baselines.chunks(BATCH) {
        let fits = some.iter().filter(|(_, json)| json.len() <= MAX_VALUE_BYTES);
        let sealed = fits.filter_map(|(who, json)| Some((who, sealed::seal(keys, &[LABEL, &place, who], json)?)));
        let sealed: Vec<_> = sealed.collect();
        if sealed.is_empty() {
            continue;
        }
        let count = sealed.len() as u64;
        let before = marks.written.fetch_add(count, Ordering::Relaxed);
        let mut commands = pipe();
        commands.cmd("HSET").arg(&place);
        for (who, value) in &sealed {
            commands.arg(&***who).arg(value);
        }
        commands.cmd("ZADD").arg(&order);
        for (number, (who, _)) in (before + 1..).zip(&sealed) {
            commands.arg(number).arg(&***who);
        }
        // Last, so that who reads it finds what it speaks of.
        commands.cmd("HSET").arg(REPLICAS).arg(replica).arg(before + count);
        for key in [&place, &order, REPLICAS] {
            commands.cmd("EXPIRE").arg(key).arg(KEPT.as_secs());
        }
        link.call_all(StateOp::Learn, &commands).await?;
    }
    Ok(())
}

/// What all others wrote since it was read last.
pub(super) async fn read(link: &Link, keys: &ChallengeKeys, (own, marks): (&str, &Marks)) -> Result<Heard, Away> {
    let mut heard = Heard::default();
    let mut read = locked(&marks.read).clone();
    let replicas = replicas(link).await?;
    read.retain(|replica, _| replicas.contains_key(replica));
    for (replica, written) in replicas.into_iter().filter(|(replica, _)| replica != own) {
        let mark = read.get(&replica).copied().unwrap_or_default();
        if mark < written {
            let mark = read_one(link, keys, (&replica, mark), &mut heard).await?;
            read.insert(replica, mark);
        }
    }
    *locked(&marks.read) = read;
    Ok(heard)
}

async fn replicas(link: &Link) -> Result<HashMap<String, u64>, Away> {
    let mut command = cmd("HGETALL");
    command.arg(REPLICAS);
    let answer = texts(link.call(StateOp::Learn, &command).await?);
    let pairs = answer.chunks(2).filter_map(|pair| match pair {
        [replica, written] => Some((replica.clone(), written.parse().ok()?)),
        _ => None,
    });
    let is_name = |name: &str| name.len() == REPLICA_DIGITS && name.bytes().all(|b| b.is_ascii_hexdigit());
    Ok(pairs.filter(|(replica, _)| is_name(replica)).take(MOST_REPLICAS).collect())
}

/// What one replica wrote after a mark. Gives back how far that goes.
async fn read_one(
    link: &Link,
    keys: &ChallengeKeys,
    (replica, mut mark): (&str, u64),
    heard: &mut Heard,
) -> Result<u64, Away> {
    let place = place(replica);
    for _ in 0..MOST_EACH / BATCH {
        let callers = callers(link, replica, mark).await?;
        let Some((_, last)) = callers.last() else {
            return Ok(mark);
        };
        mark = *last;
        let mut command = cmd("HMGET");
        command.arg(&place);
        for (who, _) in &callers {
            command.arg(who);
        }
        let values = array(link.call(StateOp::Learn, &command).await?).map_err(|_| Away)?;
        for ((who, _), value) in callers.into_iter().zip(values) {
            hear(keys, &place, &who, value, heard);
        }
    }
    Ok(mark)
}

/// Those of whom something was written after a mark, in that order.
async fn callers(link: &Link, replica: &str, mark: u64) -> Result<Vec<(String, u64)>, Away> {
    let mut command = cmd("ZRANGE");
    command.arg(order(replica)).arg(format!("({mark}")).arg("+inf").arg("BYSCORE");
    command.arg("LIMIT").arg(0).arg(BATCH).arg("WITHSCORES");
    let answer = texts(link.call(StateOp::Learn, &command).await?);
    let pairs = answer.chunks(2).map_while(|pair| match pair {
        [who, number] => Some((who.clone(), number.parse().ok().filter(|number| *number > mark)?)),
        _ => None,
    });
    Ok(pairs.collect())
}

fn hear(keys: &ChallengeKeys, place: &str, who: &str, value: Value, heard: &mut Heard) {
    let Ok(value) = text(value) else { return }; // it is gone
    if value.len() > 2 * MAX_VALUE_BYTES {
        heard.unbelieved = Some(Unbelieved::Form);
        return;
    }
    match sealed::open(keys, &[LABEL, place, who], &value) {
        Ok(json) => heard.baselines.push((who.into(), json.to_owned())),
        Err(why) => heard.unbelieved = Some(why),
    }
}

fn texts(answer: Value) -> Vec<String> {
    array(answer).unwrap_or_default().into_iter().map(|value| text(value).unwrap_or_default()).collect()
}

fn place(replica: &str) -> String {
    format!("{REPLICAS}:{replica}")
}

/// Of whom the replica wrote something, in the order in which it did.
fn order(replica: &str) -> String {
    format!("{REPLICAS}:{replica}:order")
}
