//! What is left behind, and what never is.

use super::*;
use std::time::{Duration, Instant};

/// More bytes of dead proofs than are let lie.
pub(super) const MANY: u64 = 12_000;

pub(super) async fn spend_many(journal: &Journal, numbers: std::ops::Range<u64>, until: UnixTime) {
    let mut tasks = tokio::task::JoinSet::new();
    for number in numbers {
        let journal = journal.clone();
        tasks.spawn(async move { journal.spend(spending(number, until)).await.unwrap() });
    }
    tasks.join_all().await;
}

#[tokio::test]
async fn a_restart_leaves_behind_what_has_ended() {
    let place = Place::new();
    let (journal, kept) = place.open();
    journal.revoke(&[revocation(1)]).await.unwrap();
    for calls in 1..20 {
        journal.learn(&lessons("web", calls, kept.scope_key)).await.unwrap();
        journal.spend(spending(calls, after(calls))).await.unwrap();
    }
    drop(journal);
    place.clock.set(after(70));
    let again = place.kept();
    let spent: Vec<_> = (10..20).map(|number| spending(number, after(number))).collect();
    assert_eq!(again.spent, spent, "a minute longer than they could pass");
    assert_eq!((again.learned, again.revocations.len()), (lessons("web", 19, kept.scope_key), 1));
    let text = String::from_utf8(place.bytes()).unwrap();
    assert_eq!(text.lines().count(), 1 + 2 + 10 + 1 + 1, "{text}");
    assert!(!place.folder.path().join("state.journal.new").exists());
    place.clock.set(NOW.plus(KEEP));
    assert_eq!(place.kept().revocations.len(), 1);
    place.clock.set(NOW.plus(KEEP).plus(Ttl::from_secs(1)));
    let last = place.kept();
    assert_eq!((last.revocations.len(), last.spent.len(), last.learned.len()), (0, 0, 1));
}

#[tokio::test]
async fn what_was_left_behind_is_told_to_whoever_could_need_it() {
    let place = Place::new();
    let (journal, kept) = place.open();
    assert_eq!(kept.forgotten, Forgotten::NOTHING);
    journal.revoke(&[revocation(1)]).await.unwrap();
    spend_many(&journal, 0..10, after(70)).await;
    drop(journal);
    let told = Forgotten { spent_before: after(71), revoked_before: after(1) };
    for time in [NOW.plus(KEEP).plus(KEEP), NOW, UnixTime::from_secs(0)] {
        place.clock.set(time);
        let kept = place.kept();
        assert_eq!(
            (kept.forgotten, kept.spent.len(), kept.revocations.len()),
            (told, 0, 0),
            "also when the clock is back"
        );
    }
}

#[tokio::test]
async fn nothing_is_forgotten_by_a_clock_that_went_back() {
    let place = Place::new();
    let (journal, _) = place.open();
    journal.revoke(&[revocation(1)]).await.unwrap();
    journal.spend(spending(1, after(70))).await.unwrap();
    drop(journal);
    place.clock.set(UnixTime::from_secs(0));
    let kept = place.kept();
    assert_eq!((kept.forgotten, kept.spent.len(), kept.revocations.len()), (Forgotten::NOTHING, 1, 1));
}

#[tokio::test]
async fn a_file_of_the_dead_shrinks_while_it_is_used() {
    let place = Place::new();
    let (journal, _) = place.open();
    journal.revoke(&[revocation(1)]).await.unwrap();
    spend_many(&journal, 0..MANY, NOW).await;
    let full = place.bytes().len();
    place.clock.set(after(61));
    journal.spend(spending(MANY, after(131))).await.unwrap();
    let begun = Instant::now();
    while place.bytes().len() > full / 10 {
        assert!(begun.elapsed() < Duration::from_secs(20), "it does not shrink");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(place.refusal().contains("is used by another process"), "the new file is locked as the old one was");
    journal.spend(spending(MANY + 1, after(131))).await.unwrap();
    drop(journal);
    let kept = place.kept();
    assert_eq!((kept.spent.len(), kept.revocations.len()), (2, 1));
    assert_eq!(kept.forgotten.spent_before, after(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_load_nothing_is_lost_while_the_dead_are_left_behind() {
    let place = Place::new();
    let (journal, kept) = place.open();
    let inode = || std::os::unix::fs::MetadataExt::ino(&fs::metadata(place.path()).unwrap());
    let (mut exchanges, mut last) = (0, inode());
    for round in 0..8 {
        let (first, until) = (round * MANY, after(round * 100));
        place.clock.set(until);
        spend_many(&journal, first..first + MANY, until).await;
        journal.revoke(&[revocation(round)]).await.unwrap();
        journal.learn(&lessons(&format!("web-{round}"), 3, kept.scope_key)).await.unwrap();
        exchanges += usize::from(std::mem::replace(&mut last, inode()) != last);
    }
    drop(journal);
    assert!(exchanges > 0);
    let kept = place.kept();
    assert_eq!((kept.revocations.len(), kept.learned.len()), (8, 8));
    let mut spent: Vec<_> = kept.spent.iter().map(|spending| spending.key).collect();
    let mut expected: Vec<_> = (7 * MANY..8 * MANY).map(|number| spending(number, NOW).key).collect();
    spent.sort_unstable();
    expected.sort_unstable();
    assert!(spent == expected);
}

#[tokio::test]
async fn a_copy_that_was_left_half_done_is_in_nobodys_way() {
    let place = Place::new();
    let draft = place.folder.path().join("state.journal.new");
    fs::write(&draft, "half").unwrap();
    let (journal, _) = place.open();
    journal.revoke(&[revocation(1)]).await.unwrap();
    spend_many(&journal, 0..10, NOW).await;
    drop(journal);
    place.clock.set(after(100));
    assert_eq!(place.kept().revocations.len(), 1);
    assert!(!draft.exists());
}

#[tokio::test]
async fn a_file_that_is_moved_away_meanwhile_is_copied_all_the_same() {
    let place = Place::new();
    let (journal, _) = place.open();
    spend_many(&journal, 0..MANY, NOW).await;
    journal.revoke(&[revocation(1)]).await.unwrap();
    fs::rename(place.path(), place.folder.path().join("moved")).unwrap();
    place.clock.set(after(61));
    journal.revoke(&[revocation(2)]).await.unwrap();
    let begun = Instant::now();
    while !place.path().exists() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it does not come back");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(journal);
    assert_eq!(place.kept().revocations, [revocation(1), revocation(2)]);
}

#[tokio::test]
async fn who_waited_for_the_old_file_does_not_get_it() {
    let place = Place::new();
    let (journal, _) = place.open();
    let old = File::open(place.path()).unwrap();
    spend_many(&journal, 0..10, NOW).await;
    drop(journal);
    place.clock.set(after(100));
    let (_journal, _) = place.open();
    old.try_lock().unwrap();
    assert!(place.refusal().contains("is used by another process"), "the name leads to another file by now");
}
