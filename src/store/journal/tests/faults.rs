//! Disks that are full, fail, or tear what is written.

use super::*;
use proptest::prelude::*;
use std::io;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

/// How the disk fails at present.
#[derive(Clone, Debug, Default)]
struct Disk(Arc<Mutex<Faults>>);

#[derive(Debug, Default)]
struct Faults {
    /// How many bytes fit; nothing where there is room for all.
    room: Option<usize>,
    keeps_torn: bool,
    does_not_sync: bool,
    syncs: usize,
}

struct Faulty {
    disk: Disk,
    file: File,
}

impl Disk {
    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.0.lock().unwrap()
    }

    fn is(&self, faults: Faults) {
        *self.faults() = faults;
    }

    fn open(&self, place: &Place) -> (Journal, Kept) {
        let disk = self.clone();
        let medium = move |file| Box::new(Faulty { disk: disk.clone(), file }) as Box<dyn Medium>;
        Journal::open_on(&place.path(), place.clock.clone(), KEEP, medium).unwrap()
    }
}

impl Medium for Faulty {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut faults = self.disk.faults();
        let fits = faults.room.unwrap_or(bytes.len()).min(bytes.len());
        if fits == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        faults.room = faults.room.map(|room| room - fits);
        Medium::write(&mut self.file, &bytes[..fits])
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut faults = self.disk.faults();
        faults.syncs += 1;
        if faults.does_not_sync { Err(io::Error::other("failed")) } else { Medium::sync(&mut self.file) }
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        let mut faults = self.disk.faults();
        if faults.keeps_torn {
            return Err(io::Error::other("failed"));
        }
        let freed = self.file.metadata()?.len() - length;
        faults.room = faults.room.map(|room| room + usize::try_from(freed).unwrap());
        Medium::truncate(&mut self.file, length)
    }
}

/// Until what is owed is written again, and some more.
async fn wait() {
    tokio::time::sleep(Duration::from_millis(1_500)).await;
}

#[tokio::test]
async fn on_a_full_disk_nothing_is_lost_of_what_was_acknowledged() {
    for room in (0..400).step_by(7) {
        let (place, disk) = (Place::new(), Disk::default());
        let (journal, _) = disk.open(&place);
        disk.is(Faults { room: Some(room), ..Faults::default() });
        let mut acknowledged = Vec::new();
        for number in 0..8 {
            let spending = spending(number, after(70));
            if journal.spend(spending).await == Ok(()) {
                acknowledged.push(spending);
            }
        }
        assert!(acknowledged.len() < 8, "{room}");
        disk.is(Faults::default());
        for number in 8..10 {
            journal.spend(spending(number, after(70))).await.unwrap();
            acknowledged.push(spending(number, after(70)));
        }
        drop(journal);
        assert_eq!(place.kept().spent, acknowledged, "{room}");
    }
}

#[tokio::test]
async fn a_revocation_that_found_no_room_is_written_once_there_is_some() {
    let (place, disk) = (Place::new(), Disk::default());
    let (journal, _) = disk.open(&place);
    disk.is(Faults { room: Some(70), ..Faults::default() });
    assert_eq!(journal.revoke(&[revocation(1)]).await, Err(NotWritten));
    assert_eq!(journal.revoke(&[revocation(2)]).await, Err(NotWritten));
    disk.is(Faults::default());
    wait().await;
    let copied = Place::new();
    fs::copy(place.path(), copied.path()).unwrap();
    assert_eq!(copied.kept().revocations, [revocation(1), revocation(2)]);
    drop(journal);
    assert_eq!(place.kept().revocations, [revocation(1), revocation(2)]);
}

#[tokio::test]
async fn the_next_revocation_takes_along_what_is_owed() {
    let (place, disk) = (Place::new(), Disk::default());
    let (journal, _) = disk.open(&place);
    disk.is(Faults { room: Some(0), ..Faults::default() });
    assert_eq!(journal.revoke(&[revocation(1)]).await, Err(NotWritten));
    disk.is(Faults::default());
    journal.revoke(&[revocation(2)]).await.unwrap();
    drop(journal);
    assert_eq!(place.kept().revocations, [revocation(1), revocation(2)]);
}

#[tokio::test]
async fn what_is_owed_is_tried_once_more_at_the_end() {
    let (place, disk) = (Place::new(), Disk::default());
    let (journal, _) = disk.open(&place);
    disk.is(Faults { room: Some(0), ..Faults::default() });
    assert_eq!(journal.revoke(&[revocation(1)]).await, Err(NotWritten));
    disk.is(Faults::default());
    drop(journal);
    assert_eq!(place.kept().revocations, [revocation(1)]);
}

#[tokio::test]
async fn what_the_disk_may_not_have_is_written_again() {
    let (place, disk) = (Place::new(), Disk::default());
    let (journal, _) = disk.open(&place);
    disk.is(Faults { does_not_sync: true, ..Faults::default() });
    let new = [revocation(1)];
    let (revoked, spent) = tokio::join!(journal.revoke(&new), journal.spend(spending(1, after(70))));
    assert_eq!((revoked, spent), (Err(NotWritten), Ok(())));
    disk.is(Faults::default());
    wait().await;
    assert!(disk.faults().syncs > 0);
    drop(journal);
    let kept = place.kept();
    assert_eq!((kept.revocations.as_slice(), kept.spent.len()), ([revocation(1)].as_slice(), 1));
}

