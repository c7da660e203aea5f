//! Waiting between processes for what is no message: semaphores, permits, flags, conditions, barriers.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use ringway::block::Block;
use ringway::sync::{
    Barrier, BarrierError, Condvar, Flag, Mutex, Permits, ReleaseError, Semaphore,
};

use crate::util::child::Child;
use crate::util::{LONG, NO_RECHECK, Name, PROMPT, within};

const MOMENT: Duration = Duration::from_millis(30);

pub fn play(role: &str, arguments: &[&str]) {
    match role {
        "relay" => relay(arguments[0]),
        "meet" => meet(arguments[0]),
        _ => panic!("no such role"),
    }
}

#[test]
fn a_semaphore_counts_to_its_bound() {
    let name = Name::new("semaphore");
    let semaphore = Semaphore::options().initial(1).bound(3).create(&name).unwrap();
    let other = Semaphore::open(&name).unwrap();
    assert_eq!((other.bound(), other.available()), (3, 1));
    other.acquire().unwrap();
    assert!(!semaphore.try_acquire().unwrap());
    assert!(!semaphore.acquire_timeout(MOMENT).unwrap());
    semaphore.release(2).unwrap();
    assert_eq!(other.release(2), Err(ReleaseError::BeyondBound(2)));
    assert_eq!(other.release(u32::MAX), Err(ReleaseError::BeyondBound(2)));
    other.release(0).unwrap();
    other.release(1).unwrap();
    assert_eq!(semaphore.available(), 3);
    assert!(semaphore.acquire_timeout(Duration::ZERO).unwrap());
}

#[test]
fn each_release_lets_one_in_whoever_sleeps() {
    let name = Name::new("let-in");
    let semaphore = Semaphore::options().recheck(NO_RECHECK).create(&name).unwrap();
    let done = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                let mine = Semaphore::options().recheck(NO_RECHECK).open(&name).unwrap();
                for _ in 0..50 {
                    mine.acquire().unwrap();
                }
                done.fetch_add(1, SeqCst);
            });
        }
        within(LONG, || {
            for turn in 0..100 {
                semaphore.release(1 + 2 * (turn % 3)).unwrap();
                thread::yield_now();
            }
            while done.load(SeqCst) < 6 {
                semaphore.release(1).unwrap();
                thread::yield_now();
            }
        });
    });
}

#[test]
fn permits_are_so_many_and_come_back() {
    let name = Name::new("permits");
    let permits = Permits::create(&name, 2).unwrap();
    let other = Permits::options().recheck(NO_RECHECK).open(&name).unwrap();
    assert_eq!((other.count(), other.available()), (2, 2));
    let (one, two) = (permits.acquire().unwrap(), other.acquire().unwrap());
    assert!(permits.try_acquire().unwrap().is_none());
    assert!(other.acquire_timeout(MOMENT).unwrap().is_none());
    thread::scope(|scope| {
        let waits = scope.spawn(|| other.acquire().unwrap());
        thread::spawn(move || drop(one)).join().unwrap();
        drop(within(PROMPT, || waits.join().unwrap()));
    });
    drop(two);
    assert_eq!(permits.available(), 2);
}

#[test]
fn a_flag_lets_all_through_and_is_not_missed() {
    let name = Name::new("flag");
    let flag = Flag::options().recheck(NO_RECHECK).create(&name).unwrap();
    assert!(!flag.is_set() && !flag.wait_timeout(MOMENT).unwrap());
    for turn in 0..50 {
        let (began, name) = (AtomicUsize::new(0), &name);
        thread::scope(|scope| {
            let wait = || {
                let flag = Flag::options().recheck(NO_RECHECK).open(name).unwrap();
                began.fetch_add(1, SeqCst);
                flag.wait().unwrap();
            };
            let waiters = [scope.spawn(wait), scope.spawn(wait)];
            while began.load(SeqCst) < 2 {
                thread::yield_now();
            }
            if turn % 2 == 0 {
                assert!(flag.set().unwrap() && !flag.set().unwrap());
            } else {
                // Set and cleared at once until both are through: who waited then has not missed it.
                while waiters.iter().any(|waiter| !waiter.is_finished()) {
                    flag.set().unwrap();
                    flag.clear().unwrap();
                }
            }
            within(PROMPT, || waiters.map(|waiter| waiter.join().unwrap()));
        });
        flag.clear().unwrap();
    }
    assert!(!flag.clear().unwrap());
}

