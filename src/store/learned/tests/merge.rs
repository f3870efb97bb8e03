//! What is taken out as records and taken in again.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

const EACH: [Standing; 3] = [Standing::Named, Standing::Patterned, Standing::Undeclared];

/// All that is known of the identities that these records speak of.
fn known(learned: &Learned, records: &[LearnedRecord]) -> Vec<LearnedRecord> {
    learned.not_kept(records);
    let mut known = learned.changed();
    known.sort_by(|a, b| a.principal.cmp(&b.principal));
    known
}

fn merged(records: &[&LearnedRecord], standing: Standing) -> Learned {
    let learned = learned();
    for record in records {
        learned.merge(record, standing, after(1_000));
    }
    learned
}

#[rstest]
fn what_was_learned_is_familiar_after_a_restart(
    #[values(Standing::Named, Standing::Patterned, Standing::Undeclared)] old: Standing,
    #[values(Standing::Named, Standing::Patterned, Standing::Undeclared)] new: Standing,
) {
    let (before, web) = (learned(), Sighting { standing: old, ..sighting("web") });
    (0..60).for_each(|second| before.learn(&web, Lesson::All, &TERMS, after(second)));
    let text = serde_json::to_string(&before.changed()).unwrap();
    let records: Vec<LearnedRecord> = serde_json::from_str(&text).unwrap();
    let restarted = merged(&records.iter().collect::<Vec<_>>(), new);
    let web = Sighting { standing: new, credential: None, ..web };
    let known = restarted.familiarity(&web, &TERMS, after(60));
    assert_eq!(
        known,
        Familiarity {
            credential_networks: 0,
            ..before.familiarity(&Sighting { standing: old, ..web }, &TERMS, after(60))
        }
    );
    assert_eq!((known.calls, known.network, known.scopes), (60, Seen::Before, Seen::Before));
}

#[rstest]
fn only_what_changed_is_taken_out(#[values(Standing::Named, Standing::Patterned)] standing: Standing) {
    let (learned, web) = (learned(), Sighting { standing, ..sighting("web") });
    assert!(learned.changed().is_empty());
    learned.familiarity(&web, &TERMS, NOW);
    learned.learn(&web, Lesson::CredentialOnly, &TERMS, NOW);
    assert!(learned.changed().is_empty(), "nothing was learned of the identity");
    learned.learn(&web, Lesson::All, &TERMS, NOW);
    let changes = learned.changed();
    assert_eq!(changes.len(), 1);
    assert!(learned.changed().is_empty());
    learned.not_kept(&changes);
    assert_eq!(learned.changed(), changes);
}

#[test]
fn what_was_taken_in_is_no_change() {
    let (one, other) = (learned(), learned());
    one.learn(&sighting("web"), Lesson::All, &TERMS, NOW);
    one.changed().iter().for_each(|record| other.merge(record, Standing::Named, NOW));
    assert!(other.changed().is_empty(), "or two processes would tell one another without end");
}

#[test]
fn a_settled_caller_changes_once_a_minute_and_when_something_is_new() {
    let (learned, web) = (learned(), sighting("web"));
    (0..50).for_each(|_| learned.learn(&web, Lesson::All, &TERMS, NOW));
    assert_eq!(learned.changed()[0].calls, 50);
    learned.learn(&web, Lesson::All, &TERMS, after(60));
    assert!(learned.changed().is_empty());
    learned.learn(&Sighting { network: network(9), ..web.clone() }, Lesson::All, &TERMS, after(60));
    assert_eq!(learned.changed()[0].networks.len(), 2);
    learned.learn(&web, Lesson::All, &TERMS, after(61));
    assert_eq!(learned.changed()[0].last_seen, after(61));
}

#[test]
fn every_call_that_brings_signals_nearer_is_kept() {
    let (learned, web) = (learned(), sighting("web"));
    for calls in 1..=50 {
        learned.learn(&web, Lesson::All, &TERMS, NOW);
        assert_eq!(learned.changed()[0].calls, calls);
    }
}

