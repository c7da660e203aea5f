//! Whoever has a lock, or waits for one, is killed: the others go on, and are told.

mod roles;

use std::time::Duration;

use ringway::block::Block;
use ringway::sync::{
    Barrier, BarrierError, Condvar, LockError, Mutex, Permits, ReentrantMutex, RwLock, Semaphore,
    TryLockError,
};

use crate::util::child::Child;
use crate::util::{LONG, NO_RECHECK, Name, PROMPT, eventually, within};

pub use roles::play;

/// Between the shortest and the longest that may be.
const SHORT: Duration = Duration::from_millis(5);

#[test]
fn who_is_killed_with_a_mutex_leaves_it_to_the_next() {
    let name = Name::new("owner");
    let mutex = Mutex::<[u64; 2]>::options().recheck(NO_RECHECK).create(&name).unwrap();
    let child = Child::spawn("locks_deaths::lock", &[&name]);
    child.expect("held");
    assert!(matches!(mutex.try_lock(), Err(TryLockError::Held(_))));
    child.kill();
    for _ in 0..2 {
        let outcome = within(PROMPT, || mutex.lock());
        assert!(matches!(outcome, Err(LockError::OwnerDied(_))), "until somebody repairs it");
    }
    let mut guard = mutex.lock().unwrap_err().into_guard().unwrap();
    assert_eq!(*guard, [1, 0], "as it was left");
    *guard = [1, 1];
    guard.mark_consistent();
    drop(guard);
    assert_eq!(*mutex.lock().unwrap(), [1, 1]);
}

/// Whose recheck is a minute: it looks again within a part of the time that it has slept.
#[test]
fn who_sleeps_for_the_mutex_of_one_that_is_killed_gets_it() {
    let name = Name::new("owner-asleep");
    let mutex = Mutex::<[u64; 2]>::create(&name).unwrap();
    let owner = Child::spawn("locks_deaths::lock", &[&name]);
    owner.expect("held");
    let waiter = Child::spawn("locks_deaths::wait for it", &[&name]);
    waiter.expect("open");
    assert!(eventually(LONG, || waiter.is_asleep()));
    owner.kill();
    within(PROMPT, || waiter.finish());
    assert!(mutex.is_inconsistent());
}

#[test]
fn who_only_polls_learns_of_the_death_too() {
    let name = Name::new("polled");
    let mutex = Mutex::<[u64; 2]>::options().recheck(SHORT).create(&name).unwrap();
    let child = Child::spawn("locks_deaths::lock", &[&name]);
    child.expect("held");
    child.kill();
    let died = || matches!(mutex.try_lock(), Err(TryLockError::OwnerDied(_)));
    assert!(eventually(PROMPT, died));
}

#[test]
fn a_number_that_is_used_again_is_another_owner() {
    let name = Name::new("reused");
    let mutex = Mutex::<[u64; 2]>::options().max_members(2).create(&name).unwrap();
    let child = Child::spawn("locks_deaths::lock", &[&name]);
    child.expect("held");
    child.kill();
    // It takes the dead one's number, the only other one.
    let successor = Mutex::<[u64; 2]>::options().recheck(NO_RECHECK).open(&name).unwrap();
    for mutex in [&successor, &mutex] {
        let outcome = within(PROMPT, || mutex.lock());
        assert!(matches!(outcome, Err(LockError::OwnerDied(_))), "{outcome:?}");
    }
}

#[test]
fn a_stopped_owner_keeps_its_mutex() {
    let name = Name::new("stopped");
    let mutex = Mutex::<[u64; 2]>::options().recheck(SHORT).create(&name).unwrap();
    let child = Child::spawn("locks_deaths::lock", &[&name]);
    child.expect("held");
    child.signal(libc::SIGSTOP);
    assert!(mutex.lock_timeout(20 * SHORT).unwrap_err().into_guard().is_none());
    child.signal(libc::SIGCONT);
    child.kill();
}

#[test]
fn a_reentrant_mutex_of_the_dead_begins_anew() {
    let name = Name::new("owner-again");
    let mutex = ReentrantMutex::<u64>::options().recheck(SHORT).create(&name).unwrap();
    let child = Child::spawn("locks_deaths::lock again", &[&name]);
    child.expect("held");
    child.kill();
    let outer = within(PROMPT, || mutex.lock()).unwrap_err().into_guard().unwrap();
    assert!(outer.is_inconsistent() && outer.get() == 1);
    let inner = mutex.lock().unwrap();
    inner.mark_consistent();
    drop((outer, inner));
    assert!(!mutex.is_locked());
    assert_eq!(mutex.lock().unwrap().get(), 1);
}

#[test]
fn a_dead_reader_keeps_no_writer_out() {
    let name = Name::new("reader");
    let lock = RwLock::<u64>::options().recheck(NO_RECHECK).create(&name).unwrap();
    let child = Child::spawn("locks_deaths::read", &[&name]);
    child.expect("held");
    assert!(matches!(lock.try_write(), Err(TryLockError::Held(_))));
    child.kill();
    within(PROMPT, || *lock.write().unwrap() = 2);
    assert_eq!(*lock.read().unwrap(), 2);
}

