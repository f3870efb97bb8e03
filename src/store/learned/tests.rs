mod flood;
mod merge;
mod model;
mod pools;

use super::*;
use crate::attestation::Thumbprint;
use crate::context::{Country, Network, Seen};
use crate::policy::ScopeSet;
use crate::time::Ttl;
use rstest::rstest;
use std::net::Ipv4Addr;

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
const DAY: u64 = 86_400;
const TERMS: LearningTerms =
    LearningTerms { after: 50, remember: Ttl::from_secs(30 * DAY), within: Ttl::from_secs(600) };

fn learned() -> Learned {
    Learned::new(Bounds::default(), ScopeKey::from_bytes([7; 16]))
}

fn after(secs: u64) -> UnixTime {
    NOW.plus(Ttl::from_secs(secs))
}

fn network(number: u8) -> Option<Network> {
    Network::of(Ipv4Addr::new(10, 20, number, 4).into()).into()
}

fn country(code: &str) -> Option<Country> {
    Country::parse(code).ok()
}

fn credential(number: u32) -> Option<Thumbprint> {
    Thumbprint::of(&number.to_be_bytes()).into()
}

fn principal(name: &str) -> Principal {
    Principal::parse(name).unwrap()
}

fn sighting(name: &str) -> Sighting {
    Sighting {
        principal: principal(name),
        standing: Standing::Named,
        network: network(1),
        country: country("DE"),
        scopes: ScopeSet::parse("payments:read").unwrap(),
        credential: credential(1),
    }
}

#[rstest]
fn of_a_stranger_nothing_is_known(
    #[values(Standing::Named, Standing::Patterned, Standing::Undeclared)] standing: Standing,
) {
    let stranger = learned().familiarity(&Sighting { standing, ..sighting("web") }, &TERMS, NOW);
    let nothing = Familiarity {
        calls: 0,
        network: Seen::Never,
        country: Seen::Never,
        scopes: Seen::Never,
        knows_networks: false,
        knows_countries: false,
        last_seen: None,
        credential_networks: 1,
    };
    assert_eq!(stranger, nothing);
}

#[rstest]
fn what_was_learned_is_familiar_until_it_is_forgotten(
    #[values(Standing::Named, Standing::Patterned, Standing::Undeclared)] standing: Standing,
) {
    let (learned, web) = (learned(), Sighting { standing, ..sighting("web") });
    learned.learn(&web, Lesson::All, &TERMS, NOW);
    let known = learned.familiarity(&web, &TERMS, after(30 * DAY - 1));
    assert_eq!((known.network, known.country, known.scopes), (Seen::Before, Seen::Before, Seen::Before));
    assert!(known.knows_networks && known.knows_countries);
    let forgotten = learned.familiarity(&web, &TERMS, after(30 * DAY));
    assert_eq!((forgotten.network, forgotten.country, forgotten.scopes), (Seen::Never, Seen::Never, Seen::Never));
    assert!(forgotten.knows_networks && forgotten.knows_countries);
}

#[test]
fn after_a_pause_an_identity_is_dormant_and_no_stranger() {
    let (learned, web) = (learned(), sighting("web"));
    for _ in 0..50 {
        learned.learn(&web, Lesson::All, &TERMS, NOW);
    }
    let known = learned.familiarity(&web, &TERMS, after(400 * DAY));
    assert_eq!((known.calls, known.last_seen), (50, Some(NOW)));
}

#[test]
fn what_a_call_does_not_say_is_told_apart_from_what_was_never_seen() {
    let (learned, web) = (learned(), sighting("web"));
    learned.learn(&web, Lesson::All, &TERMS, NOW);
    let silent = Sighting { network: None, country: None, scopes: ScopeSet::default(), ..web };
    let known = learned.familiarity(&silent, &TERMS, NOW);
    assert_eq!((known.network, known.country, known.scopes), (Seen::Untold, Seen::Untold, Seen::Untold));
    assert!(known.knows_networks && known.knows_countries);
}

#[test]
fn scopes_are_familiar_only_if_all_of_them_are() {
    let (learned, web) = (learned(), sighting("web"));
    learned.learn(&web, Lesson::All, &TERMS, NOW);
    let jump = Sighting { scopes: ScopeSet::parse("payments:read payments:refund").unwrap(), ..web };
    assert_eq!(learned.familiarity(&jump, &TERMS, NOW).scopes, Seen::Never);
    learned.learn(&jump, Lesson::All, &TERMS, NOW);
    assert_eq!(learned.familiarity(&jump, &TERMS, NOW).scopes, Seen::Before);
}

#[test]
fn a_thief_whose_calls_teach_nothing_stays_unfamiliar() {
    let (learned, web) = (learned(), sighting("web"));
    let thief = Sighting { network: network(66), country: country("RU"), ..web.clone() };
    learned.learn(&web, Lesson::All, &TERMS, NOW);
    let before = learned.familiarity(&web, &TERMS, NOW);
    for second in 0..1_000 {
        learned.learn(&thief, Lesson::CredentialOnly, &TERMS, after(second));
    }
    let known = learned.familiarity(&thief, &TERMS, after(999));
    assert_eq!((known.network, known.country, known.calls, known.last_seen), (Seen::Never, Seen::Never, 1, Some(NOW)));
    let owner = learned.familiarity(&web, &TERMS, after(999));
    assert_eq!(owner, Familiarity { credential_networks: 2, ..before });
}