#[test]
fn many_changes_come_in_parts_and_the_policys_own_first() {
    let learned = learned();
    for number in 0..Learned::MOST_CHANGED {
        for standing in EACH {
            let shown = Sighting { standing, credential: None, ..sighting(&format!("{standing:?}-{number}")) };
            learned.learn(&shown, Lesson::All, &TERMS, NOW);
        }
    }
    for standing in EACH {
        let changes = learned.changed();
        assert_eq!(changes.len(), Learned::MOST_CHANGED);
        assert!(changes.iter().all(|record| record.principal.as_str().starts_with(&format!("{standing:?}"))));
    }
    assert!(learned.changed().is_empty());
}

#[test]
fn what_claims_to_be_from_the_future_is_forgotten_in_time() {
    let record = LearnedRecord {
        principal: principal("web"),
        calls: u32::MAX,
        last_seen: UnixTime::from_secs(u64::MAX),
        networks: BTreeMap::from([(network(1).unwrap(), UnixTime::from_secs(u64::MAX))]),
        countries: BTreeMap::from([(country("DE").unwrap(), UnixTime::from_secs(0))]),
        scopes: BTreeMap::new(),
    };
    let learned = learned();
    learned.merge(&record, Standing::Named, NOW);
    let familiarity = |now| learned.familiarity(&sighting("web"), &TERMS, now);
    assert_eq!((familiarity(NOW).network, familiarity(NOW).country), (Seen::Before, Seen::Never));
    assert_eq!(familiarity(NOW).last_seen, Some(NOW));
    assert_eq!(familiarity(after(30 * DAY)).network, Seen::Never);
    learned.learn(&sighting("web"), Lesson::All, &TERMS, NOW);
}

#[test]
fn of_more_sights_than_there_is_room_for_the_latest_stay() {
    let all = (0..=255).map(|number| (network(number).unwrap(), after(u64::from(number)))).collect();
    let record = LearnedRecord {
        principal: principal("web"),
        calls: 1,
        last_seen: NOW,
        networks: all,
        countries: BTreeMap::new(),
        scopes: BTreeMap::new(),
    };
    let kept = known(&merged(&[&record], Standing::Named), std::slice::from_ref(&record));
    let expected: BTreeMap<_, _> = record.networks.iter().skip(256 - 32).map(|(what, at)| (*what, *at)).collect();
    assert_eq!(kept[0].networks, expected);
}

fn times<T: Ord + std::fmt::Debug>(
    what: impl Strategy<Value = T>,
    most: usize,
) -> impl Strategy<Value = BTreeMap<T, UnixTime>> {
    prop::collection::btree_map(what, (0_u64..2_000).prop_map(after), 0..most)
}

fn records() -> impl Strategy<Value = LearnedRecord> {
    let networks = times((0_u8..60).prop_map(|number| network(number).unwrap()), 40);
    let codes = vec![
        "DE", "NL", "FR", "BE", "LU", "AT", "CH", "PL", "CZ", "DK", "SE", "NO", "FI", "IS", "IE", "GB", "ES", "PT",
    ];
    let countries = times(prop::sample::select(codes).prop_map(|code| country(code).unwrap()), 18);
    let scope =
        |number| ScopeKey::from_bytes([7; 16]).digest(&crate::policy::Scope::parse(&format!("s{number}")).unwrap());
    let scopes = times((0_u8..90).prop_map(scope), 80);
    (0_u32..100, 0_u64..2_000, networks, countries, scopes).prop_map(|(calls, seen, networks, countries, scopes)| {
        LearnedRecord { principal: principal("web"), calls, last_seen: after(seen), networks, countries, scopes }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn order_and_repetition_of_records_make_no_difference(a in records(), b in records(), c in records(), which in 0..3_usize) {
        let standing = EACH[which];
        let of = |records: &[&LearnedRecord]| known(&merged(records, standing), std::slice::from_ref(&a));
        let all = of(&[&a, &b, &c]);
        prop_assert_eq!(&all, &of(&[&c, &a, &b]));
        prop_assert_eq!(&all, &of(&[&b, &b, &c, &a, &c, &b, &a]));
        let halves = [of(&[&a, &c]), of(&[&b, &c])].concat();
        prop_assert_eq!(&all, &of(&halves.iter().collect::<Vec<_>>()));
    }
}
