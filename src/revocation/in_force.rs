//! All revocations of one moment, and what is void by them.

use super::{Revocation, Target, TaskOwner};
use crate::attestation::Thumbprint;
use crate::identity::Principal;
use crate::policy::Name;
use crate::time::{Ttl, UnixTime};
use foldhash::quality::RandomState;
use rpds::HashTrieMapSync;
use std::borrow::Borrow;
use std::hash::Hash;

/// What is void at one moment. A copy costs nothing, and a change leaves copies as they were.
#[derive(Clone, Debug)]
pub struct Revocations {
    principals: Epochs<Principal>,
    tasks: HashTrieMapSync<Box<str>, TaskEpochs, RandomState>,
    keys: Epochs<Thumbprint>,
    attesters: Epochs<Name>,
    all: Option<UnixTime>,
    /// How long records are kept. What is older than that might be void by one that is not kept any more.
    keep: Ttl,
    /// Of what was issued before this, records were kept once, and are not any more: also for a clock that goes back.
    forgotten: Option<UnixTime>,
    whole: bool,
}

/// Something that was issued, and all that a revocation could know it by.
#[derive(Clone, Copy, Debug)]
pub struct Issued<'a> {
    pub at: Option<UnixTime>,
    /// Whom it was issued to, by every name that it is known to go by.
    pub principals: &'a [&'a str],
    /// The issuer that said it.
    pub attester: Option<&'a Name>,
    pub task: Option<&'a str>,
    /// The keys that it is signed by and bound to.
    pub keys: &'a [Option<Thumbprint>],
}

type Epochs<T> = HashTrieMapSync<T, UnixTime, RandomState>;

/// Those of all tasks of one name.
#[derive(Clone, Debug, Default)]
struct TaskEpochs {
    anybodys: Option<UnixTime>,
    of: Vec<(TaskOwner, UnixTime)>,
}

impl Revocations {
    /// How long records are kept where nobody says.
    pub const DEFAULT_KEEP: Ttl = Ttl::from_secs(30 * 86_400);

    /// Nothing is revoked.
    pub fn none(keep: Ttl) -> Self {
        Self {
            principals: epochs(),
            tasks: HashTrieMapSync::new_with_hasher_and_ptr_kind(RandomState::default()),
            keys: epochs(),
            attesters: epochs(),
            all: None,
            keep,
            forgotten: None,
            whole: true,
        }
    }

    /// Nobody can tell yet what is revoked.
    pub fn unread(keep: Ttl) -> Self {
        Self { whole: false, ..Self::none(keep) }
    }

    /// These, and whether they are all that were ever recorded.
    #[must_use]
    pub fn read(self, whole: bool) -> Self {
        Self { whole, ..self }
    }

    /// Whether this is all that was ever recorded and is still kept. Evidence can't be judged by less.
    pub const fn is_whole(&self) -> bool {
        self.whole
    }

    /// Records of what was issued before this are not kept any more.
    pub fn forget_before(&mut self, time: UnixTime) {
        self.forgotten = self.forgotten.max(Some(time));
    }

    pub const fn forgotten_before(&self) -> Option<UnixTime> {
        self.forgotten
    }

    pub const fn keep(&self) -> Ttl {
        self.keep
    }

    /// Of two revocations of the same, the later one holds.
    pub fn add(&mut self, revocation: &Revocation) {
        let epoch = revocation.not_before;
        match &revocation.target {
            Target::Principal(principal) => raise(&mut self.principals, principal, epoch),
            Target::Key(key) => raise(&mut self.keys, key, epoch),
            Target::Attester(name) => raise(&mut self.attesters, name, epoch),
            Target::All => self.all = self.all.max(Some(epoch)),
            Target::Task { task, of } => {
                let mut epochs = self.tasks.get(task).cloned().unwrap_or_default();
                epochs.raise(of.as_ref(), epoch);
                self.tasks.insert_mut(task.clone(), epochs);
            }
        }
    }