#[tokio::test]
async fn nothing_is_appended_to_what_is_torn() {
    let (place, disk) = (Place::new(), Disk::default());
    let (journal, _) = disk.open(&place);
    disk.is(Faults { room: Some(10), keeps_torn: true, ..Faults::default() });
    assert_eq!(journal.spend(spending(1, after(70))).await, Err(NotWritten));
    disk.is(Faults { keeps_torn: true, ..Faults::default() });
    assert_eq!(journal.spend(spending(2, after(70))).await, Err(NotWritten), "there is room, but behind half a record");
    disk.is(Faults::default());
    journal.spend(spending(3, after(70))).await.unwrap();
    drop(journal);
    assert_eq!(place.kept().spent, [spending(3, after(70))]);
}

#[tokio::test]
async fn what_is_learned_waits_for_no_disk() {
    let (place, disk) = (Place::new(), Disk::default());
    let (journal, kept) = disk.open(&place);
    disk.is(Faults { does_not_sync: true, ..Faults::default() });
    journal.learn(&lessons("web", 1, kept.scope_key)).await.unwrap();
    disk.is(Faults { room: Some(20), ..Faults::default() });
    assert_eq!(journal.learn(&lessons("web", 2, kept.scope_key)).await, Err(NotWritten));
    drop(journal);
    assert_eq!(place.kept().learned, lessons("web", 1, kept.scope_key));
}

#[tokio::test]
async fn a_full_disk_at_the_start_takes_nothing_away() {
    let place = Place::new();
    let (journal, _) = place.open();
    journal.revoke(&[revocation(1)]).await.unwrap();
    journal.spend(spending(1, after(0))).await.unwrap();
    drop(journal);
    place.clock.set(after(200));
    let disk = Disk::default();
    disk.is(Faults { room: Some(0), ..Faults::default() });
    let before = place.bytes();
    let (journal, kept) = disk.open(&place);
    assert_eq!((kept.revocations.len(), kept.spent.len()), (1, 0));
    assert_eq!(place.bytes(), before);
    assert_eq!(journal.spend(spending(2, after(270))).await, Err(NotWritten));
}

#[tokio::test]
async fn where_there_is_no_room_for_a_copy_the_file_stays_as_it_is() {
    let (place, disk) = (Place::new(), Disk::default());
    let (journal, _) = disk.open(&place);
    journal.revoke(&[revocation(1)]).await.unwrap();
    super::compacted::spend_many(&journal, 0..super::compacted::MANY, NOW).await;
    let before = place.bytes().len();
    place.clock.set(after(61));
    disk.is(Faults { room: Some(300), ..Faults::default() });
    journal.spend(spending(1, after(131))).await.unwrap();
    wait().await;
    disk.is(Faults::default());
    journal.spend(spending(2, after(131))).await.unwrap();
    assert!(place.bytes().len() > before);
    drop(journal);
    let kept = place.kept();
    assert_eq!((kept.revocations.len(), kept.spent.len()), (1, 2));
}

/// What happens to a journal.
#[derive(Clone, Debug)]
enum Event {
    Spend,
    Revoke,
    /// From now on the disk is so.
    Disk {
        room: Option<usize>,
        keeps_torn: bool,
        does_not_sync: bool,
    },
    Restart,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let room = prop::option::weighted(0.7, 0..600_usize);
    let disk = (room, any::<bool>(), any::<bool>()).prop_map(|(room, keeps_torn, does_not_sync)| Event::Disk {
        room,
        keeps_torn,
        does_not_sync,
    });
    let event = prop_oneof![4 => Just(Event::Spend), 3 => Just(Event::Revoke), 2 => disk, 1 => Just(Event::Restart)];
    prop::collection::vec(event, 1..40)
}

/// Every proof that was acknowledged, and every revocation that was asked for; opened again on a disk that works, as what
/// could not be written before a process ended is lost.
async fn live_through(events: Vec<Event>) -> Result<(), TestCaseError> {
    let (place, disk) = (Place::new(), Disk::default());
    let mut journal = disk.open(&place).0;
    let (mut spent, mut revoked) = (Vec::new(), Vec::new());
    for (number, event) in (0..).zip(events) {
        match event {
            Event::Spend => {
                let spending = spending(number, after(70));
                spent.extend(journal.spend(spending).await.is_ok().then_some(spending));
            }
            Event::Revoke => {
                // In force in the process, whether it is written or not.
                let _ = journal.revoke(&[revocation(number)]).await;
                revoked.push(revocation(number));
            }
            Event::Disk { room, keeps_torn, does_not_sync } => {
                disk.is(Faults { room, keeps_torn, does_not_sync, syncs: 0 });
            }
            Event::Restart => {
                disk.is(Faults::default());
                drop(journal);
                journal = disk.open(&place).0;
            }
        }
    }
    disk.is(Faults::default());
    drop(journal);
    let kept = place.kept();
    prop_assert_eq!(kept.revocations, revoked);
    prop_assert!(spent.iter().all(|spending| kept.spent.contains(spending)));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_the_disk_does_nothing_is_lost_of_what_was_acknowledged(events in events()) {
        tokio::runtime::Runtime::new().unwrap().block_on(live_through(events))?;
    }
}
