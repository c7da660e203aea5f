//! Locks that processes share: who has them, who waits, who is woken; by name and by place.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use ringway::block::{Block, SharedArray};
use ringway::sync::{LockTimeoutError, Mutex, ReentrantMutex, RwLock, TryLockError};

use crate::util::child::{Child, hear, say};
use crate::util::{LONG, NO_RECHECK, Name, PROMPT, within};

const MOMENT: Duration = Duration::from_millis(30);

pub fn play(role: &str, arguments: &[&str]) {
    let name = arguments[0];
    match role {
        "count" => count(name, arguments[1].parse().unwrap()),
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

/// Four processes play `role`, and begin once all are there.
fn four_at_once(role: &str, arguments: &[&str]) {
    let mut children = [(); 4].map(|()| Child::spawn(role, arguments));
    for child in &children {
        child.expect("open");
    }
    for child in &mut children {
        child.tell("go");
    }
    within(LONG, || children.into_iter().for_each(Child::finish));
}

#[test]
fn processes_that_fight_for_a_mutex_lose_no_addition_and_nobody_sleeps_on() {
    let name = Name::new("counted");
    let mutex = Mutex::<[u64; 2]>::create(&name).unwrap();
    four_at_once("locks::count", &[&name, "20000"]);
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
    four_at_once("locks::table", &[&name, "8000"]);
    assert_eq!(*lock.read().unwrap(), [8000; 4]);
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