    /// Whether it counts no more: it was issued at or before a revocation of what it is known by, or so long ago that the
    /// record might be gone. What does not say when it was issued is void by any revocation.
    pub fn is_void(&self, what: &Issued<'_>, now: UnixTime) -> bool {
        let epoch = self.latest(what);
        match what.at {
            Some(at) => Some(at) <= epoch || Some(at) < self.forgotten || now.since(at) > self.keep,
            None => epoch.is_some(),
        }
    }

    /// Whether a key was ever revoked, whatever came after.
    pub fn is_key_revoked(&self, key: &Thumbprint) -> bool {
        self.key_epoch(key).is_some()
    }

    /// What a key signed in this second or before it is void.
    pub fn key_epoch(&self, key: &Thumbprint) -> Option<UnixTime> {
        epoch_of(&self.keys, key)
    }

    fn latest(&self, what: &Issued<'_>) -> Option<UnixTime> {
        let own = [
            self.all,
            what.attester.and_then(|attester| epoch_of(&self.attesters, attester)),
            what.task.and_then(|task| self.tasks.get(task)).and_then(|epochs| epochs.latest(what)),
        ];
        let principals = what.principals.iter().map(|principal| epoch_of(&self.principals, *principal));
        let keys = what.keys.iter().flatten().map(|key| epoch_of(&self.keys, key));
        own.into_iter().chain(principals).chain(keys).max().flatten()
    }
}

impl TaskEpochs {
    fn raise(&mut self, owner: Option<&TaskOwner>, epoch: UnixTime) {
        let Some(owner) = owner else {
            self.anybodys = self.anybodys.max(Some(epoch));
            return;
        };
        match self.of.iter_mut().find(|(own, _)| own == owner) {
            Some((_, own)) => *own = epoch.max(*own),
            None => self.of.push((owner.clone(), epoch)),
        }
    }

    /// A task that nobody is known to own is meant by everybody's.
    fn latest(&self, what: &Issued<'_>) -> Option<UnixTime> {
        let is_owners = |owner: &TaskOwner| {
            let principal = owner.principal.as_str();
            (what.principals.is_empty() || what.principals.contains(&principal))
                && what.attester.is_none_or(|own| *own == owner.attester)
        };
        let own = self.of.iter().filter(|(owner, _)| is_owners(owner)).map(|(_, epoch)| *epoch).max();
        own.max(self.anybodys)
    }
}

fn epochs<T: Hash + Eq>() -> Epochs<T> {
    HashTrieMapSync::new_with_hasher_and_ptr_kind(RandomState::default())
}

fn raise<T: Hash + Eq + Clone>(epochs: &mut Epochs<T>, of: &T, epoch: UnixTime) {
    if epochs.get(of).is_none_or(|own| *own < epoch) {
        epochs.insert_mut(of.clone(), epoch);
    }
}

/// Most often nothing is revoked, and nothing need be hashed.
fn epoch_of<T: Hash + Eq + Borrow<Q>, Q: Hash + Eq + ?Sized>(epochs: &Epochs<T>, of: &Q) -> Option<UnixTime> {
    if epochs.is_empty() { None } else { epochs.get(of).copied() }
}

#[cfg(test)]
mod tests {
    use super::super::{RevocationId, Source};
    use super::*;
    use proptest::prelude::*;

    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
    const KEEP: Ttl = Revocations::DEFAULT_KEEP;

    fn principal(name: &str) -> Principal {
        Principal::parse(name).unwrap()
    }

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn ago(secs: u64) -> UnixTime {
        NOW.minus(Ttl::from_secs(secs))
    }

    fn revoked(target: Target, secs_ago: u64) -> Revocations {
        let mut all = Revocations::none(KEEP);
        all.add(&revocation(target, secs_ago));
        all
    }

