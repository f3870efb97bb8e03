//! Files that were cut off, or damaged.

use super::*;
use proptest::prelude::*;
use std::sync::LazyLock;
use tokio::runtime::Runtime;

/// A file with three records of each kind.
fn written() -> Vec<u8> {
    static WRITTEN: LazyLock<Vec<u8>> = LazyLock::new(write);
    WRITTEN.clone()
}

fn write() -> Vec<u8> {
    let place = Place::new();
    let (journal, kept) = place.open();
    Runtime::new().unwrap().block_on(async {
        for number in 0..3 {
            journal.spend(spending(number, after(70))).await.unwrap();
            journal.revoke(&[revocation(number)]).await.unwrap();
            journal.learn(&lessons(&format!("web-{number}"), 2, kept.scope_key)).await.unwrap();
        }
    });
    drop(journal);
    place.bytes()
}

/// How many records of each kind are in the whole lines.
fn counts(bytes: &[u8]) -> [usize; 3] {
    let text = std::str::from_utf8(bytes).unwrap();
    let whole = || text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    ["{\"revoked\"", "{\"spent\"", "{\"learned\""]
        .map(|kind| whole().filter(|line| line[9..].starts_with(kind)).count())
}

fn kept_counts(kept: &Kept) -> [usize; 3] {
    [kept.revocations.len(), kept.spent.len(), kept.learned.len()]
}

#[test]
fn wherever_it_is_cut_the_whole_lines_stay_and_can_be_added_to() {
    let (all, runtime) = (written(), Runtime::new().unwrap());
    for cut in 0..=all.len() {
        let place = Place::new();
        fs::write(place.path(), &all[..cut]).unwrap();
        let (journal, kept) = place.open();
        assert_eq!(kept_counts(&kept), counts(&all[..cut]), "cut at {cut}");
        let torn = cut - all[..cut].iter().rposition(|b| *b == b'\n').map_or(0, |end| end + 1);
        assert_eq!(kept.torn_bytes, torn as u64);
        runtime.block_on(journal.spend(spending(99, after(70)))).unwrap();
        drop(journal);
        let again = place.kept();
        assert_eq!(again.spent.last(), Some(&spending(99, after(70))));
        assert_eq!((again.torn_bytes, again.scope_key), (0, kept.scope_key));
    }
}

#[test]
fn a_file_that_ends_in_zeros_after_a_power_cut_is_torn() {
    let place = Place::new();
    fs::write(place.path(), [written(), vec![0; 100_000]].concat()).unwrap();
    assert_eq!(kept_counts(&place.kept()), [3, 3, 3]);
}

#[test]
fn a_file_that_is_more_than_torn_is_refused() {
    let place = Place::new();
    fs::write(place.path(), [written(), vec![b'x'; 5 << 20]].concat()).unwrap();
    assert!(place.refusal().contains("line 12: it is longer than any record"), "{}", place.refusal());
}

#[test]
fn a_record_that_this_version_does_not_know_is_refused() {
    let place = Place::new();
    let json = r#"{"granted":{}}"#;
    let line = format!("{:08x} {json}\n", crc32fast::hash(json.as_bytes()));
    fs::write(place.path(), [written(), line.into_bytes()].concat()).unwrap();
    let refusal = place.refusal();
    assert!(refusal.contains("line 12: it is no record that this version knows"), "{refusal}");
}

#[test]
fn what_was_learned_with_a_key_that_is_lost_is_refused() {
    let place = Place::new();
    let text = String::from_utf8(written()).unwrap();
    let without: String = text.split_inclusive('\n').filter(|line| !line.contains("scope_key")).collect();
    fs::write(place.path(), without).unwrap();
    assert!(place.refusal().contains("not preceded by its key"));
}

#[test]
fn a_refusal_says_nothing_of_the_key() {
    let place = Place::new();
    let json = r#"{"scope_key":"c0ffee"}"#;
    let line = format!("stepgate-journal 1\n{:08x} {json}\n", crc32fast::hash(json.as_bytes()));
    fs::write(place.path(), line).unwrap();
    assert!(!place.refusal().contains("c0ffee"), "{}", place.refusal());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn whatever_byte_is_changed_it_is_refused_with_its_line_and_left_alone(at in any::<prop::sample::Index>(), by in 1_u8..) {
        let mut bytes = written();
        let at = at.index(bytes.len() - 1);
        let line = bytes[..at].split(|b| *b == b'\n').count();
        bytes[at] ^= by;
        let place = Place::new();
        fs::write(place.path(), &bytes).unwrap();
        match Journal::open(&place.path(), At::new(NOW), KEEP) {
            Err(JournalError::Damaged { line: told, .. }) => prop_assert_eq!(told, line),
            Err(JournalError::NotAJournal { .. } | JournalError::Version { .. }) => prop_assert_eq!(line, 1),
            other => panic!("{other:?}"),
        }
        prop_assert_eq!(place.bytes(), bytes);
    }

    #[test]
    fn whatever_lies_there_nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..200), begun in any::<bool>()) {
        let place = Place::new();
        let header: &[u8] = if begun { b"stepgate-journal 1\n" } else { b"" };
        fs::write(place.path(), [header, &bytes].concat()).unwrap();
        let _ = Journal::open(&place.path(), At::new(NOW), KEEP);
    }
}
