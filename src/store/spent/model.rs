//! The orders in which threads can spend proofs while the clock moves: all orders of a few steps, and many orders of more.
//! However the threads meet, each proof passes once.

use super::*;
use crate::case::Reach;
use rstest::rstest;
use shuttle::sync::Mutex as ModelMutex;
use shuttle::sync::atomic::{AtomicU64, Ordering};
use shuttle::thread;
use std::sync::Arc;
use std::sync::atomic::AtomicU64 as Count; // what only counts needs no orders of its own

/// What a thread does.
#[derive(Clone, Copy)]
enum Act {
    /// Shows the proof of this number, as a case does.
    Show(usize),
    /// Sets the clock.
    Clock(u64),
}
use Act::{Clock, Show};

/// Until when each proof can pass, by its number.
const ENDS: [u64; 3] = [10, 20, 100];
/// When everything begins.
const START: u64 = 5;

struct World<L> {
    spent: SpentProofs<L>,
    clock: AtomicU64,
    /// How often each proof was the first of its kind.
    firsts: [Count; ENDS.len()],
}

impl<L: Lock<Shard>> World<L> {
    fn new(capacity: usize) -> Self {
        // One shard, so that all meet in it.
        let spent = SpentProofs::in_shards(1, capacity);
        Self { spent, clock: AtomicU64::new(START), firsts: Default::default() }
    }

    fn now(&self) -> u64 {
        self.clock.load(Ordering::SeqCst)
    }

    fn act(&self, act: Act) {
        match act {
            Clock(time) => self.clock.store(time, Ordering::SeqCst),
            Show(number) => self.show(number),
        }
    }

    /// First the case looks whether the proof is recent; later, by the clock of then, the store spends it.
    fn show(&self, number: usize) {
        let until = ENDS[number];
        if self.now() > until {
            return;
        }
        let key = Thumbprint::from_bytes([u8::try_from(number).unwrap(); 32]);
        let spending = Spending { key, until: UnixTime::from_secs(until), reach: Reach::Process };
        if self.spent.spend(spending, UnixTime::from_secs(self.now())) == Spent::First {
            self.firsts[number].fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// Lets the threads go through their acts, and holds what came of it against the law.
fn play<L: Lock<Shard> + Send + Sync + 'static>(threads: &[&'static [Act]], capacity: usize) {
    let world = Arc::new(World::<L>::new(capacity));
    let play = |acts: &'static [Act]| {
        let world = Arc::clone(&world);
        thread::spawn(move || acts.iter().for_each(|act| world.act(*act)))
    };
    let playing: Vec<_> = threads.iter().map(|acts| play(acts)).collect();
    for thread in playing {
        thread.join().unwrap();
    }
    let acts = || threads.iter().copied().flatten();
    for (number, firsts) in world.firsts.iter().enumerate() {
        let firsts = firsts.load(Ordering::SeqCst);
        assert!(firsts <= 1, "proof {number} passed {firsts} times");
        let shown = acts().any(|act| matches!(act, Show(shown) if *shown == number));
        let always_recent = acts().all(|act| !matches!(act, Clock(time) if *time > ENDS[number]));
        let has_room = capacity >= ENDS.len();
        assert!(firsts == 1 || !(shown && always_recent && has_room), "proof {number} never passed");
    }
}

impl<T: Default> Lock<T> for ModelMutex<T> {
    fn locked<R>(&self, work: impl FnOnce(&mut T) -> R) -> R {
        work(&mut self.lock().unwrap())
    }
}

/// A lock that is not held while the work is done.
#[derive(Default)]
struct Open<T>(ModelMutex<T>);

impl<T: Default> Lock<T> for Open<T> {
    fn locked<R>(&self, work: impl FnOnce(&mut T) -> R) -> R {
        let mut taken = std::mem::take(&mut *self.0.lock().unwrap());
        let done = work(&mut taken);
        *self.0.lock().unwrap() = taken;
        done
    }
}

/// Few enough that all their orders can be gone through.
const PAIRS: [[&[Act]; 2]; 4] = [
    [&[Show(0)], &[Show(0)]],
    [&[Show(0), Show(1)], &[Show(1)]],
    [&[Show(0), Show(0)], &[Clock(ENDS[0]), Show(1)]],
    [&[Show(0)], &[Show(0), Clock(ENDS[0] + 1), Show(1), Clock(START)]],
];

#[rstest]
fn in_every_order_of_two_threads_a_proof_passes_once(#[values(0, 1, 2, 3)] pair: usize) {
    shuttle::check_dfs(move || play::<ModelMutex<_>>(&PAIRS[pair], ENDS.len()), None);
}

/// Proofs that others also show, an end that passes, and a clock that goes back.
const MANY: [&[Act]; 4] = [
    &[Show(0), Show(1), Show(2)],
    &[Clock(ENDS[0] + 1), Show(1), Show(2), Clock(START), Show(0)],
    &[Show(2), Clock(ENDS[1]), Show(1), Show(0)],
    &[Show(0), Show(2), Clock(START), Show(1)],
];

#[rstest]
fn in_many_orders_of_four_threads_a_proof_passes_once(#[values(1, 3)] capacity: usize) {
    shuttle::check_random(move || play::<ModelMutex<_>>(&MANY, capacity), 2_000);
    shuttle::check_pct(move || play::<ModelMutex<_>>(&MANY, capacity), 2_000, 3);
}

#[test]
#[should_panic(expected = "proof 0 passed 2 times")]
fn a_lock_that_is_not_held_is_found_out() {
    shuttle::check_dfs(|| play::<Open<_>>(&PAIRS[0], ENDS.len()), None);
}
