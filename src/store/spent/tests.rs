//! What is spent, by one thread and by many that are really there.

use super::*;
use crate::case::Reach;
use crate::time::Ttl;
use std::sync::atomic::{AtomicU64, Ordering};

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

fn proof(number: u64) -> Spending {
    Spending { key: Thumbprint::of(&number.to_be_bytes()), until: NOW.plus(Ttl::from_secs(60)), reach: Reach::Process }
}

#[test]
fn what_could_pass_before_memory_began_is_taken_as_used() {
    let proofs = SpentProofs::new(10);
    proofs.forget_before(NOW.plus(Ttl::from_secs(61)));
    assert_eq!(proofs.spend(proof(1), NOW), Spent::Replayed);
    let later = Spending { until: NOW.plus(Ttl::from_secs(61)), ..proof(2) };
    assert_eq!(proofs.spend(later, NOW), Spent::First);
}

#[test]
fn a_proof_passes_once_until_it_can_not_pass_any_more() {
    let spent = SpentProofs::new(1_000);
    assert_eq!(spent.spend(proof(1), NOW), Spent::First);
    assert_eq!(spent.spend(proof(1), NOW), Spent::Replayed);
    assert_eq!(spent.spend(proof(2), NOW), Spent::First);
    assert_eq!(spent.spend(proof(1), NOW.plus(Ttl::from_secs(60))), Spent::Replayed);
}

#[test]
fn a_clock_that_goes_back_does_not_bring_a_proof_back() {
    let spent = SpentProofs::new(1);
    assert_eq!(spent.spend(proof(1), NOW), Spent::First);
    for number in 2..200 {
        let later = Spending { until: NOW.plus(Ttl::from_secs(180)), ..proof(number) };
        spent.spend(later, NOW.plus(Ttl::from_secs(120)));
    }
    assert_eq!(spent.spend(proof(1), NOW), Spent::Replayed);
}

#[test]
fn what_can_not_pass_any_more_makes_room() {
    let spent = SpentProofs::new(SHARDS);
    for number in 0..10_000 {
        spent.spend(proof(number), NOW);
    }
    assert_eq!(spent.spend(proof(10_001), NOW), Spent::Full);
    let later = Spending { until: NOW.plus(Ttl::from_secs(121)), ..proof(10_001) };
    assert_eq!(spent.spend(later, NOW.plus(Ttl::from_secs(61))), Spent::First);
}

/// As many as there is work for in a moment.
const THREADS: u64 = 8;
const PROOFS: u64 = 40_000;

#[test]
fn of_many_at_once_exactly_one_is_first_while_the_clock_goes_on() {
    let spent = SpentProofs::new(100_000);
    let clock = AtomicU64::new(NOW.as_secs());
    let firsts: Vec<_> = (0..PROOFS).map(|_| AtomicU64::default()).collect();
    // Proofs end one after the other while they are shown, the first at once and the last never.
    let until = |number: u64| NOW.plus(Ttl::from_secs(number / 4));
    let show = |number: u64| {
        let seen = UnixTime::from_secs(clock.load(Ordering::Relaxed));
        let proof = Spending { until: until(number), ..proof(number) };
        if seen <= proof.until && spent.spend(proof, seen) == Spent::First {
            firsts[usize::try_from(number).unwrap()].fetch_add(1, Ordering::Relaxed);
        }
    };
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (show, clock) = (&show, &clock);
            scope.spawn(move || {
                for step in 0..PROOFS {
                    // All in the same order, but for every third, which comes again when others have gone on.
                    show(step);
                    show(step.saturating_sub(step % 3 * 100));
                    if step % THREADS == thread && step % 8 < 2 {
                        clock.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let end = UnixTime::from_secs(clock.into_inner());
    for (number, firsts) in (0_u64..).zip(firsts) {
        let firsts = firsts.into_inner();
        assert!(firsts <= 1, "proof {number} passed {firsts} times");
        assert!(firsts == 1 || until(number) < end, "proof {number} never passed");
    }
}
