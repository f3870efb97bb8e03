//! What must outlive a request, and where there is a state beyond this process, the process too: what is revoked, what is
//! granted, and what was spent. What is known here always counts at once; what the state says is added to it.

use super::learned::locked;
use super::{Grants, Journal, Revoked, SpentProofs, Valkey};
use crate::case::{GrantSource, Reach, Spending, Spent, Wanted};
use crate::grant::Grant;
use crate::identity::Principal;
use crate::policy::OnStateLoss;
use crate::revocation::{Revocation, RevocationId, Revocations, Source};
use crate::time::{Ttl, UnixTime};
use arc_swap::Guard;
use prometheus::IntCounter;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

#[derive(Debug)]
pub struct Ledger {
    revoked: Arc<Revoked>,
    grants: Grants,
    spent: SpentProofs,
    state: State,
    /// Revocations that the state was given and did not take.
    unkept: Mutex<HashSet<RevocationId>>,
    meter: Option<RevocationMeter>,
}

/// What lies beyond this process.
#[derive(Debug)]
pub enum State {
    Nothing,
    /// A file, for a process that starts again.
    File(Journal),
    /// What all replicas share.
    Shared(Valkey),
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
        Self::new(Arc::new(Revoked::none(keep)), State::Nothing)
    }

    /// With what is revoked already, and where it is kept.
    pub fn new(revoked: Arc<Revoked>, state: State) -> Self {
        Self {
            revoked,
            grants: Grants::default(),
            spent: SpentProofs::new(SpentProofs::DEFAULT_CAPACITY),
            state,
            unkept: Mutex::default(),
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

    pub const fn state(&self) -> &State {
        &self.state
    }

    /// Puts them in force here at once, and has them kept and shared. What was not kept the last time is tried again; what
    /// was is not kept twice.
    pub async fn revoke(&self, revocations: Vec<Revocation>, now: UnixTime) -> Result<(), NotKept> {
        let new = self.revoked.add(revocations.iter().cloned());
        self.meter.iter().for_each(|meter| meter.count(&new));
        self.grants.forget_ended(now, &self.revoked.in_force());
        let is_unkept = |one: &Revocation| locked(&self.unkept).contains(&one.id);
        let again = revocations.into_iter().filter(is_unkept).collect::<Vec<_>>();
        let wanted = [new, again].concat();
        let kept = self.keep(&wanted).await;
        let ids = wanted.into_iter().map(|one| one.id);
        let mut unkept = locked(&self.unkept);
        match kept {
            Ok(()) => ids.for_each(|id| _ = unkept.remove(&id)),
            Err(NotKept) => unkept.extend(ids),
        }
        kept
    }

    async fn keep(&self, revocations: &[Revocation]) -> Result<(), NotKept> {
        match &self.state {
            State::Nothing => Ok(()),
            State::File(journal) => journal.revoke(revocations).await.map_err(|_| NotKept),
            State::Shared(valkey) => valkey.share(revocations).await.map_err(|_| NotKept),
        }
    }

    /// Records a proof as used, and says whether nobody did before.
    pub async fn spend(&self, spending: Spending, now: UnixTime) -> Spent {
        match (self.spent.spend(spending, now), &self.state, spending.reach) {
            (Spent::First, State::File(journal), reach) => match journal.spend(spending).await {
                Ok(()) => Spent::First,
                Err(_) => unknown(reach),
            },
            (Spent::First, State::Shared(valkey), reach @ Reach::Replicas(_)) => {
                valkey.spend(spending, now).await.unwrap_or_else(|_| unknown(reach))
            }
            (here, ..) => here,
        }
    }

    /// Takes a proof as used that was used before this process began.
    pub fn recall(&self, spending: Spending, now: UnixTime) {
        self.spent.spend(spending, now);
    }

    /// Takes every proof that could pass until before this as used.
    pub fn forget_spent_before(&self, time: UnixTime) {
        self.spent.forget_before(time);
    }

    /// Has a grant known wherever its caller may come next.
    pub async fn keep_grant(&self, grant: Arc<Grant>, now: UnixTime) -> Result<(), NotKept> {
        self.grants.keep(Arc::clone(&grant), now);
        match &self.state {
            State::Nothing | State::File(_) => Ok(()),
            State::Shared(valkey) => valkey.keep_grant(&grant, now).await.map_err(|_| NotKept),
        }
    }

    /// Those that a caller may use. Whether they still count is asked by who uses them. What other replicas gave is known
    /// here from then on.
    pub async fn grants_of(&self, wanted: &Wanted, now: UnixTime) -> Vec<Arc<Grant>> {
        match (wanted.from, &self.state) {
            (GrantSource::Here, _) => wanted.keys.iter().flat_map(|key| self.grants.of(key, now)).collect(),
            (GrantSource::Everywhere, State::Shared(valkey)) => {
                let mut found = Vec::new();
                for key in &wanted.keys {
                    // Without the state there are none but those that are here, which did not do.
                    found.extend(valkey.grants_of(key, now).await.unwrap_or_default().into_iter().map(Arc::new));
                }
                found.iter().for_each(|grant| self.grants.keep(Arc::clone(grant), now));
                found
            }
            (GrantSource::Everywhere, State::Nothing | State::File(_)) => Vec::new(),
        }
    }

    /// Those to whom something was granted.
    pub fn grant_holders(&self) -> Vec<Principal> {
        self.grants.holders()
    }

    /// All that count now, in all replicas as far as they can be reached.
    pub async fn live_grants(&self, now: UnixTime) -> Vec<Arc<Grant>> {
        let shared = match &self.state {
            State::Shared(valkey) => valkey.all_grants(now).await.unwrap_or_default(),
            State::Nothing | State::File(_) => Vec::new(),
        };
        let revocations = self.revoked.in_force();
        let shared = shared.into_iter().filter(|grant| grant.is_live(now, &revocations)).map(Arc::new);
        let all = self.grants.live(now, &revocations).into_iter().chain(shared);
        all.map(|grant| (grant.id.clone(), grant)).collect::<HashMap<_, _>>().into_values().collect()
    }

    /// Gives up what has ended, and records that nothing needs any more.
    pub fn tidy(&self, now: UnixTime) {
        self.revoked.forget_old(now);
        self.grants.forget_ended(now, &self.revoked.in_force());
        locked(&self.unkept).retain(|id| self.revoked.knows(id));
    }

    /// How many of those that are known here count now.
    pub fn active_grants(&self, now: UnixTime) -> usize {
        self.grants.live(now, &self.revoked.in_force()).len()
    }
}

/// What comes of a proof of which nobody can say whether it was used elsewhere, or could be used again after a restart.
const fn unknown(reach: Reach) -> Spent {
    match reach {
        Reach::Replicas(OnStateLoss::Deny) => Spent::Untold,
        // Used once in this process, which is all that was asked.
        Reach::Process | Reach::Replicas(OnStateLoss::Local) => Spent::First,
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
