//! What somebody who holds no key could do to the entries, and that it is noticed.

use super::*;
use crate::revocation::{Source, Target};
use proptest::prelude::*;
use rstest::rstest;

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
const KEEP: Ttl = Ttl::from_secs(1_000);

fn keys() -> ChallengeKeys {
    ChallengeKeys::single(&[7; 32])
}

fn revocation(number: u64, secs_ago: u64) -> Revocation {
    let id = RevocationId::parse(&format!("r{number}")).unwrap();
    let not_before = NOW.minus(Ttl::from_secs(secs_ago));
    Revocation { id, target: Target::All, not_before, source: Source::Operator, reason: None }
}

fn terms(keys: &ChallengeKeys) -> Terms<'_> {
    Terms { keys, kept_from: Some(kept_from(NOW, KEEP)), now_ms: 1_800_000_000_000 }
}

fn add(chain: &mut Chain, revocations: &[Revocation]) {
    for entry in chain.draft(revocations, terms(&keys())) {
        chain.push(entry, &keys()).unwrap();
    }
}

/// Those of these ages, each added by itself.
fn entries(ages: &[u64]) -> Vec<Entry> {
    let mut chain = Chain::default();
    for (number, age) in ages.iter().enumerate() {
        add(&mut chain, &[revocation(number as u64, *age)]);
    }
    chain.after(0).cloned().collect()
}

fn young(count: usize) -> Vec<Entry> {
    entries(&vec![5; count])
}

/// What a replica that starts makes of them.
fn read(entries: &[Entry]) -> Result<Chain, ChainFault> {
    let mut chain = Chain::default();
    for entry in entries {
        chain.push(entry.clone(), &keys())?;
    }
    chain.check_beginning()?;
    Ok(chain)
}

#[test]
fn what_replicas_add_is_believed_from_the_first_entry_to_the_last() {
    let chain = read(&young(20)).unwrap();
    assert_eq!((chain.next_seq(), chain.tip().unwrap().base), (21, 1));
    assert!((0..20).all(|number| chain.holds(&revocation(number, 0).id)));
    assert!(read(&[]).unwrap().tip().is_none());
}

#[test]
fn a_batch_is_a_chain_too() {
    let mut chain = Chain::default();
    add(&mut chain, &[revocation(1, 0), revocation(2, 0), revocation(3, 0)]);
    add(&mut chain, &[revocation(4, 0)]);
    let all: Vec<_> = chain.after(0).cloned().collect();
    assert_eq!(read(&all).unwrap().next_seq(), 5);
}

#[test]
fn old_entries_may_leave_at_the_front_and_no_others() {
    let all = entries(&[1_200, 1_200, 5, 1_200, 5]);
    assert_eq!(all.last().unwrap().base, 3);
    assert!((0..=2).all(|gone| read(&all[gone..]).is_ok()));
    assert_eq!(read(&all[3..]).unwrap_err(), ChainFault::Beginning { first: 4, base: 3 });
}

#[test]
fn a_clock_that_is_not_trusted_lets_none_leave() {
    let mut chain = Chain::default();
    add(&mut chain, &[revocation(1, 1_200)]);
    let keys = keys();
    let drafted = chain.draft(&[revocation(2, 5)], Terms { kept_from: None, ..terms(&keys) });
    assert_eq!(drafted[0].base, 1);
    assert_eq!(chain.draft(&[revocation(2, 5)], terms(&keys))[0].base, 2);
}

#[test]
fn what_is_forgotten_is_what_all_may_forget_and_the_end_never_is() {
    let mut chain = read(&entries(&[1_200, 5, 5])).unwrap();
    chain.forget(kept_from(NOW, KEEP));
    assert!(chain.at(1).is_none() && chain.at(2).is_some() && !chain.holds(&revocation(0, 0).id));
    chain.forget(NOW.plus(Ttl::from_secs(10_000)));
    assert!(chain.at(2).is_some());
    let mut old = read(&entries(&[1_200, 1_200, 1_200])).unwrap();
    old.forget(NOW);
    assert_eq!(old.tip().unwrap().seq, 3);
}

