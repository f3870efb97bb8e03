//! What must outlive a request, and where there is a state beyond this process, the process too: what is revoked, what is
//! granted, and what was spent. What is known here always counts at once; what the state says is added to it.

use super::{Grants, Revoked, SpentProofs};
use crate::case::{Spending, Spent, Wanted};
use crate::grant::Grant;
use crate::revocation::{Revocation, RevocationId, Revocations, Source};
use crate::time::{Ttl, UnixTime};
use arc_swap::Guard;
use prometheus::IntCounter;
use std::sync::Arc;

#[derive(Debug)]
pub struct Ledger {
    revoked: Arc<Revoked>,
    grants: Grants,
    spent: SpentProofs,
    meter: Option<RevocationMeter>,
}

/// Counts revocations by what brought them about.
#[derive(Clone, Debug)]
pub struct RevocationMeter(Vec<(Source, IntCounter)>);

/// What was said is in force here, and nowhere else yet: the state can't be reached, or can't be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is in force in this process, and not kept or shared yet, because the state is away")]
pub struct NotKept;

impl Ledger {
    /// For one process alone.
    pub fn in_process(keep: Ttl) -> Self {
        Self {
            revoked: Arc::new(Revoked::none(keep)),
            grants: Grants::default(),
            spent: SpentProofs::new(SpentProofs::DEFAULT_CAPACITY),
            meter: None,
        }
    }

    /// The same, counted.
    #[must_use]
    pub fn counted_by(self, meter: RevocationMeter) -> Self {
        Self { meter: Some(meter), ..self }
    }

    /// What is revoked at this moment.
    pub fn revocations(&self) -> Guard<Arc<Revocations>> {
        self.revoked.in_force()
    }

    /// The records behind it, the first that came first.
    pub fn records(&self) -> Vec<Revocation> {
        self.revoked.records()
    }

    pub fn knows(&self, id: &RevocationId) -> bool {
        self.revoked.knows(id)
    }

    /// Puts them in force here at once, and has them kept and shared.
    pub async fn revoke(&self, revocations: Vec<Revocation>, now: UnixTime) -> Result<(), NotKept> {
        let new = self.revoked.add(revocations);
        self.meter.iter().for_each(|meter| meter.count(&new));
        self.grants.forget_ended(now, &self.revoked.in_force());
        Ok(())
    }

    /// Records a proof as used, and says whether nobody did before.
    pub async fn spend(&self, spending: Spending, now: UnixTime) -> Spent {
        self.spent.spend(spending, now)
    }

    /// Has a grant known wherever its caller may come next.
    pub async fn keep_grant(&self, grant: Arc<Grant>, now: UnixTime) -> Result<(), NotKept> {
        self.grants.keep(grant, now);
        Ok(())
    }

    /// Those that a caller may use. Whether they still count is asked by who uses them.
    pub async fn grants_of(&self, wanted: &Wanted, now: UnixTime) -> Vec<Arc<Grant>> {
        wanted.keys.iter().flat_map(|key| self.grants.of(key, now)).collect()
    }

    /// All that count now.
    pub async fn live_grants(&self, now: UnixTime) -> Vec<Arc<Grant>> {
        self.grants.live(now, &self.revoked.in_force())
    }

    /// How many of those that are known here count now.
    pub fn active_grants(&self, now: UnixTime) -> usize {
        self.grants.live(now, &self.revoked.in_force()).len()
    }
}

impl RevocationMeter {
    /// Makes the counter of each source.
    pub fn new<E>(mut counter: impl FnMut(Source) -> Result<IntCounter, E>) -> Result<Self, E> {
        Source::ALL.into_iter().map(|source| Ok((source, counter(source)?))).collect::<Result<_, _>>().map(Self)
    }

    fn count(&self, new: &[Revocation]) {
        let counter = |one: &Revocation| self.0.iter().find(|(source, _)| *source == one.source);
        new.iter().filter_map(counter).for_each(|(_, counter)| counter.inc());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::revocation::Target;

    #[tokio::test]
    async fn a_revocation_is_counted_once_by_its_source() {
        let counters = Source::ALL.map(|source| (source, IntCounter::new("revocations", "of a source").unwrap()));
        let counter = |source| counters.iter().find(|(own, _)| *own == source).map(|(_, counter)| counter.clone());
        let meter = RevocationMeter::new(|source| counter(source).ok_or(())).unwrap();
        let ledger = Ledger::in_process(Revocations::DEFAULT_KEEP).counted_by(meter);
        let now = UnixTime::from_secs(1_800_000_000);
        let revocation = |id: &str, source| {
            let id = RevocationId::parse(id).unwrap();
            Revocation { id, target: Target::All, not_before: now, source, reason: None }
        };
        ledger.revoke(vec![revocation("a", Source::Event), revocation("b", Source::Identity)], now).await.unwrap();
        ledger.revoke(vec![revocation("a", Source::Event)], now).await.unwrap();
        let counts = Source::ALL.map(|source| counter(source).unwrap().get());
        assert_eq!(counts, [0, 0, 0, 1, 0, 1]);
    }
}
