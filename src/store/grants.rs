//! The grants that this process gave or was told of: in bounded memory. One that has no room, or is pushed out, makes its
//! caller attest again, and nothing worse.

use super::learned::locked;
use crate::grant::{Grant, GrantKey};
use crate::identity::Principal;
use crate::revocation::Revocations;
use crate::time::UnixTime;
use foldhash::quality::RandomState;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

#[derive(Debug, Default)]
pub struct Grants(Mutex<HashMap<GrantKey, Vec<Arc<Grant>>, RandomState>>);

/// Of one caller: more tasks than one workload has at a time.
const MOST_EACH: usize = 16;
/// Callers with grants, at some kilobyte each.
const MOST_CALLERS: usize = 65_536;

impl Grants {
    /// Those of one caller that have not expired. Whether they still count is asked by who uses them.
    pub fn of(&self, key: &GrantKey, now: UnixTime) -> Vec<Arc<Grant>> {
        let grants = locked(&self.0);
        grants.get(key).into_iter().flatten().filter(|grant| now < grant.expires).cloned().collect()
    }

    /// A newer grant of the same name takes the older one's place; among too many, the one that ends first makes room.
    pub fn keep(&self, grant: Arc<Grant>, now: UnixTime) {
        let mut grants = locked(&self.0);
        if grants.len() >= MOST_CALLERS {
            grants.retain(|_, own| own.iter().any(|grant| now < grant.expires));
        }
        if grants.len() >= MOST_CALLERS && !grants.contains_key(&grant.key()) {
            return;
        }
        let own = grants.entry(grant.key()).or_default();
        own.retain(|other| other.id != grant.id && now < other.expires);
        if own.len() >= MOST_EACH {
            own.sort_unstable_by_key(|grant| std::cmp::Reverse(grant.expires));
            own.truncate(MOST_EACH - 1);
        }
        own.push(grant);
    }

    /// All that count now.
    pub fn live(&self, now: UnixTime, revocations: &Revocations) -> Vec<Arc<Grant>> {
        let grants = locked(&self.0);
        grants.values().flatten().filter(|grant| grant.is_live(now, revocations)).cloned().collect()
    }

    /// Those to whom something was granted, perhaps more than once.
    pub fn holders(&self) -> Vec<Principal> {
        locked(&self.0).keys().map(|key| key.principal.clone()).collect()
    }

    /// Gives up those that count no more.
    pub fn forget_ended(&self, now: UnixTime, revocations: &Revocations) {
        locked(&self.0).retain(|_, own| {
            own.retain(|grant| grant.is_live(now, revocations));
            !own.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grant::{Basis, Holder};
    use crate::identity::Principal;
    use crate::policy::{Name, ScopeSet};
    use crate::revocation::{Note, Revocation, RevocationId, Source, Target};
    use crate::time::Ttl;

    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

    fn grant(task: &str, secs: u64) -> Arc<Grant> {
        Arc::new(Grant {
            id: RevocationId::derived(&[task.as_bytes()]),
            principal: Principal::parse("web").unwrap(),
            holder: Holder::Certified,
            basis: Basis::BreakGlass { by: Name::parse("alice").unwrap(), reason: Note::parse("down").unwrap() },
            scopes: ScopeSet::default(),
            routes: Vec::new(),
            task: task.into(),
            issued: NOW,
            expires: NOW.plus(Ttl::from_secs(secs)),
        })
    }

    fn tasks(grants: &Grants, now: UnixTime) -> Vec<String> {
        let mut tasks: Vec<_> =
            grants.of(&grant("", 1).key(), now).iter().map(|grant| grant.task.to_string()).collect();
        tasks.sort();
        tasks
    }

    #[test]
    fn a_caller_has_its_grants_until_they_expire() {
        let grants = Grants::default();
        grants.keep(grant("a", 10), NOW);
        grants.keep(grant("b", 20), NOW);
        grants.keep(grant("a", 30), NOW);
        assert_eq!(tasks(&grants, NOW), ["a", "b"]);
        assert_eq!(tasks(&grants, NOW.plus(Ttl::from_secs(20))), ["a"]);
    }

    #[test]
    fn among_too_many_the_one_that_ends_first_makes_room() {
        let grants = Grants::default();
        for index in 0..=MOST_EACH as u64 {
            grants.keep(grant(&format!("{index:02}"), 100 - index), NOW);
        }
        let tasks = tasks(&grants, NOW);
        assert_eq!(tasks.len(), MOST_EACH);
        assert!(tasks.contains(&"16".to_owned()) && !tasks.contains(&"15".to_owned()), "the newest stays");
    }

    #[test]
    fn what_has_ended_is_given_up() {
        let (grants, mut revocations) = (Grants::default(), Revocations::none(Revocations::DEFAULT_KEEP));
        let (a, b) = (grant("a", 10), grant("b", 10));
        grants.keep(Arc::clone(&a), NOW);
        grants.keep(b, NOW);
        let (id, target) = (RevocationId::derived(&[b"x"]), a.end());
        revocations.add(&Revocation { id, target, not_before: NOW, source: Source::GrantEnded, reason: None });
        assert_eq!(grants.live(NOW, &revocations).len(), 1);
        grants.forget_ended(NOW, &revocations);
        assert_eq!(tasks(&grants, NOW), ["b"]);
        let everything = Target::All;
        let id = RevocationId::derived(&[b"y"]);
        revocations.add(&Revocation {
            id,
            target: everything,
            not_before: NOW,
            source: Source::Operator,
            reason: None,
        });
        assert!(grants.live(NOW, &revocations).is_empty());
    }
}