#[test]
fn a_record_of_the_longest_task_has_room() {
    let task = Target::task(&"\u{1}".repeat(2_048), None).unwrap();
    let long = Revocation { target: task, ..revocation(1, 0) };
    let mut chain = Chain::default();
    add(&mut chain, &[long]);
    assert_eq!(chain.next_seq(), 2);
}

#[test]
fn a_replica_without_the_key_says_which_is_missing() {
    let other = ChallengeKeys::single(&[8; 32]);
    let fault = Chain::default().push(young(1).remove(0), &other).unwrap_err();
    assert!(matches!(fault, ChainFault::Seal { seq: 1, why: SealFault::UnknownKey(_) }), "{fault}");
}

/// It seals what it wants with the key of a challenge, or of another place; not what is believed here.
#[rstest]
#[case::earlier(1, 1, false)]
#[case::later(3, 1, false)]
#[case::base_of_none(2, 0, false)]
#[case::base_ahead(2, 3, false)]
#[case::without_the_one_before(2, 1, true)]
fn a_sealed_entry_out_of_its_place_is_none(#[case] seq: u64, #[case] base: u64, #[case] alone: bool) {
    let chain = read(&young(1)).unwrap();
    let previous = (!alone).then(|| chain.tip().unwrap().seal.tag);
    let record = serde_json::to_string(&revocation(9, 0)).unwrap();
    let entry = Entry::sealed(&Place { seq, base, at_ms: 0, previous }, record.into(), &keys()).unwrap();
    assert!(chain.clone().push(entry, &keys()).is_err());
}

#[rstest]
#[case::beginning_at_none(0, 1, false)]
#[case::beginning_before_itself(1, 2, false)]
#[case::first_with_one_before(1, 1, true)]
#[case::later_with_none_before(5, 5, false)]
fn no_chain_begins_so(#[case] seq: u64, #[case] base: u64, #[case] follows: bool) {
    let previous = follows.then(|| young(1)[0].seal.tag);
    let record = serde_json::to_string(&revocation(9, 0)).unwrap();
    let entry = Entry::sealed(&Place { seq, base, at_ms: 0, previous }, record.into(), &keys()).unwrap();
    assert_eq!(Chain::default().push(entry, &keys()), Err(ChainFault::Order(seq)));
}

#[test]
fn what_is_no_revocation_is_none_under_a_good_seal_either() {
    let place = Place { seq: 1, base: 1, at_ms: 0, previous: None };
    let entry = Entry::sealed(&place, "{}".into(), &keys()).unwrap();
    assert_eq!(Chain::default().push(entry, &keys()), Err(ChainFault::Form("1".into())));
}

#[test]
fn a_chain_that_keeps_too_much_is_not_read() {
    let previous = Some(young(1)[0].seal.tag);
    let record: Box<str> = serde_json::to_string(&revocation(9, 0)).unwrap().into();
    let place = Place { seq: MAX_ENTRIES + 1, base: 1, at_ms: 0, previous };
    let entry = Entry::sealed(&place, record, &keys()).unwrap();
    assert_eq!(Chain::default().push(entry, &keys()), Err(ChainFault::TooMany));
}

mod compared {
    use super::*;

    fn compare(remembered: &[Entry], found: &[Entry]) -> Comparison {
        read(remembered).unwrap().compare(&read(found).unwrap(), &keys())
    }

    #[test]
    fn a_store_that_has_all_or_more_is_current() {
        let all = young(5);
        for remembered in 0..=5 {
            assert_eq!(compare(&all[..remembered], &all), Comparison::Current, "{remembered}");
        }
    }

    #[test]
    fn a_store_that_lost_its_end_or_everything_is_behind() {
        let all = young(5);
        for found in 0..5 {
            assert_eq!(compare(&all, &all[..found]), Comparison::Behind, "{found}");
        }
        let trimmed = entries(&[1_200, 5, 5]);
        assert_eq!(compare(&trimmed, &trimmed[1..2]), Comparison::Behind);
    }

