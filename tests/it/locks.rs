//! Locks that processes share: who has them, who waits, who is woken; by name and by place.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use ringway::block::{Block, SharedArray};
use ringway::sync::{
    Barrier, BarrierError, Condvar, Flag, LockTimeoutError, Mutex, Permits, ReentrantMutex,
    ReleaseError, RwLock, Semaphore, TryLockError,
};

use crate::util::child::{Child, hear, say};
use crate::util::{LONG, NO_RECHECK, Name, PROMPT, within};

const MOMENT: Duration = Duration::from_millis(30);

pub fn play(role: &str, arguments: &[&str]) {
    let name = arguments[0];
    match role {
        "count" => count(name, arguments[1].parse().unwrap()),
        "relay" => relay(name),
        "meet" => meet(name),
        "array" => add_to_array(name),
        "table" => table(name, arguments[1].parse().unwrap()),
        _ => panic!("no such role"),
    }
}

#[test]
fn a_mutex_has_one_owner_and_its_value_is_everybodys() {
    let name = Name::new("mutex");
    let mutex = Mutex::<[u64; 3]>::create(&name).unwrap();
    let other = Mutex::<[u64; 3]>::open(&name).unwrap();
    let mut guard = mutex.lock().unwrap();
    *guard = [1, 2, 3];
    assert!(mutex.is_locked() && other.is_locked());
    let busy = other.try_lock().unwrap_err();
    assert!(matches!(busy, TryLockError::WouldDeadlock | TryLockError::Held(_)), "{busy:?}");
    thread::scope(|scope| {
        let late = || matches!(other.lock_timeout(MOMENT), Err(LockTimeoutError::Timeout));
        assert!(scope.spawn(late).join().unwrap());
        let held = scope.spawn(|| matches!(other.try_lock(), Err(TryLockError::Held(_))));
        assert!(held.join().unwrap());
    });
    drop(guard);
    assert_eq!(*other.lock().unwrap(), [1, 2, 3]);
    assert!(!mutex.is_locked() && !mutex.is_inconsistent());
}

#[test]
fn who_has_a_mutex_and_waits_for_it_is_told() {
    let block = Block::anonymous(4096).unwrap();
    block.unlink().unwrap();
    let (mutex, same) = (Mutex::<u8>::at(&block, 8).unwrap(), Mutex::<u8>::at(&block, 8).unwrap());
    let _guard = mutex.lock().unwrap();
    for mutex in [&mutex, &same] {
        assert!(format!("{:?}", mutex.lock().unwrap_err()).starts_with("WouldDeadlock"));
        assert!(matches!(mutex.try_lock().unwrap_err(), TryLockError::WouldDeadlock));
        let timed = mutex.lock_timeout(LONG).unwrap_err();
        assert!(matches!(timed, LockTimeoutError::WouldDeadlock));
    }
}

/// Adds under the mutex, which guards two numbers that are equal whenever nobody has it.
fn count(name: &str, times: u64) {
    let mutex = Mutex::<[u64; 2]>::options().recheck(NO_RECHECK).open(name).unwrap();
    say("open");
    hear();
    for _ in 0..times {
        let mut numbers = mutex.lock().unwrap();
        assert_eq!(numbers[0], numbers[1]);
        numbers[0] += 1;
        numbers[1] += 1;
    }
}

#[test]
fn processes_that_fight_for_a_mutex_lose_no_addition_and_nobody_sleeps_on() {
    let name = Name::new("counted");
    let mutex = Mutex::<[u64; 2]>::create(&name).unwrap();
    let spawn = |_| Child::spawn("locks::count", &[&name, "20000"]);
    let mut children: Vec<Child> = (0..4).map(spawn).collect();
    for child in &children {
        child.expect("open");
    }
    for child in &mut children {
        child.tell("go");
    }
    within(LONG, || children.into_iter().for_each(Child::finish));
    assert_eq!(*mutex.lock().unwrap(), [80_000, 80_000]);
}

#[test]
fn a_thread_that_panics_with_a_mutex_leaves_it_marked() {
    let name = Name::new("panicked");
    let mutex = Mutex::<u32>::create(&name).unwrap();
    thread::scope(|scope| {
        let panics = || {
            let mut guard = mutex.lock().unwrap();
            *guard = 1;
            panic!("on purpose");
        };
        assert!(scope.spawn(panics).join().is_err());
    });
    assert!(mutex.is_inconsistent());
    let mut guard = mutex.lock().unwrap_err().into_guard().unwrap();
    assert!(guard.is_inconsistent() && *guard == 1);
    drop(guard);
    guard = mutex.lock().unwrap_err().into_guard().unwrap();
    *guard = 0;
    guard.mark_consistent();
    drop(guard);
    assert_eq!(*mutex.lock().unwrap(), 0);
}

#[test]
fn a_reentrant_mutex_is_taken_again_by_who_has_it() {
    let name = Name::new("again");
    let mutex = ReentrantMutex::<u64>::create(&name).unwrap();
    let outer = mutex.lock().unwrap();
    let inner = mutex.try_lock().unwrap();
    let innermost = mutex.lock_timeout(Duration::ZERO).unwrap();
    innermost.set(inner.get() + 5);
    assert_eq!(outer.get(), 5);
    drop(outer);
    drop(innermost);
    let held = || matches!(mutex.try_lock(), Err(TryLockError::Held(_)));
    let late = || matches!(mutex.lock_timeout(MOMENT), Err(LockTimeoutError::Timeout));
    thread::scope(|scope| {
        assert!(scope.spawn(held).join().unwrap(), "one guard is left");
        assert!(scope.spawn(late).join().unwrap());
    });
    drop(inner);
    thread::scope(|scope| assert!(!scope.spawn(held).join().unwrap()));
    assert!(!mutex.is_locked());
}

