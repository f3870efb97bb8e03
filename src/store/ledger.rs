//! What must outlive a request, and where there is a state beyond this process, the process too: what is revoked, what is
//! granted, and what was spent. What is known here always counts at once; what the state says is added to it.

use super::{Grants, Revoked, SpentProofs};
use crate::case::{Spending, Spent, Wanted};
use crate::grant::Grant;
use crate::revocation::{Revocation, RevocationId, Revocations};
use crate::time::{Ttl, UnixTime};
use arc_swap::Guard;
use std::sync::Arc;

#[derive(Debug)]
pub struct Ledger {
    revoked: Arc<Revoked>,
    grants: Grants,
    spent: SpentProofs,
}

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
        }
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
        self.revoked.add(revocations);
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
}
