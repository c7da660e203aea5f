//! Semaphores, permits, flags, barriers and condvars.

use std::thread::scope;

use ringway::manager::{BarrierError, CallError, Client, LockError, Met, Refusal, ReleaseError};

use super::{SHORT, serve};
use crate::util::{LONG, eventually};

#[test]
fn a_semaphore_counts_up_to_its_bound() {
    let (_name, server, client) = serve("mgr-semaphore");
    let semaphore = client.semaphore("s", 1, 3).unwrap();
    semaphore.acquire().unwrap();
    assert!(!semaphore.try_acquire().unwrap());
    assert!(!semaphore.acquire_timeout(SHORT).unwrap());
    scope(|scope| {
        let waits = [(); 2].map(|()| scope.spawn(|| semaphore.acquire()));
        assert!(eventually(LONG, || semaphore.waiting().unwrap() == 2));
        semaphore.release(2).unwrap();
        for one in waits {
            one.join().unwrap().unwrap();
        }
    });
    assert_eq!((semaphore.available().unwrap(), semaphore.bound().unwrap()), (0, 3));
    semaphore.release(2).unwrap();
    assert!(matches!(semaphore.release(2), Err(ReleaseError::BeyondBound(2))));
    assert!(matches!(semaphore.release(u32::MAX), Err(ReleaseError::BeyondBound(2))));
    assert_eq!(semaphore.available().unwrap(), 2);
    drop((semaphore, client));
    server.shutdown().unwrap();
}

#[test]
fn permits_come_back_once_each() {
    let (_name, server, client) = serve("mgr-permits");
    let permits = client.permits("p", 2).unwrap();
    let (one, other) = (permits.acquire().unwrap(), permits.try_acquire().unwrap().unwrap());
    assert!(permits.try_acquire().unwrap().is_none());
    assert!(permits.acquire_timeout(SHORT).unwrap().is_none());
    scope(|scope| {
        let waits = scope.spawn(|| permits.acquire());
        assert!(eventually(LONG, || permits.waiting().unwrap() == 1));
        drop(one);
        waits.join().unwrap().unwrap().give_back().unwrap();
    });
    other.give_back().unwrap();
    assert_eq!((permits.available().unwrap(), permits.count().unwrap()), (2, 2));
    drop((permits, client));
    server.shutdown().unwrap();
}

#[test]
fn a_flag_wakes_all_who_wait_also_if_it_is_cleared_at_once() {
    let (_name, server, client) = serve("mgr-flag");
    let flag = client.flag("f").unwrap();
    assert!(!flag.wait_timeout(SHORT).unwrap());
    scope(|scope| {
        let waits = [(); 3].map(|()| scope.spawn(|| flag.wait()));
        assert!(eventually(LONG, || flag.waiting().unwrap() == 3));
        assert!(flag.set().unwrap() && flag.clear().unwrap());
        for one in waits {
            one.join().unwrap().unwrap();
        }
    });
    assert!(!flag.is_set().unwrap() && !flag.clear().unwrap());
    assert!(flag.set().unwrap() && !flag.set().unwrap());
    flag.wait().unwrap();
    assert!(flag.wait_timeout(SHORT).unwrap());
    drop((flag, client));
    server.shutdown().unwrap();
}

#[test]
fn a_barrier_lets_all_go_on_or_tells_all() {
    let (_name, server, client) = serve("mgr-barrier");
    let mut parties = [(); 3].map(|()| client.barrier("b", 3).unwrap());
    for _ in 0..20 {
        let mut met = scope(|scope| {
            let waits = parties.each_mut().map(|party| scope.spawn(|| party.wait().unwrap()));
            waits.map(|one| one.join().unwrap())
        });
        met.sort_by_key(|met| met.index());
        assert_eq!(met.map(Met::index), [0, 1, 2]);
        assert_eq!(met.map(Met::is_leader), [false, false, true]);
    }
    let [first, second, third] = &mut parties;
    scope(|scope| {
        let waits = scope.spawn(|| first.wait());
        assert!(eventually(LONG, || third.waiting().unwrap() == 1));
        assert!(matches!(second.wait_timeout(SHORT), Err(BarrierError::Timeout)));
        assert!(matches!(waits.join().unwrap(), Err(BarrierError::Broken)));
    });
    assert!(matches!(third.wait(), Err(BarrierError::Broken)), "until it is reset");
    third.reset().unwrap();
    scope(|scope| {
        let waits = [&mut *first, &mut *second].map(|party| scope.spawn(|| party.wait()));
        assert!(eventually(LONG, || third.waiting().unwrap() == 2));
        third.reset().unwrap();
        for one in waits {
            assert!(matches!(one.join().unwrap(), Err(BarrierError::Broken)));
        }
    });
    assert!(!third.is_broken().unwrap());
    let full = client.barrier("b", 3).map(drop);
    assert!(matches!(full, Err(CallError::Refused(Refusal::TooMany))));
    drop(parties);
    client.barrier("b", 3).unwrap();
    drop(client);
    server.shutdown().unwrap();
}

#[test]
fn a_condvar_misses_no_notification() {
    const ROUNDS: u64 = 60;
    let (name, server, client) = serve("mgr-condvar");
    let (other, last) = (Client::connect(&name).unwrap(), client.value::<u64>("turn", &0).unwrap());
    let turns = |client: &Client, mine: u64| {
        let (mutex, condvar) = (client.mutex("m").unwrap(), client.condvar("c").unwrap());
        let turn = client.value::<u64>("turn", &0).unwrap();
        for _ in 0..ROUNDS {
            let guard = mutex.lock().unwrap();
            let guard = condvar.wait_while(guard, || Ok(turn.get()? % 2 != mine)).unwrap();
            turn.set(&(turn.get().unwrap() + 1)).unwrap();
            condvar.notify_one().unwrap();
            drop(guard);
        }
    };
    scope(|scope| {
        scope.spawn(|| turns(&client, 0));
        scope.spawn(|| turns(&other, 1));
    });
    assert_eq!(last.get().unwrap(), 2 * ROUNDS);
    let (mutex, condvar) = (client.mutex("m").unwrap(), client.condvar("c").unwrap());
    let (guard, late) = condvar.wait_timeout(mutex.lock().unwrap(), SHORT).unwrap();
    assert!(late);
    assert_eq!(condvar.waiting().unwrap(), 0);
    drop(guard);
    scope(|scope| {
        let wait =
            || condvar.wait(mutex.lock().unwrap()).map(drop).map_err(LockError::without_guard);
        let waits = [(); 3].map(|()| scope.spawn(wait));
        assert!(eventually(LONG, || condvar.waiting().unwrap() == 3));
        condvar.notify_all().unwrap();
        for one in waits {
            one.join().unwrap().unwrap();
        }
    });
    drop((mutex, condvar, last, client, other));
    server.shutdown().unwrap();
}