#[test]
fn a_clock_that_goes_back_makes_nothing_familiar_again() {
    let (learned, web) = (learned(), sighting("web"));
    learned.learn(&web, Lesson::All, &TERMS, NOW);
    assert_eq!(learned.familiarity(&web, &TERMS, after(31 * DAY)).network, Seen::Never);
    assert_eq!(learned.familiarity(&web, &TERMS, NOW).network, Seen::Never);
    learned.learn(&web, Lesson::All, &TERMS, NOW);
    assert_eq!(learned.familiarity(&web, &TERMS, after(1)).last_seen, Some(after(31 * DAY)));
}

#[test]
fn a_sight_in_use_is_not_forgotten() {
    let (learned, web) = (learned(), sighting("web"));
    for second in (0..62 * DAY).step_by(59) {
        learned.learn(&web, Lesson::All, &TERMS, after(second));
    }
    let known = learned.familiarity(&web, &TERMS, after(62 * DAY + 30 * DAY - 120));
    assert_eq!((known.network, known.country, known.scopes), (Seen::Before, Seen::Before, Seen::Before));
    assert!(known.last_seen.is_some_and(|last| last >= after(62 * DAY - 120)));
}

#[test]
fn a_short_memory_is_as_exact_as_its_seconds() {
    let (learned, web) = (learned(), sighting("web"));
    let terms = LearningTerms { remember: Ttl::from_secs(2), ..TERMS };
    for second in 0..10 {
        learned.learn(&web, Lesson::All, &terms, after(second));
        assert_eq!(learned.familiarity(&web, &terms, after(second + 1)).network, Seen::Before);
    }
    assert_eq!(learned.familiarity(&web, &terms, after(11)).network, Seen::Never);
}

#[test]
fn a_new_network_takes_the_place_of_the_one_not_seen_for_longest() {
    let (learned, web) = (learned(), sighting("web"));
    let from = |number| Sighting { network: network(number), ..web.clone() };
    for number in 0..32 {
        learned.learn(&from(number), Lesson::All, &TERMS, after(u64::from(number) * 100));
    }
    learned.learn(&from(0), Lesson::All, &TERMS, after(3_200));
    learned.learn(&from(32), Lesson::All, &TERMS, after(3_300));
    let unseen = (0..=32).filter(|n| learned.familiarity(&from(*n), &TERMS, after(3_300)).network == Seen::Never);
    assert_eq!(unseen.collect::<Vec<_>>(), [1]);
}

#[test]
fn counting_goes_on_for_as_long_as_the_policy_asks() {
    let (learned, web) = (learned(), sighting("web"));
    for _ in 0..10_010 {
        learned.learn(&web, Lesson::All, &TERMS, NOW);
    }
    assert_eq!(learned.familiarity(&web, &TERMS, NOW).calls, 10_000);
    let patient = LearningTerms { after: 10_005, ..TERMS };
    for _ in 0..10 {
        learned.learn(&web, Lesson::All, &patient, NOW);
    }
    assert_eq!(learned.familiarity(&web, &patient, NOW).calls, 10_005);
}

#[test]
fn the_networks_of_a_credential_are_counted_whoever_shows_it() {
    let learned = learned();
    let from = |name: &str, network| Sighting { network, ..sighting(name) };
    for (name, network) in [("web", network(1)), ("web", network(1)), ("batch", network(2)), ("web", None)] {
        learned.learn(&from(name, network), Lesson::CredentialOnly, &TERMS, NOW);
    }
    let count = |sighting: &Sighting, now| learned.familiarity(sighting, &TERMS, now).credential_networks;
    assert_eq!(count(&from("web", network(1)), NOW), 3);
    assert_eq!(count(&from("web", network(9)), NOW), 4);
    assert_eq!(count(&from("web", network(9)), after(600)), 4, "what seems 600 s old may be younger");
    assert_eq!(count(&from("web", network(9)), after(601)), 1);
    assert_eq!(count(&Sighting { credential: credential(2), ..from("web", network(9)) }, NOW), 1);
    assert_eq!(count(&Sighting { credential: None, ..from("web", network(9)) }, NOW), 0);
}

#[test]
fn a_credential_that_is_shown_everywhere_counts_as_many_networks_as_can_be_asked_for() {
    let (learned, web) = (learned(), sighting("web"));
    for number in 0..=255 {
        learned.learn(&Sighting { network: network(number), ..web.clone() }, Lesson::CredentialOnly, &TERMS, NOW);
    }
    let known = learned.familiarity(&web, &TERMS, NOW);
    assert_eq!(known.credential_networks, LearningTerms::MOST_SOURCES);
}

#[test]
fn many_at_once_lose_no_lesson() {
    let learned = learned();
    let standings = [Standing::Named, Standing::Patterned, Standing::Undeclared];
    let shown = standings.map(|standing| Sighting { standing, ..sighting("web") });
    for sighting in &shown {
        learned.learn(sighting, Lesson::All, &TERMS, NOW);
    }
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (learned, shown) = (&learned, &shown);
            scope.spawn(move || {
                for second in 0..500 {
                    for sighting in shown {
                        let roaming = Sighting { network: network(thread), ..sighting.clone() };
                        learned.learn(&roaming, Lesson::All, &TERMS, after(second));
                        assert_eq!(learned.familiarity(&roaming, &TERMS, after(second)).network, Seen::Before);
                    }
                }
            });
        }
    });
    for sighting in &shown {
        let known = learned.familiarity(sighting, &TERMS, after(500));
        assert_eq!((known.calls, known.credential_networks), (4_001, 8));
    }
}
