//! The revocations that this process knows: in force for whoever decides, and as records for whoever keeps, shares or lists
//! them. Exact: none is forgotten before its time.

use super::learned::locked;
use crate::revocation::{Revocation, RevocationId, Revocations};
use crate::time::{Ttl, UnixTime};
use arc_swap::{ArcSwap, Guard};
use foldhash::quality::RandomState;
use std::collections::HashSet;
use std::sync::{Arc, Mutex};

#[derive(Debug)]
pub struct Revoked {
    in_force: ArcSwap<Revocations>,
    /// INVARIANT: what is in force changes under this lock alone.
    records: Mutex<Records>,
}

/// In the order in which they came.
#[derive(Debug, Default)]
struct Records {
    all: Vec<Revocation>,
    ids: HashSet<RevocationId, RandomState>,
}

impl Revoked {
    /// With nothing revoked, which is all that is known of a process by itself.
    pub fn none(keep: Ttl) -> Self {
        Self::starting_with(Revocations::none(keep))
    }

    /// Nobody knows yet what is revoked; see [`Self::set_whole`].
    pub fn unread(keep: Ttl) -> Self {
        Self::starting_with(Revocations::unread(keep))
    }

    fn starting_with(revocations: Revocations) -> Self {
        Self { in_force: ArcSwap::from_pointee(revocations), records: Mutex::default() }
    }

    /// Those of this moment.
    pub fn in_force(&self) -> Guard<Arc<Revocations>> {
        self.in_force.load()
    }

    /// Puts them in force at once, for whoever asks from now on. Gives back those that were not known before.
    pub fn add(&self, revocations: impl IntoIterator<Item = Revocation>) -> Vec<Revocation> {
        let mut records = locked(&self.records);
        let new: Vec<_> = revocations.into_iter().filter(|one| records.ids.insert(one.id.clone())).collect();
        if !new.is_empty() {
            let mut in_force = Revocations::clone(&self.in_force.load());
            new.iter().for_each(|one| in_force.add(one));
            self.in_force.store(Arc::new(in_force));
            records.all.extend(new.iter().cloned());
        }
        new
    }

    /// Says whether these are all that were ever recorded and are still kept.
    pub fn set_whole(&self, whole: bool) {
        let _records = locked(&self.records);
        let in_force = Revocations::clone(&self.in_force.load());
        self.in_force.store(Arc::new(in_force.read(whole)));
    }

    /// Takes what was issued before this as void, since records of it were kept once.
    pub fn forget_before(&self, time: UnixTime) {
        let _records = locked(&self.records);
        let mut in_force = Revocations::clone(&self.in_force.load());
        in_force.forget_before(time);
        self.in_force.store(Arc::new(in_force));
    }

    /// Forgets records that nothing needs any more: what they void is too old by itself.
    pub fn forget_old(&self, now: UnixTime) {
        let mut records = locked(&self.records);
        let in_force = self.in_force.load();
        let oldest = now.minus(in_force.keep());
        if records.all.iter().all(|one| one.not_before >= oldest) {
            return;
        }
        let mut kept = Revocations::none(in_force.keep()).read(in_force.is_whole());
        in_force.forgotten_before().into_iter().for_each(|time| kept.forget_before(time));
        let forgotten = records.all.iter().map(|one| one.not_before).filter(|time| *time < oldest).max();
        forgotten.into_iter().for_each(|time| kept.forget_before(time.plus(Ttl::from_secs(1))));
        records.all.retain(|one| one.not_before >= oldest);
        records.ids = records.all.iter().map(|one| one.id.clone()).collect();
        records.all.iter().for_each(|one| kept.add(one));
        self.in_force.store(Arc::new(kept));
    }

    pub fn knows(&self, id: &RevocationId) -> bool {
        locked(&self.records).ids.contains(id)
    }

    /// All that are known, the first that came first.
    pub fn records(&self) -> Vec<Revocation> {
        locked(&self.records).all.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::revocation::{Issued, Source, Target};

    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

    fn all(not_before: UnixTime, id: &str) -> Revocation {
        let id = RevocationId::parse(id).unwrap();
        Revocation { id, target: Target::All, not_before, source: Source::Operator, reason: None }
    }

    fn is_void(revoked: &Revoked, at: UnixTime) -> bool {
        let what = Issued { at: Some(at), principals: &["web"], attester: None, task: None, keys: &[] };
        revoked.in_force().is_void(&what, NOW)
    }

    #[test]
    fn a_revocation_is_in_force_at_once_and_counted_once() {
        let revoked = Revoked::none(Ttl::from_secs(100));
        let one = all(NOW, "one");
        assert_eq!(revoked.add([one.clone(), one.clone()]), [one.clone()]);
        assert!(is_void(&revoked, NOW) && revoked.knows(&one.id));
        assert!(revoked.add([one.clone()]).is_empty());
        assert_eq!(revoked.records(), [one]);
    }

    #[test]
    fn what_is_forgotten_voids_nothing_that_would_come_back() {
        let revoked = Revoked::none(Ttl::from_secs(100));
        let (old, young) = (NOW.minus(Ttl::from_secs(101)), NOW.minus(Ttl::from_secs(50)));
        revoked.add([all(old, "old"), all(young, "young")]);
        revoked.forget_old(NOW);
        assert_eq!(revoked.records(), [all(young, "young")]);
        assert!(is_void(&revoked, old) && is_void(&revoked, young) && !is_void(&revoked, NOW));
        let what = Issued { at: Some(old), principals: &["web"], attester: None, task: None, keys: &[] };
        let in_force = revoked.in_force();
        assert!(in_force.is_void(&what, NOW.minus(Ttl::from_secs(60))), "also when the clock goes back");
        revoked.forget_old(NOW.plus(Ttl::from_secs(200)));
        assert!(revoked.in_force().is_void(&what, NOW.minus(Ttl::from_secs(60))));
    }

    #[test]
    fn nobody_judges_evidence_by_half_of_them() {
        let revoked = Revoked::unread(Ttl::from_secs(100));
        revoked.add([all(NOW, "one")]);
        assert!(!revoked.in_force().is_whole() && is_void(&revoked, NOW));
        revoked.set_whole(true);
        assert!(revoked.in_force().is_whole() && is_void(&revoked, NOW));
        revoked.forget_old(NOW.plus(Ttl::from_secs(1_000)));
        assert!(revoked.in_force().is_whole() && revoked.records().is_empty());
    }
}
