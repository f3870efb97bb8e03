//! A `CheckRequest`, decided as by a server that starts with it: its tokens are verified, and nothing is remembered.

use super::Failure;
use crate::app;
use crate::case::{Case, Ground, Moment, Step};
use crate::challenge::ChallengeKeys;
use crate::clock::Clock;
use crate::decision::Decision;
use crate::ext_authz::facts;
use crate::reason::Reason;
use crate::request::RequestFacts;
use crate::revocation::Revocations;
use crate::store::learned::Bounds;
use crate::store::{Gate, Learned, Ledger, NoRandomness, ScopeKey, Store};
use crate::telemetry::Metrics;
use crate::time::UnixTime;
use envoy_types::pb::envoy::service::auth::v3::CheckRequest;
use std::path::PathBuf;
use std::sync::Arc;

/// It is always the time of the request.
#[derive(Clone, Copy, Debug)]
struct Then(UnixTime);

impl Clock for Then {
    fn now(&self) -> UnixTime {
        self.0
    }
}

/// More than one request needs.
const CACHE_BYTES: u64 = 1024 * 1024;

pub(super) fn decide(
    ground: Ground<'_>,
    check: CheckRequest,
    at: UnixTime,
) -> Result<(Option<RequestFacts>, Decision), Failure> {
    let facts = match facts(check) {
        Ok(facts) => facts,
        Err(refused) => {
            return Ok((None, Decision::refused(Reason::Request(refused.why)).under(ground.policy.mode)));
        }
    };
    let meters = app::meters(&Metrics::new()?)?;
    let learned = Learned::new(Bounds::default(), ScopeKey::random()?);
    let ledger = Arc::new(Ledger::in_process(Revocations::DEFAULT_KEEP));
    let store = Store::new(Then(at), CACHE_BYTES, Gate::new(1, Gate::DEFAULT_MAX_WAITING), meters, ledger, learned)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(Failure::Runtime)?;
    let decision = runtime.block_on(async {
        let mut case = Case::open(ground, &facts);
        loop {
            let revoked = Arc::clone(&store.ledger().revocations());
            match case.step(Moment { now: at, revoked: &revoked }) {
                Step::Needs(need) => case.supply(store.answer(ground, need).await),
                Step::Decided(decision) => return decision,
            }
        }
    });
    Ok((Some(facts), decision))
}

/// Those of the file; without one, a key of which no challenge was made.
pub(super) fn challenge_keys(file: Option<PathBuf>) -> Result<ChallengeKeys, Failure> {
    let Some(path) = file else {
        let mut key = [0; ChallengeKeys::KEY_BYTES];
        aws_lc_rs::rand::fill(&mut key).map_err(|_| NoRandomness)?;
        return Ok(ChallengeKeys::single(&key));
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => ChallengeKeys::parse(&text).map_err(|source| Failure::ChallengeKeys { path, source }),
        Err(source) => Err(Failure::File { path, source }),
    }
}
