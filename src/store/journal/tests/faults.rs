//! Disks that are full, fail, or tear what is written.

use super::*;
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