#[test]
fn a_dead_writer_leaves_the_lock_marked_to_all() {
    for reads_first in [true, false] {
        let name = Name::new("writer");
        let lock = RwLock::<u64>::options().recheck(NO_RECHECK).create(&name).unwrap();
        let child = Child::spawn("locks_deaths::write", &[&name]);
        child.expect("held");
        child.kill();
        if reads_first {
            let guard = within(PROMPT, || lock.read()).unwrap_err().into_guard().unwrap();
            assert!(guard.is_inconsistent() && *guard == 1);
        }
        let mut guard = within(PROMPT, || lock.write()).unwrap_err().into_guard().unwrap();
        guard.mark_consistent();
        drop(guard);
        assert!(lock.read().is_ok() && lock.write().is_ok());
    }
}

#[test]
fn permits_of_the_dead_come_back() {
    let name = Name::new("dead-permits");
    let permits = Permits::options().count(2).recheck(SHORT).create(&name).unwrap();
    let child = Child::spawn("locks_deaths::permit", &[&name]);
    child.expect("held");
    assert!(permits.try_acquire().unwrap().is_none());
    child.kill();
    let both = within(PROMPT, || [permits.acquire().unwrap(), permits.acquire().unwrap()]);
    drop(both);
    assert_eq!(permits.available(), 2);
}

#[test]
fn a_dead_party_breaks_the_barrier_and_a_successor_takes_its_place() {
    for waited in [false, true] {
        let name = Name::new("party");
        let options = Barrier::options().parties(3).recheck(SHORT);
        let mut barrier = options.create(&name).unwrap();
        let mut child = Child::spawn("locks_deaths::party", &[&name]);
        child.expect("held");
        if waited {
            child.tell("wait");
            assert!(eventually(LONG, || barrier.waiting() == 1));
        }
        child.kill();
        assert_eq!(within(PROMPT, || barrier.wait()), Err(BarrierError::Broken));
        let mut second = options.open(&name).unwrap();
        let mut third = options.open(&name).unwrap();
        barrier.reset().unwrap();
        within(PROMPT, || {
            std::thread::scope(|scope| {
                let others = [&mut second, &mut third].map(|party| scope.spawn(|| party.wait()));
                barrier.wait().unwrap();
                for other in others {
                    assert!(other.join().unwrap().is_ok());
                }
            });
        });
    }
}

#[test]
fn a_wake_up_that_goes_to_the_dead_is_made_good() {
    let name = Name::new("swallowed");
    let mutex = Mutex::<[u64; 2]>::options().create(&name).unwrap();
    let guard = mutex.lock().unwrap();
    let spawn = |_| Child::spawn("locks_deaths::wait for it", &[&name]);
    let children: Vec<Child> = (0..2).map(spawn).collect();
    for child in &children {
        child.expect("open");
    }
    assert!(eventually(LONG, || children.iter().all(Child::is_asleep)));
    let [first, second] = children.try_into().unwrap();
    first.signal(libc::SIGSTOP);
    drop(guard);
    first.kill();
    // Whichever of the two the wake-up went to.
    within(PROMPT, || second.finish());
}

#[test]
fn a_semaphore_goes_on_whoever_is_killed_in_its_sleep() {
    let name = Name::new("sleeper");
    let semaphore = Semaphore::options().recheck(SHORT).create(&name).unwrap();
    let child = Child::spawn("locks_deaths::acquire", &[&name]);
    child.expect("open");
    assert!(eventually(LONG, || child.is_asleep()));
    child.kill();
    semaphore.release(1).unwrap();
    within(PROMPT, || semaphore.acquire().unwrap());
    assert_eq!(semaphore.available(), 0, "the dead one took nothing along");
}

#[test]
fn a_notification_that_goes_to_the_dead_is_found_by_the_others() {
    let name = Name::new("notified");
    let block = Block::create(&name, 4096).unwrap();
    let mutex = Mutex::<u64>::at(&block, 0).unwrap();
    let condvar = Condvar::at(&block, 128).unwrap();
    let spawn = |_| Child::spawn("locks_deaths::wait to be told", &[&name]);
    let children: Vec<Child> = (0..2).map(spawn).collect();
    for child in &children {
        child.expect("open");
    }
    assert!(eventually(LONG, || children.iter().all(Child::is_asleep)));
    let [first, second] = children.try_into().unwrap();
    first.signal(libc::SIGSTOP);
    *mutex.lock().unwrap() = 1;
    condvar.notify_one().unwrap();
    first.kill();
    within(PROMPT, || second.expect("told"));
    second.finish();
}

#[test]
fn a_blocks_own_mutex_survives_its_owner_and_the_reap_of_it() {
    let name = Name::new("own-mutex");
    let block = Block::options().len(1).with_lock().create(&name).unwrap();
    let mutex = Mutex::beside(&block).unwrap();
    let child = Child::spawn("locks_deaths::lock the block", &[&name]);
    child.expect("held");
    child.kill();
    assert!(eventually(PROMPT, || {
        block.recover().unwrap();
        block.members().unwrap().len() == 1
    }));
    let mut turn = within(PROMPT, || mutex.lock()).unwrap_err().into_guard().unwrap();
    turn.mark_consistent();
    drop(turn);
    assert!(mutex.lock().is_ok());
}