/// Hands a number to the other and waits for the next.
fn relay(name: &str) {
    let block = Block::options().recheck(NO_RECHECK).open(name).unwrap();
    let mutex = Mutex::<u64>::at(&block, 0).unwrap();
    let condvar = Condvar::at(&block, 128).unwrap();
    loop {
        let mut number = condvar.wait_while(mutex.lock().unwrap(), |n| *n % 2 == 0).unwrap();
        *number += 1;
        let last = *number >= 2000;
        drop(number);
        condvar.notify_one().unwrap();
        if last {
            return;
        }
    }
}

#[test]
fn a_condvar_hands_over_between_processes_without_a_miss() {
    let name = Name::new("condvar");
    let block = Block::options().len(4096).recheck(NO_RECHECK).create(&name).unwrap();
    let mutex = Mutex::<u64>::at(&block, 0).unwrap();
    let condvar = Condvar::at(&block, 128).unwrap();
    let child = Child::spawn("locks_waits::relay", &[&name]);
    within(LONG, || {
        for turn in 0..1000 {
            let mut number = condvar.wait_while(mutex.lock().unwrap(), |n| *n % 2 == 1).unwrap();
            assert_eq!(*number, 2 * turn);
            *number += 1;
            drop(number);
            condvar.notify_one().unwrap();
        }
        child.finish();
    });
}

#[test]
fn a_condvar_wakes_all_and_ends_in_time() {
    let block = Block::options().len(4096).recheck(NO_RECHECK).anonymous().unwrap();
    block.unlink().unwrap();
    let mutex = Mutex::<u64>::at(&block, 0).unwrap();
    let condvar = Condvar::at(&block, 128).unwrap();
    let (guard, late) = condvar.wait_timeout(mutex.lock().unwrap(), MOMENT).unwrap();
    assert!(late);
    let (guard, late) = condvar.wait_timeout_while(guard, MOMENT, |n| *n == 0).unwrap();
    assert!(late && *guard == 0);
    drop(guard);
    thread::scope(|scope| {
        let wait = || drop(condvar.wait_while(mutex.lock().unwrap(), |n| *n == 0).unwrap());
        let waiters = [scope.spawn(wait), scope.spawn(wait), scope.spawn(wait)];
        *mutex.lock().unwrap() = 1;
        condvar.notify_all().unwrap();
        within(PROMPT, || waiters.map(|waiter| waiter.join().unwrap()));
    });
}

/// Meets the others a hundred times.
fn meet(name: &str) {
    let mut barrier = Barrier::options().recheck(NO_RECHECK).open(name).unwrap();
    for _ in 0..100 {
        barrier.wait().unwrap();
    }
}

#[test]
fn parties_meet_round_after_round_with_one_leader_each() {
    let name = Name::new("barrier");
    let mut barrier = Barrier::options().parties(3).recheck(NO_RECHECK).create(&name).unwrap();
    let mut second = Barrier::options().recheck(NO_RECHECK).open(&name).unwrap();
    let child = Child::spawn("locks_waits::meet", &[&name]);
    within(LONG, || {
        thread::scope(|scope| {
            let other = scope.spawn(|| {
                (0..100).map(|_| second.wait().unwrap()).filter(|met| met.is_leader()).count()
            });
            let rounds: Vec<_> = (0..100).map(|_| barrier.wait().unwrap()).collect();
            assert!(rounds.iter().all(|met| met.index() < 3));
            let mine = rounds.iter().filter(|met| met.is_leader()).count();
            assert!(mine + other.join().unwrap() <= 100);
        });
        child.finish();
    });
}

#[test]
fn who_gives_up_breaks_the_barrier_until_it_is_reset() {
    let name = Name::new("broken");
    let mut barrier = Barrier::options().parties(3).recheck(NO_RECHECK).create(&name).unwrap();
    let mut second = Barrier::options().recheck(NO_RECHECK).open(&name).unwrap();
    thread::scope(|scope| {
        let waits = scope.spawn(|| second.wait());
        while barrier.waiting() == 0 {
            thread::yield_now();
        }
        assert_eq!(barrier.wait_timeout(MOMENT), Err(BarrierError::Timeout));
        assert_eq!(within(PROMPT, || waits.join().unwrap()), Err(BarrierError::Broken));
    });
    assert!(barrier.is_broken());
    assert_eq!(barrier.wait(), Err(BarrierError::Broken));
    barrier.reset().unwrap();
    assert!(!barrier.is_broken() && barrier.waiting() == 0);
    thread::scope(|scope| {
        let waits = scope.spawn(|| second.wait());
        while barrier.waiting() == 0 {
            thread::yield_now();
        }
        barrier.reset().unwrap();
        assert_eq!(within(PROMPT, || waits.join().unwrap()), Err(BarrierError::Broken));
    });
}
