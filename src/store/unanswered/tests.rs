//! What callers are given, and what attackers can do to it.

use super::*;
use crate::attestation::Thumbprint;
use crate::context::Network;
use crate::identity::Principal;
use crate::policy::Name;
use crate::time::Ttl;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU32, Ordering};

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
const WHOLE: Allowance = Allowance::Loop { retry_after: CHALLENGE_WINDOW };

fn after(secs: u64) -> UnixTime {
    NOW.plus(Ttl::from_secs(secs))
}

fn network(number: u32) -> Network {
    Network::of(Ipv4Addr::from(number << 8).into())
}

fn key() -> ChallengeKey {
    ChallengeKey {
        principal: Principal::parse("billing-web").unwrap(),
        credential: Some(Thumbprint::of(b"token")),
        network: Some(network(1)),
        route: Some(Name::parse("refund").unwrap()),
    }
}

fn ask(unanswered: &Unanswered, key: &ChallengeKey, now: UnixTime) -> Allowance {
    unanswered.ask(key, ChallengeLimit::default(), now)
}

/// Asks until it is refused, and says how often it was not.
fn given(unanswered: &Unanswered, key: &ChallengeKey, now: UnixTime) -> usize {
    (0..100).take_while(|_| ask(unanswered, key, now) == Allowance::Allowed).count()
}

fn counts(unanswered: &Unanswered) -> usize {
    unanswered.places.iter().map(|place| locked(place).0.len()).sum()
}

#[test]
fn after_so_many_unanswered_the_next_has_to_wait() {
    let unanswered = Unanswered::default();
    assert_eq!(given(&unanswered, &key(), NOW), 20);
    assert_eq!(ask(&unanswered, &key(), NOW), WHOLE);
    assert_eq!(ask(&unanswered, &key(), after(59)), Allowance::Loop { retry_after: Ttl::from_secs(1) });
}

/// From the first of them on: who is refused does not wait longer for asking again.
#[test]
fn after_a_minute_it_is_challenged_again() {
    let unanswered = Unanswered::default();
    for second in 0..60 {
        ask(&unanswered, &key(), after(second));
    }
    assert_eq!(given(&unanswered, &key(), after(60)), 20);
}

#[test]
fn an_answer_clears_the_count() {
    let unanswered = Unanswered::default();
    assert_eq!(given(&unanswered, &key(), NOW), 20);
    unanswered.answered(&key());
    assert_eq!(given(&unanswered, &key(), NOW), 20);
}

#[test]
fn whoever_differs_in_anything_is_counted_apart() {
    let unanswered = Unanswered::default();
    assert_eq!(given(&unanswered, &key(), NOW), 20);
    let others = [
        ChallengeKey { principal: Principal::parse("billing-batch").unwrap(), ..key() },
        ChallengeKey { credential: Some(Thumbprint::of(b"another")), ..key() },
        ChallengeKey { credential: None, ..key() },
        ChallengeKey { network: Some(network(2)), ..key() },
        ChallengeKey { network: None, ..key() },
        ChallengeKey { route: Some(Name::parse("wipe").unwrap()), ..key() },
        ChallengeKey { route: None, ..key() },
    ];
    for other in others {
        assert_eq!(given(&unanswered, &other, NOW), 20, "{other:?}");
        unanswered.answered(&other);
        assert_eq!(ask(&unanswered, &key(), NOW), WHOLE);
    }
}

#[test]
fn a_new_limit_holds_at_once() {
    let unanswered = Unanswered::default();
    let limit = |most| ChallengeLimit::new(most).unwrap();
    assert_eq!(given(&unanswered, &key(), NOW), 20);
    assert_eq!(unanswered.ask(&key(), limit(21), NOW), Allowance::Allowed);
    assert_eq!(unanswered.ask(&key(), limit(1), NOW), WHOLE);
}

#[test]
fn a_clock_that_goes_back_locks_nobody_out() {
    let unanswered = Unanswered::default();
    assert_eq!(given(&unanswered, &key(), after(86_400)), 20);
    assert_eq!(given(&unanswered, &key(), NOW), 20);
    assert_eq!(ask(&unanswered, &key(), after(59)), Allowance::Loop { retry_after: Ttl::from_secs(1) });
}

#[test]
fn the_memory_stays_bounded_whatever_callers_invent() {
    let unanswered = Unanswered::default();
    for number in 0..300_000_u32 {
        let principal = Principal::parse(&format!("invented-{number}")).unwrap();
        ask(&unanswered, &ChallengeKey { principal, ..key() }, NOW);
    }
    assert!(counts(&unanswered) <= PLACES * COUNTS_EACH);
    let capacity = |place: &Mutex<Place>| locked(place).0.capacity();
    assert!(unanswered.places.iter().all(|place| capacity(place) <= COUNTS_EACH));
}

/// He would have to fill each place with counts as high.
#[test]
fn a_flood_of_invented_callers_makes_no_loop_forgotten() {
    let unanswered = Unanswered::default();
    assert_eq!(given(&unanswered, &key(), NOW), 20);
    for number in 0..300_000_u32 {
        let principal = Principal::parse(&format!("invented-{number}")).unwrap();
        ask(&unanswered, &ChallengeKey { principal, ..key() }, NOW);
    }
    assert_eq!(ask(&unanswered, &key(), NOW), WHOLE);
}

#[test]
fn a_thief_in_ever_new_networks_takes_one_place_and_no_more() {
    let unanswered = Unanswered::default();
    for number in 2..10_000 {
        let thief = ChallengeKey { network: Some(network(number)), ..key() };
        assert_eq!(given(&unanswered, &thief, NOW), 20);
    }
    assert_eq!(counts(&unanswered), COUNTS_EACH);
    assert_eq!(ask(&unanswered, &key(), NOW), Allowance::Allowed, "and the one he stole from is asked as ever");
}

#[test]
fn what_is_over_makes_room() {
    let unanswered = Unanswered::default();
    for number in 0..500 {
        ask(&unanswered, &ChallengeKey { network: Some(network(number)), ..key() }, NOW);
    }
    assert_eq!(counts(&unanswered), COUNTS_EACH);
    ask(&unanswered, &key(), after(60));
    assert_eq!(counts(&unanswered), 1);
}

#[test]
fn of_many_at_once_no_count_is_lost() {
    let (unanswered, allowed) = (Unanswered::default(), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let mine = (0..100).filter(|_| ask(&unanswered, &key(), NOW) == Allowance::Allowed).count();
                allowed.fetch_add(u32::try_from(mine).unwrap(), Ordering::Relaxed);
            });
        }
    });
    assert_eq!(allowed.into_inner(), 20);
}