#[test]
fn readers_share_a_rwlock_and_writers_do_not() {
    let name = Name::new("rwlock");
    let lock = RwLock::<u32>::create(&name).unwrap();
    let other = RwLock::<u32>::open(&name).unwrap();
    *lock.write().unwrap() = 4;
    let (one, two, three) = (lock.read().unwrap(), lock.read().unwrap(), other.read().unwrap());
    assert_eq!(*one + *two + *three, 12);
    assert!(matches!(other.try_write(), Err(TryLockError::Held(_))));
    assert!(matches!(lock.write_timeout(MOMENT), Err(LockTimeoutError::Timeout)));
    assert!(lock.try_read().is_ok(), "a writer that gave up keeps nobody out");
    drop((one, two));
    assert!(matches!(lock.try_write(), Err(TryLockError::Held(_))));
    drop(three);
    let guard = other.try_write().unwrap();
    thread::scope(|scope| {
        let kept_out = || {
            matches!(lock.try_read(), Err(TryLockError::Held(_)))
                && matches!(lock.read_timeout(MOMENT), Err(LockTimeoutError::Timeout))
                && matches!(lock.try_write(), Err(TryLockError::Held(_)))
        };
        assert!(scope.spawn(kept_out).join().unwrap());
    });
    drop(guard);
    let guard = lock.write().unwrap();
    assert!(matches!(lock.try_read(), Err(TryLockError::WouldDeadlock)));
    assert!(format!("{:?}", lock.read().unwrap_err()).starts_with("WouldDeadlock"));
    assert!(format!("{:?}", lock.write().unwrap_err()).starts_with("WouldDeadlock"));
    drop(guard);
}

#[test]
fn readers_that_keep_coming_do_not_hold_a_writer_up() {
    let name = Name::new("starved");
    let lock = RwLock::<u32>::options().recheck(NO_RECHECK).create(&name).unwrap();
    let (done, reads) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        let read = || {
            let lock = RwLock::<u32>::options().recheck(NO_RECHECK).open(&name).unwrap();
            let mut guard = lock.read().unwrap();
            // There is always one that reads: the next is taken before the last is given back.
            while done.load(SeqCst) == 0 {
                if let Ok(next) = lock.try_read() {
                    guard = next;
                    reads.fetch_add(1, SeqCst);
                } else {
                    drop(guard);
                    guard = lock.read().unwrap();
                }
            }
            drop(guard);
        };
        let readers = [scope.spawn(read), scope.spawn(read), scope.spawn(read)];
        while reads.load(SeqCst) < 100 {
            thread::yield_now();
        }
        within(PROMPT, || *lock.write().unwrap() += 1);
        done.store(1, SeqCst);
        for reader in readers {
            reader.join().unwrap();
        }
    });
}

/// Reads and writes a table whose numbers are equal whenever nobody writes.
fn table(name: &str, times: u64) {
    let lock = RwLock::<[u64; 4]>::options().recheck(NO_RECHECK).open(name).unwrap();
    say("open");
    hear();
    for turn in 0..times {
        if turn % 4 == 0 {
            for number in lock.write().unwrap().iter_mut() {
                *number += 1;
            }
        } else {
            let table = lock.read().unwrap();
            assert!(table.iter().all(|number| *number == table[0]), "{table:?}");
        }
    }
}

#[test]
fn processes_that_read_and_write_see_whole_tables() {
    let name = Name::new("table");
    let lock = RwLock::<[u64; 4]>::create(&name).unwrap();
    let spawn = |_| Child::spawn("locks::table", &[&name, "8000"]);
    let mut children: Vec<Child> = (0..4).map(spawn).collect();
    for child in &children {
        child.expect("open");
    }
    for child in &mut children {
        child.tell("go");
    }
    within(LONG, || children.into_iter().for_each(Child::finish));
    assert_eq!(*lock.read().unwrap(), [8000; 4]);
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
    let child = Child::spawn("locks::relay", &[&name]);
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
    let child = Child::spawn("locks::meet", &[&name]);
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

/// Adds to each number by plain reads and writes, under the array's own mutex.
fn add_to_array(name: &str) {
    let array = SharedArray::<u32>::open(name).unwrap();
    let mutex = Mutex::beside(&array).unwrap();
    say("open");
    hear();
    for _ in 0..200 {
        let _turn = mutex.lock().unwrap();
        for at in 0..array.len() {
            array.set(at, array.get(at).unwrap() + 1).unwrap();
        }
    }
}

#[test]
fn an_array_has_a_mutex_of_its_own() {
    let name = Name::new("own-mutex");
    let array = SharedArray::<u32>::options().len(50).with_lock().create(&name).unwrap();
    let mut children = [0, 1, 2].map(|_| Child::spawn("locks::array", &[&name]));
    for child in &mut children {
        child.expect("open");
        child.tell("go");
    }
    within(LONG, || children.into_iter().for_each(Child::finish));
    assert_eq!(array.to_vec().unwrap(), [600; 50]);
    let (mutex, same) = (Mutex::beside(&array).unwrap(), Mutex::beside(&array).unwrap());
    let _turn = mutex.lock().unwrap();
    assert!(matches!(same.try_lock(), Err(TryLockError::WouldDeadlock)), "it is one");
}