    fn revocation(target: Target, secs_ago: u64) -> Revocation {
        let id = RevocationId::derived(&[target.kind().as_bytes(), &secs_ago.to_be_bytes()]);
        Revocation { id, target, not_before: ago(secs_ago), source: Source::Operator, reason: None }
    }

    /// Whether what `web` got by `attester` for the task `t` is void, issued so long ago.
    fn is_void(all: &Revocations, issued: Option<u64>) -> bool {
        let (attester, keys) = (name("attester"), [Some(Thumbprint::of(b"a")), None, Some(Thumbprint::of(b"b"))]);
        let (at, attester) = (issued.map(ago), Some(&attester));
        let what = Issued { at, principals: &["web", "alias"], attester, task: Some("t"), keys: &keys };
        all.is_void(&what, NOW)
    }

    fn task(of: Option<(&str, &str)>) -> Target {
        let of = of.map(|(who, by)| TaskOwner { principal: principal(who), attester: name(by) });
        Target::Task { task: "t".into(), of }
    }

    fn own() -> Vec<Target> {
        vec![
            Target::Principal(principal("web")),
            Target::Principal(principal("alias")),
            task(None),
            task(Some(("web", "attester"))),
            Target::Key(Thumbprint::of(b"b")),
            Target::Attester(name("attester")),
            Target::All,
        ]
    }

    #[test]
    fn what_was_issued_at_the_epoch_or_before_is_void_and_so_is_what_does_not_say_when() {
        for target in own() {
            let all = revoked(target.clone(), 10);
            assert!(is_void(&all, Some(10)) && is_void(&all, Some(11)) && is_void(&all, None), "{target:?}");
            assert!(!is_void(&all, Some(9)), "{target:?}");
        }
    }

    #[test]
    fn a_revocation_of_others_voids_nothing() {
        let others = [
            Target::Principal(principal("webb")),
            task(Some(("other", "attester"))),
            task(Some(("web", "other"))),
            Target::Task { task: "u".into(), of: None },
            Target::Key(Thumbprint::of(b"c")),
            Target::Attester(name("other")),
        ];
        for target in others {
            let all = revoked(target.clone(), 10);
            assert!(!is_void(&all, Some(20)) && !is_void(&all, None), "{target:?}");
        }
    }

    #[test]
    fn what_is_older_than_records_are_kept_is_void_without_any() {
        let none = Revocations::none(Ttl::from_secs(100));
        assert!(!is_void(&none, Some(100)) && is_void(&none, Some(101)) && !is_void(&none, None));
    }

    #[test]
    fn what_records_are_forgotten_of_stays_void_when_the_clock_goes_back() {
        let mut all = Revocations::none(KEEP);
        all.forget_before(ago(10));
        all.forget_before(ago(20));
        assert!(is_void(&all, Some(11)) && !is_void(&all, Some(10)) && !is_void(&all, None));
    }

    #[test]
    fn a_copy_stays_as_it_was() {
        let before = Revocations::none(KEEP);
        let mut after = before.clone();
        after.add(&revocation(Target::All, 0));
        assert!(!is_void(&before, Some(5)) && is_void(&after, Some(5)));
    }

    proptest! {
        /// Adding a revocation can only void more, in whatever order they come.
        #[test]
        fn nothing_comes_back(which in prop::collection::vec((0_usize..7, 0_u64..50), 1..12), issued in 0_u64..60) {
            let all: Vec<_> = which.iter().map(|(at, ago)| revocation(own()[*at].clone(), *ago)).collect();
            let mut forward = Revocations::none(KEEP);
            let mut void = false;
            for revocation in &all {
                forward.add(revocation);
                prop_assert!(!void || is_void(&forward, Some(issued)));
                void = is_void(&forward, Some(issued));
            }
            let mut backward = Revocations::none(KEEP);
            all.iter().rev().for_each(|revocation| backward.add(revocation));
            prop_assert_eq!(is_void(&backward, Some(issued)), void);
            prop_assert_eq!(void, which.iter().any(|(_, ago)| issued >= *ago));
        }
    }
}
