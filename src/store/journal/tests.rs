mod compacted;
mod faults;
mod killed;
mod torn;

use super::*;
use crate::attestation::Thumbprint;
use crate::case::Reach;
use crate::context::{LearningTerms, Lesson, Sighting, Standing};
use crate::identity::Principal;
use crate::policy::ScopeSet;
use crate::revocation::{RevocationId, Source, Target};
use crate::store::Learned;
use crate::store::learned::Bounds;
use crate::time::UnixTime;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::TempDir;

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
const KEEP: Ttl = Ttl::from_secs(30 * 86_400);

/// A clock that stands where it is put.
#[derive(Clone, Debug)]
struct At(Arc<AtomicU64>);

impl At {
    fn new(time: UnixTime) -> Self {
        Self(Arc::new(time.as_secs().into()))
    }

    fn set(&self, time: UnixTime) {
        self.0.store(time.as_secs(), Ordering::Relaxed);
    }
}

impl Clock for At {
    fn now(&self) -> UnixTime {
        UnixTime::from_secs(self.0.load(Ordering::Relaxed))
    }
}

/// A folder with a journal in it.
struct Place {
    folder: TempDir,
    clock: At,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), clock: At::new(NOW) }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("state.journal")
    }

    fn open(&self) -> (Journal, Kept) {
        Journal::open(&self.path(), self.clock.clone(), KEEP).unwrap()
    }

    fn kept(&self) -> Kept {
        self.open().1
    }

    fn refusal(&self) -> String {
        Journal::open(&self.path(), self.clock.clone(), KEEP).unwrap_err().to_string()
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(self.path()).unwrap()
    }
}

fn after(secs: u64) -> UnixTime {
    NOW.plus(Ttl::from_secs(secs))
}

fn revocation(number: u64) -> Revocation {
    Revocation {
        id: RevocationId::derived(&[&number.to_be_bytes()]),
        target: Target::Task { task: format!("task \"{number}\"\n").into(), of: None },
        not_before: NOW,
        source: Source::TaskEnd,
        reason: None,
    }
}

fn spending(number: u64, until: UnixTime) -> Spending {
    Spending { key: Thumbprint::of(&number.to_be_bytes()), until, reach: Reach::Process }
}

/// What one identity's calls teach, under a key.
fn lessons(name: &str, calls: u64, key: ScopeKey) -> Vec<LearnedRecord> {
    let learned = Learned::new(Bounds::default(), key);
    let sighting = Sighting {
        principal: Principal::parse(name).unwrap(),
        standing: Standing::Named,
        network: None,
        country: crate::context::Country::parse("DE").ok(),
        scopes: ScopeSet::parse("payments:read").unwrap(),
        credential: None,
    };
    (0..calls).for_each(|call| learned.learn(&sighting, Lesson::All, &LearningTerms::default(), after(call)));
    learned.changed()
}

#[tokio::test]
async fn what_was_written_is_there_after_a_restart() {
    let place = Place::new();
    let (journal, kept) = place.open();
    assert!(kept.revocations.is_empty() && kept.spent.is_empty() && kept.learned.is_empty());
    let taught = lessons("web", 3, kept.scope_key);
    journal.revoke(&[revocation(1), revocation(2)]).await.unwrap();
    journal.spend(spending(1, after(70))).await.unwrap();
    journal.learn(&lessons("web", 2, kept.scope_key)).await.unwrap();
    journal.learn(&taught).await.unwrap();
    journal.revoke(&[]).await.unwrap();
    drop(journal);
    let again = place.kept();
    assert_eq!(again.revocations, [revocation(1), revocation(2)]);
    assert_eq!(again.spent, [spending(1, after(70))]);
    assert_eq!((again.learned, again.scope_key, again.torn_bytes), (taught, kept.scope_key, 0));
    assert_eq!(place.kept().revocations.len(), 2, "to read it takes nothing away");
}

#[tokio::test]
async fn people_can_read_it() {
    let place = Place::new();
    let (journal, _) = place.open();
    journal
        .spend(Spending { key: Thumbprint::from_bytes([0; 32]), until: after(0), reach: Reach::Process })
        .await
        .unwrap();
    let text = String::from_utf8(place.bytes()).unwrap();
    let [header, key, spent] = text.lines().collect::<Vec<_>>().try_into().unwrap();
    assert_eq!(header, "stepgate-journal 1");
    assert!(key[9..].starts_with(r#"{"scope_key":""#), "{key}");
    assert_eq!(spent, r#"a2b76f7e {"spent":{"key":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","until":1800000000}}"#);
}

#[tokio::test]
async fn what_was_answered_is_in_the_file_before_anything_is_closed() {
    let place = Place::new();
    let (journal, _) = place.open();
    journal.revoke(&[revocation(1)]).await.unwrap();
    journal.spend(spending(1, after(70))).await.unwrap();
    let killed = Place::new();
    fs::copy(place.path(), killed.path()).unwrap();
    let kept = killed.kept();
    assert_eq!((kept.revocations.len(), kept.spent.len()), (1, 1));
    drop(journal);
}

#[test]
fn only_its_owner_can_read_it() {
    let place = Place::new();
    drop(place.open());
    assert_eq!(fs::metadata(place.path()).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn it_is_one_process_alone_that_has_it() {
    let place = Place::new();
    let (journal, _) = place.open();
    let copy = journal.clone();
    drop(journal);
    assert!(place.refusal().contains("is used by another process"));
    drop(copy);
    place.open();
}

#[test]
fn a_link_stays_a_link_also_one_to_nowhere() {
    let place = Place::new();
    let real = place.folder.path().join("real");
    symlink(&real, place.path()).unwrap();
    let (journal, _) = place.open();
    assert!(Journal::open(&real, place.clock.clone(), KEEP).is_err());
    drop(journal);
    assert!(fs::symlink_metadata(place.path()).unwrap().is_symlink());
    assert!(fs::read_to_string(&real).unwrap().starts_with("stepgate-journal 1\n"));
}

#[test]
fn what_is_no_file_is_refused() {
    let refused = |path: &str| Journal::open(Path::new(path), At::new(NOW), KEEP).unwrap_err();
    assert!(matches!(refused("/dev/null"), JournalError::NotAFile { .. }));
    assert!(matches!(refused("/proc"), JournalError::Open { .. }));
    assert!(matches!(refused("/nowhere/at/all"), JournalError::Open { .. }));
}

#[rstest::rstest]
#[case("version: 1\nmode: enforce\n")]
#[case("version: 1")]
#[case("\n")]
#[case("stepgate")]
#[case("\0\0\0\0")]
fn what_is_no_journal_is_refused_and_left_alone(#[case] text: &str) {
    let place = Place::new();
    fs::write(place.path(), text).unwrap();
    if text == "stepgate" {
        // It can be nothing but the beginning of a journal.
        assert_eq!(place.kept().torn_bytes, 8);
    } else {
        assert!(place.refusal().contains("is no journal of stepgate"), "{}", place.refusal());
        assert_eq!(place.bytes(), text.as_bytes());
    }
}

#[test]
fn another_versions_journal_is_refused_and_left_alone() {
    let place = Place::new();
    fs::write(place.path(), "stepgate-journal 2\n{}\n").unwrap();
    assert!(place.refusal().contains("another version"));
    assert_eq!(place.bytes(), b"stepgate-journal 2\n{}\n");
}
