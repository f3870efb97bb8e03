//! The keys of issuers: who publishes them, what counts them, and what waits for them.

use super::Failure;
use crate::admin::Readiness;
use crate::clock::{Clock, SystemClock};
use crate::keys::{KeyMeter, KeyOutcome, KeySources};
use crate::policy::{KeyOrigin, Name};
use crate::revocation::{Revocation, of_keys};
use crate::server::Snapshot;
use crate::store::Ledger;
use crate::telemetry::Metrics;
use arc_swap::ArcSwap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

/// Follows the keys of these issuers, and puts them in force as they come.
pub(super) async fn follow(
    issuers: Vec<(Name, KeyOrigin)>,
    snapshot: &Arc<ArcSwap<Snapshot>>,
    ledger: &Arc<Ledger>,
    metrics: &Arc<Metrics>,
) -> Result<KeySources, Failure> {
    let (published, counted) = (Arc::clone(snapshot), Arc::clone(metrics));
    // INVARIANT: every change of the snapshot is made by the sources' leave, one at a time, so that none is lost here.
    let ledger = Arc::clone(ledger);
    let publish = move |keyring| {
        let old = published.load_full();
        let new = old.with_keys(keyring);
        let removed = of_keys(old.issuer_keys(), new.issuer_keys(), SystemClock.now());
        published.store(Arc::new(new));
        revoke(&ledger, removed);
    };
    let meter = move |issuer: &Name| meter(&counted, issuer);
    let keys = KeySources::new(Box::new(publish), Box::new(meter), Arc::new(SystemClock), roll);
    // Nobody is served yet, so nobody waits: whoever comes before the keys is told so.
    let prepared = keys.prepare(issuers, Duration::ZERO).await?;
    let _: Result<(), Infallible> = keys.adopt(prepared, |keyring| {
        snapshot.store(Arc::new(snapshot.load().with_keys(keyring)));
        Ok(())
    });
    Ok(keys)
}

/// What follows from a change that is in force here has to be known elsewhere, and outlive the process.
pub(super) fn revoke(ledger: &Arc<Ledger>, removed: Vec<Revocation>) {
    if !removed.is_empty() {
        tracing::warn!(
            revocations = removed.len(),
            "what a removed key signed, or who is suspended or offboarded holds, is revoked"
        );
        let ledger = Arc::clone(ledger);
        tokio::spawn(async move { ledger.revoke(removed, SystemClock.now()).await });
    }
}

/// Not ready before every issuer's keys were there once.
pub(super) fn hold_until_reached(readiness: &Readiness, keys: &KeySources) {
    for unreached in keys.unreached() {
        let latch = readiness.latch(format!("keys of {}", unreached.issuer));
        tokio::spawn(async move {
            unreached.reached().await;
            latch.set();
        });
    }
}

fn meter(metrics: &Metrics, issuer: &Name) -> prometheus::Result<KeyMeter> {
    let series = metrics.keys_of(issuer)?;
    let [updated, unchanged, refused, failed] = KeyOutcome::ALL.map(|outcome| series.refreshes(outcome.as_str()));
    Ok(KeyMeter {
        refreshes: [updated?, unchanged?, refused?, failed?],
        keys: series.keys,
        last_success: series.last_success,
    })
}

/// Only spreads what would come at once; without randomness it all comes as late as it may.
fn roll() -> u32 {
    let mut bytes = [0; 4];
    match aws_lc_rs::rand::fill(&mut bytes) {
        Ok(()) => u32::from_be_bytes(bytes),
        Err(_) => u32::MAX,
    }
}