    #[test]
    fn a_store_that_went_on_from_where_it_lost_them_has_parted() {
        let all = young(5);
        let mut other = read(&all[..3]).unwrap();
        add(&mut other, &[revocation(77, 0)]);
        let other: Vec<_> = other.after(0).cloned().collect();
        assert_eq!(compare(&all, &other), Comparison::Parted);
        assert_eq!(compare(&all[..4], &other), Comparison::Parted);
    }

    /// It would be refused by all, again and again.
    #[test]
    fn what_is_sealed_with_a_key_that_was_given_up_is_not_put_back() {
        let remembered = read(&young(2)).unwrap();
        let newer = ChallengeKeys::single(&[9; 32]);
        assert_eq!(remembered.compare(&Chain::default(), &newer), Comparison::Parted);
    }
}

proptest! {
    /// Whatever is left out but old entries at the front, or the end, which only who saw it knows of.
    #[test]
    fn no_entry_is_left_out_unnoticed(count in 3_usize..12, at in 0_usize..11, many in 1_usize..4) {
        let mut all = young(count);
        let at = at % (count - 1);
        let many = many.min(count - 1 - at);
        all.drain(at..at + many);
        prop_assert!(read(&all).is_err());
    }

    #[test]
    fn no_entries_change_places_unnoticed(count in 2_usize..12, one in 0_usize..12, other in 0_usize..12) {
        let mut all = young(count);
        let (one, other) = (one % count, other % count);
        prop_assume!(one != other);
        all.swap(one, other);
        prop_assert!(read(&all).is_err());
        // Nor under each other's numbers.
        let (seq, base) = (all[one].seq, all[one].base);
        (all[one].seq, all[one].base) = (all[other].seq, all[other].base);
        (all[other].seq, all[other].base) = (seq, base);
        prop_assert!(read(&all).is_err());
    }

    #[test]
    fn no_entry_is_said_twice(count in 1_usize..8, at in 0_usize..8, to in 0_usize..9) {
        let mut all = young(count);
        let copy = all[at % count].clone();
        all.insert(to % (count + 1), copy);
        prop_assert!(read(&all).is_err());
    }

    #[test]
    fn no_byte_of_an_entry_is_changed_unnoticed(at in 0_usize..4, field in 0_usize..7, byte in 0_usize..400, bit in 0_u8..7) {
        let mut all = young(4);
        let entry = &mut all[at];
        let before = entry.clone();
        let flip = |text: &str| {
            let mut bytes = text.as_bytes().to_vec();
            let byte = byte % bytes.len();
            bytes[byte] ^= 1 << bit;
            String::from_utf8(bytes).unwrap()
        };
        match field {
            0 => entry.seq ^= 1 << bit,
            1 => entry.base ^= 1 << bit,
            2 => entry.at_ms ^= 1 << bit,
            3 => entry.previous = entry.previous.map_or(Some(before.seal.tag), |_| None),
            4 => entry.record = flip(&entry.record).into(),
            5 => entry.seal.key_id = flip(&entry.seal.key_id).into(),
            _ => match Tag::parse(&flip(&entry.seal.tag.to_string())) {
                Some(tag) => entry.seal.tag = tag,
                None => return Ok(()),
            },
        }
        prop_assume!(*entry != before);
        prop_assert!(read(&all).is_err());
    }

    /// However replicas with clocks of their own add and forget, who reads what is kept believes it.
    #[test]
    fn what_is_kept_is_believed_at_any_time(ages in prop::collection::vec(0_u64..2_000, 1..30)) {
        let all = entries(&ages);
        let base = all.last().unwrap().base;
        let kept: Vec<_> = all.iter().filter(|entry| entry.seq >= base).cloned().collect();
        let chain = read(&kept).unwrap();
        for (number, age) in ages.iter().enumerate() {
            let is_kept = chain.holds(&revocation(number as u64, 0).id);
            prop_assert!(is_kept || *age > KEEP.as_secs(), "{number}");
        }
    }
}
