//! Grants that any replica gave: a hash for each caller and what it holds, its values sealed. What each says of its end
//! counts; that the store forgets them is only tidiness.

use super::link::{Away, Link};
use super::meter::StateOp;
use super::sealed::{self, Unbelieved};
use super::stream::{array, text};
use crate::attestation::Thumbprint;
use crate::challenge::ChallengeKeys;
use crate::grant::{Grant, GrantKey};
use crate::time::{Ttl, UnixTime};
use redis::{Value, cmd, pipe};
use std::collections::BTreeSet;

const PREFIX: &str = "stepgate:grants:";
const LABEL: &str = "stepgate grant v1";
/// Longer than the details of any attestation.
const MAX_GRANT_BYTES: usize = 64 * 1024;
/// A caller has 16 at a time in a process; so many that were not tidied away are worth a look.
const UNTIDY: i64 = 64;
/// What is looked at of one caller, at once.
const MOST_EACH: usize = 256;
/// Callers that a list looks at; an operator reads no longer one.
const MOST_CALLERS: usize = 10_000;
/// Keys that the store looks at in one go.
const SCANNED_AT_ONCE: usize = 1_000;
/// So that a look ends, whatever the store says.
const MOST_SCANS: usize = 10_000;
/// Callers that are read in one go, so that no call takes long.
const READ_AT_ONCE: usize = 64;
/// How far the clocks of replicas may be apart.
const CLOCK_SKEW: Ttl = Ttl::from_secs(60);

/// What was found at one place, and what was there that is no grant.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub grants: Vec<Grant>,
    pub unbelieved: Option<Unbelieved>,
    /// Fields that nobody needs.
    useless: Vec<String>,
}

pub(super) async fn keep(link: &Link, keys: &ChallengeKeys, grant: &Grant, now: UnixTime) -> Result<(), Away> {
    let (place, id) = (place(&grant.key()), grant.id.as_str());
    let json = serde_json::to_string(grant).ok().filter(|json| json.len() <= MAX_GRANT_BYTES).ok_or(Away)?;
    let sealed = sealed::seal(keys, &[LABEL, &place, id], &json).ok_or(Away)?;
    let remembered = grant.expires.since(now).plus(CLOCK_SKEW).as_secs().saturating_mul(1_000);
    let mut commands = pipe();
    commands.cmd("HSET").arg(&place).arg(id).arg(sealed);
    // `GT` alone takes a key without an end for one that never ends.
    commands.cmd("PEXPIRE").arg(&place).arg(remembered).arg("NX");
    commands.cmd("PEXPIRE").arg(&place).arg(remembered).arg("GT");
    commands.cmd("HLEN").arg(&place);
    let answers = link.call_all(StateOp::GrantWrite, &commands).await?;
    if matches!(answers.last(), Some(Value::Int(count)) if *count > UNTIDY) {
        tidy(link, keys, &place, now).await?;
    }
    Ok(())
}

pub(super) async fn of(link: &Link, keys: &ChallengeKeys, key: &GrantKey, now: UnixTime) -> Result<Found, Away> {
    let place = place(key);
    let answer = link.call(StateOp::GrantRead, &scan_of(&place)).await?;
    Ok(found(keys, &place, answer, now))
}

/// Those of as many callers as an operator might look at.
pub(super) async fn all(link: &Link, keys: &ChallengeKeys, now: UnixTime) -> Result<Found, Away> {
    let places: Vec<_> = places(link, PREFIX, MOST_CALLERS).await?.into_iter().collect();
    let mut all = Found::default();
    for some in places.chunks(READ_AT_ONCE) {
        let mut commands = pipe();
        for place in some {
            commands.add_command(scan_of(place));
        }
        let answers = link.call_all(StateOp::GrantRead, &commands).await?;
        for (place, answer) in some.iter().zip(answers) {
            let found = found(keys, place, answer, now);
            all.grants.extend(found.grants);
            all.unbelieved = all.unbelieved.or(found.unbelieved);
        }
    }
    Ok(all)
}

/// The keys that begin so, and no more of them than `most`.
async fn places(link: &Link, prefix: &str, most: usize) -> Result<BTreeSet<String>, Away> {
    let (mut places, mut cursor) = (BTreeSet::new(), "0".to_owned());
    for _ in 0..MOST_SCANS {
        let mut command = cmd("SCAN");
        command.arg(&cursor).arg("MATCH").arg(format!("{prefix}*")).arg("COUNT").arg(SCANNED_AT_ONCE);
        let (next, keys) = scanned(link.call(StateOp::GrantRead, &command).await?).ok_or(Away)?;
        places.extend(keys.into_iter().filter_map(|key| text(key).ok()));
        if next == "0" || places.len() >= most {
            break;
        }
        cursor = next;
    }
    Ok(places.into_iter().take(most).collect())
}

/// The cursor from which to go on, and what was found so far.
fn scanned(answer: Value) -> Option<(String, Vec<Value>)> {
    let [next, found] = <[Value; 2]>::try_from(array(answer).ok()?).ok()?;
    Some((text(next).ok()?, array(found).ok()?))
}

/// Gives up what nobody needs any more, where a caller is given grants faster than their key is forgotten.
async fn tidy(link: &Link, keys: &ChallengeKeys, place: &str, now: UnixTime) -> Result<(), Away> {
    let answer = link.call(StateOp::GrantRead, &scan_of(place)).await?;
    let useless = found(keys, place, answer, now).useless;
    if useless.is_empty() {
        return Ok(());
    }
    let mut command = cmd("HDEL");
    command.arg(place).arg(useless);
    link.call(StateOp::GrantWrite, &command).await.map(drop)
}

fn scan_of(place: &str) -> redis::Cmd {
    let mut command = cmd("HSCAN");
    command.arg(place).arg(0).arg("COUNT").arg(MOST_EACH);
    command
}

fn found(keys: &ChallengeKeys, place: &str, answer: Value, now: UnixTime) -> Found {
    let mut found = Found::default();
    let fields = scanned(answer).map(|(_, fields)| fields).unwrap_or_default();
    let mut fields = fields.into_iter().map(|field| text(field).unwrap_or_default());
    while let (Some(id), Some(sealed)) = (fields.next(), fields.next()) {
        match read(keys, place, &id, &sealed) {
            Ok(grant) if now < grant.expires => found.grants.push(grant),
            Ok(_) => found.useless.push(id),
            Err(why) => {
                found.useless.push(id);
                found.unbelieved = Some(why);
            }
        }
    }
    found
}

/// A grant that was given for this place under this name.
fn read(keys: &ChallengeKeys, place: &str, id: &str, sealed: &str) -> Result<Grant, Unbelieved> {
    if sealed.len() > 2 * MAX_GRANT_BYTES {
        return Err(Unbelieved::Form);
    }
    let json = sealed::open(keys, &[LABEL, place, id], sealed)?;
    let grant: Grant = serde_json::from_str(json).map_err(|_| Unbelieved::Form)?;
    if grant.id.as_str() == id && self::place(&grant.key()) == place { Ok(grant) } else { Err(Unbelieved::Form) }
}

/// Each part says how long it is, so that no two callers meet.
fn place(key: &GrantKey) -> String {
    let holder = key.holder.key().map(|thumbprint| thumbprint.to_string()).unwrap_or_default();
    let mut parts = Vec::new();
    for part in [key.principal.as_str(), key.holder.kind(), &holder] {
        parts.extend_from_slice(&(part.len() as u64).to_be_bytes());
        parts.extend_from_slice(part.as_bytes());
    }
    format!("{PREFIX}{}", Thumbprint::of(&parts))
}
