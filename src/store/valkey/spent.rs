//! Proofs that were used in any replica: one key each, which the store sets once and forgets when the proof is too old.
//! They carry no seal. Who can write to the store can make a proof look used, and who can delete from it can make one look
//! unused to the replicas that did not see it.

use super::link::{Away, Link};
use super::meter::StateOp;
use crate::case::{Spending, Spent};
use crate::time::{Ttl, UnixTime};
use redis::{Value, cmd};
use std::fmt::Write;

/// How far the clocks of replicas may be apart.
const CLOCK_SKEW: Ttl = Ttl::from_secs(60);

/// Whether nobody spent it before. Who is not answered in time does not know, and must not let it pass.
pub(super) async fn spend(link: &Link, spending: Spending, now: UnixTime) -> Result<Spent, Away> {
    let remembered = spending.until.since(now).plus(CLOCK_SKEW);
    let milliseconds = remembered.as_secs().saturating_mul(1_000);
    let mut command = cmd("SET");
    command.arg(key(&spending)).arg(1).arg("NX").arg("PX").arg(milliseconds);
    match link.call(StateOp::Spend, &command).await? {
        Value::Okay => Ok(Spent::First),
        Value::Nil => Ok(Spent::Replayed),
        _ => Err(Away),
    }
}

fn key(spending: &Spending) -> String {
    let mut key = String::from("stepgate:spent:");
    for byte in spending.key.as_bytes() {
        let _: std::fmt::Result = write!(key, "{byte:02x}"); // a String takes all
    }
    key
}
