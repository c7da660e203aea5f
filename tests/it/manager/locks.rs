//! Locks that a server keeps: who has them, who waits, and what each is told.

use std::sync::Barrier as Start;
use std::sync::atomic::{
    AtomicBool, AtomicU32,
    Ordering::{Relaxed, SeqCst},
};
use std::thread::scope;
use std::time::{Duration, Instant};

use ringway::manager::{
    BarrierError, CallError, Client, LockError, Met, Refusal, ReleaseError, Running, Server,
};

use super::Attendance;
use crate::util::{LONG, Name, PROMPT, eventually, within};

/// Between the shortest and the longest that may be.
const SHORT: Duration = Duration::from_millis(5);

/// A server of that label and a client.
fn serve(label: &str) -> (Name, Running, Client) {
    let name = Name::new(label);
    let server = Server::bind(&name).unwrap().spawn();
    let client = Client::connect(&name).unwrap();
    (name, server, client)
}

#[test]
fn a_mutex_is_one_threads_of_all_clients() {
    let (name, server, client) = serve("mgr-mutex");
    let count = client.value::<u64>("count", &0).unwrap();
    let others = [Client::connect(&name).unwrap(), client.clone()];
    scope(|scope| {
        for other in &others {
            for _ in 0..2 {
                scope.spawn(|| {
                    let mutex = other.mutex("mutex").unwrap();
                    let count = other.value::<u64>("count", &0).unwrap();
                    for _ in 0..100 {
                        let guard = mutex.lock().unwrap();
                        count.set(&(count.get().unwrap() + 1)).unwrap();
                        drop(guard);
                    }
                });
            }
        }
    });
    assert_eq!(count.get().unwrap(), 400);
    drop((count, others, client));
    server.shutdown().unwrap();
}

#[test]
fn who_asks_for_a_mutex_is_told_why_it_has_none() {
    let (name, server, client) = serve("mgr-mutex-told");
    let mutex = client.mutex("mutex").unwrap();
    let guard = mutex.lock().unwrap();
    assert!(matches!(mutex.lock(), Err(LockError::WouldDeadlock)));
    assert!(matches!(mutex.try_lock(), Err(LockError::WouldDeadlock)));
    assert!(mutex.is_locked().unwrap());
    scope(|scope| {
        scope.spawn(|| {
            assert!(matches!(mutex.try_lock(), Err(LockError::Held)), "threads are told apart");
            let start = Instant::now();
            assert!(matches!(mutex.lock_timeout(SHORT), Err(LockError::Timeout)));
            assert!(start.elapsed() >= SHORT);
        });
    });
    let other = Client::connect(&name).unwrap().mutex("mutex").unwrap();
    assert!(matches!(other.try_lock(), Err(LockError::Held)), "and clients");
    assert_eq!(mutex.waiting().unwrap(), 0, "who gave up has left");
    guard.unlock().unwrap();
    other.try_lock().unwrap().unlock().unwrap();
    assert!(!mutex.is_locked().unwrap());
    drop((mutex, other, client));
    server.shutdown().unwrap();
}

#[test]
fn who_waits_for_a_mutex_gets_it_in_the_order_of_coming() {
    let (_name, server, client) = serve("mgr-order");
    let (mutex, order) = (client.mutex("m").unwrap(), client.queue::<u64>("order", None).unwrap());
    let guard = mutex.lock().unwrap();
    scope(|scope| {
        for number in 0..4 {
            let (mutex, order) = (&mutex, &order);
            scope.spawn(move || {
                let _guard = mutex.lock().unwrap();
                order.put(&number).unwrap();
            });
            assert!(eventually(LONG, || mutex.waiting().unwrap() == number + 1));
        }
        drop(guard);
    });
    order.close().unwrap();
    assert_eq!(order.iter().collect::<Result<Vec<_>, _>>().unwrap(), [0, 1, 2, 3]);
    drop((mutex, order, client));
    server.shutdown().unwrap();
}

#[test]
fn a_blocking_call_blocks_its_caller_alone() {
    let (_name, server, client) = serve("mgr-alone");
    let mutex = client.mutex("m").unwrap();
    let value = client.value::<u64>("v", &0).unwrap();
    let guard = mutex.lock().unwrap();
    scope(|scope| {
        let waits = scope.spawn(|| mutex.lock().unwrap().unlock());
        assert!(eventually(LONG, || mutex.waiting().unwrap() == 1));
        within(PROMPT, || {
            for number in 0..100 {
                value.set(&number).unwrap();
            }
        });
        assert!(!waits.is_finished());
        guard.unlock().unwrap();
        waits.join().unwrap().unwrap();
    });
    drop((mutex, value, client));
    server.shutdown().unwrap();
}

#[test]
fn a_panic_leaves_a_mutex_inconsistent_until_somebody_mends_it() {
    let (_name, server, client) = serve("mgr-panic");
    let mutex = client.mutex("m").unwrap();
    let panicked = scope(|scope| {
        let panics = scope.spawn(|| {
            let _guard = mutex.lock().unwrap();
            panic!("on purpose");
        });
        panics.join()
    });
    assert!(panicked.is_err());
    for _ in 0..2 {
        assert!(matches!(mutex.lock(), Err(LockError::OwnerDied(_))));
    }
    let mut guard = mutex.lock().unwrap_err().into_guard().unwrap();
    assert!(guard.is_inconsistent());
    guard.mark_consistent();
    drop(guard);
    mutex.lock().unwrap().unlock().unwrap();
    assert!(!mutex.is_inconsistent().unwrap());
    drop((mutex, client));
    server.shutdown().unwrap();
}

#[test]
fn a_reentrant_mutex_is_given_back_as_often_as_it_was_taken() {
    let (_name, server, client) = serve("mgr-reentrant");
    let mutex = client.reentrant_mutex("m").unwrap();
    let (outer, inner) = (mutex.lock().unwrap(), mutex.lock().unwrap());
    outer.unlock().unwrap();
    assert!(mutex.is_locked().unwrap());
    scope(|scope| {
        scope.spawn(|| assert!(matches!(mutex.try_lock(), Err(LockError::Held))));
    });
    inner.unlock().unwrap();
    assert!(!mutex.is_locked().unwrap());
    scope(|scope| {
        scope.spawn(|| mutex.try_lock().unwrap().unlock().unwrap());
    });
    drop((mutex, client));
    server.shutdown().unwrap();
}

#[test]
fn readers_read_together_and_a_writer_that_waits_stops_new_ones() {
    let (name, server, client) = serve("mgr-rwlock");
    let lock = client.rwlock("l").unwrap();
    let other = Client::connect(&name).unwrap().rwlock("l").unwrap();
    let (mine, theirs) = (lock.read().unwrap(), other.read().unwrap());
    assert!(matches!(lock.write(), Err(LockError::WouldDeadlock)));
    scope(|scope| {
        let writer = scope.spawn(|| other.write().unwrap().unlock());
        assert!(eventually(LONG, || lock.waiting().unwrap() == 1));
        let reader = scope.spawn(|| lock.try_read().map(drop).map_err(LockError::without_guard));
        assert!(matches!(reader.join().unwrap(), Err(LockError::Held)));
        let again = lock.read().unwrap();
        drop((mine, again));
        assert!(!writer.is_finished(), "the other client reads");
        theirs.unlock().unwrap();
        writer.join().unwrap().unwrap();
    });
    let guard = lock.write().unwrap();
    assert!(matches!(lock.read(), Err(LockError::WouldDeadlock)));
    assert!(matches!(other.try_read(), Err(LockError::Held)));
    assert!(matches!(other.try_write(), Err(LockError::Held)));
    assert!(matches!(other.read_timeout(SHORT), Err(LockError::Timeout)));
    assert!(matches!(other.write_timeout(SHORT), Err(LockError::Timeout)));
    guard.unlock().unwrap();
    drop((other.try_read().unwrap(), lock, client));
    drop(other);
    server.shutdown().unwrap();
}

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

fn wrong<T>(made: &Result<T, CallError>) -> bool {
    matches!(made, Err(CallError::Refused(Refusal::WrongType { .. })))
}

fn undecodable<T>(made: &Result<T, CallError>) -> bool {
    matches!(made, Err(CallError::Refused(Refusal::Undecodable(_))))
}

#[test]
fn other_locks_and_other_numbers_are_refused() {
    let (_name, server, client) = serve("mgr-wrong");
    let kept = (client.mutex("m").unwrap(), client.semaphore("s", 1, 2).unwrap());
    let permits = client.permits("p", 2).unwrap();
    assert!(wrong(&client.rwlock("m")) && wrong(&client.reentrant_mutex("m")));
    assert!(wrong(&client.value::<u64>("m", &0)) && wrong(&client.flag("s")));
    assert!(wrong(&client.semaphore("s", 2, 2)) && wrong(&client.semaphore("s", 1, 3)));
    assert!(wrong(&client.permits("p", 3)) && wrong(&client.barrier("p", 2)));
    assert!(undecodable(&client.permits("q", 0)) && undecodable(&client.barrier("q", 0)));
    assert!(undecodable(&client.semaphore("q", 3, 2)));
    // What no proxy asks for.
    for units in [0u32, 3] {
        assert!(undecodable(&permits.proxy().call::<Option<()>>("take", &(units, true))));
    }
    let stranger = permits.acquire().unwrap();
    let other = permits.proxy().call::<bool>("give_back", &((u64::MAX, 7u64), false));
    assert!(!other.unwrap(), "a lease that nobody has");
    assert_eq!(permits.available().unwrap(), 1);
    drop((kept, stranger, permits, client));
    server.shutdown().unwrap();
}

/// Each wait ends by its time limit or by what it waits for, whichever comes first, and never by both or by neither.
#[test]
fn a_wait_that_ends_as_it_is_granted_is_one_or_the_other() {
    let (_name, server, client) = serve("mgr-limits");
    let semaphore = client.semaphore("s", 0, u32::MAX).unwrap();
    let start = Start::new(5);
    let taken = scope(|scope| {
        let (semaphore, start) = (&semaphore, &start);
        let wait = |seed: u64| {
            start.wait();
            let limit = |round: u64| Duration::from_micros((seed * 37 + round * 11) % 90);
            (0..80u64).filter(|round| semaphore.acquire_timeout(limit(*round)).unwrap()).count()
        };
        let waits = [1, 2, 3, 4].map(|seed| scope.spawn(move || wait(seed)));
        start.wait();
        for _ in 0..120 {
            semaphore.release(1).unwrap();
        }
        waits.map(|one| one.join().unwrap()).iter().sum::<usize>()
    });
    assert_eq!(taken + semaphore.available().unwrap() as usize, 120);
    assert_eq!(semaphore.waiting().unwrap(), 0);
    drop((semaphore, client));
    server.shutdown().unwrap();
}

#[test]
fn a_storm_of_time_limits_leaves_nobody_waiting_and_nothing_taken() {
    let (name, server, client) = serve("mgr-storm");
    let other = Client::connect(&name).unwrap();
    let (mutex, permits) = (client.mutex("m").unwrap(), client.permits("p", 2).unwrap());
    let lock = client.rwlock("l").unwrap();
    let (inside, reading, took) = (AtomicU32::new(0), AtomicU32::new(0), AtomicU32::new(0));
    let storm = |client: &Client, seed: u64| {
        let (mutex, permits) = (client.mutex("m").unwrap(), client.permits("p", 2).unwrap());
        let lock = client.rwlock("l").unwrap();
        for round in 0..40u64 {
            let limit = Duration::from_micros((seed * 29 + round * 17) % 120);
            if let Ok(_guard) = mutex.lock_timeout(limit) {
                assert_eq!(inside.fetch_add(1, Relaxed), 0, "two have the mutex");
                inside.fetch_sub(1, Relaxed);
                took.fetch_add(1, Relaxed);
            }
            if let Ok(_guard) = lock.write_timeout(limit) {
                assert_eq!(reading.load(Relaxed), 0, "a writer beside a reader");
            }
            if let Ok(guard) = lock.read_timeout(limit) {
                reading.fetch_add(1, Relaxed);
                reading.fetch_sub(1, Relaxed);
                drop(guard);
            }
            drop(permits.acquire_timeout(limit).unwrap());
        }
    };
    scope(|scope| {
        let storm = &storm;
        for (seed, client) in [(1, &client), (2, &other), (3, &client), (4, &other)] {
            scope.spawn(move || storm(client, seed));
        }
    });
    assert!(took.into_inner() > 0, "nobody ever had the mutex");
    assert_eq!([mutex.waiting(), lock.waiting(), permits.waiting()].map(Result::unwrap), [0; 3]);
    // Another's last guard may be on its way still.
    assert!(eventually(LONG, || mutex.try_lock().is_ok() && lock.try_write().is_ok()));
    assert!(eventually(LONG, || permits.available().unwrap() == 2));
    drop((mutex, lock, permits, client, other));
    server.shutdown().unwrap();
}

/// What only a client that is no correct one asks for.
#[test]
fn what_is_anothers_cannot_be_given_back_or_waited_at() {
    let (name, server, client) = serve("mgr-stranger");
    let other = Client::connect(&name).unwrap();
    let (mine, theirs) = (client.mutex("m").unwrap(), other.mutex("m").unwrap());
    let taken: Option<((u64, u64), bool)> = mine.proxy().call("take", &(1u32, true)).unwrap();
    let (lease, _) = taken.unwrap();
    assert!(!theirs.proxy().call::<bool>("give_back", &(lease, false)).unwrap());
    assert!(mine.is_locked().unwrap());
    assert!(mine.proxy().call::<bool>("give_back", &(lease, false)).unwrap());
    assert!(!mine.proxy().call::<bool>("give_back", &(lease, false)).unwrap(), "once");
    assert!(!mine.is_locked().unwrap());
    let (calls, called) = (client.condvar("c").unwrap(), other.condvar("c").unwrap());
    let place: u64 = calls.proxy().call("enter", &()).unwrap();
    assert!(undecodable(&called.proxy().call::<()>("wait", &place)));
    called.proxy().call::<()>("leave", &place).unwrap();
    assert_eq!(calls.waiting().unwrap(), 1, "it is there still");
    calls.proxy().call::<()>("leave", &place).unwrap();
    assert_eq!(calls.waiting().unwrap(), 0);
    let queue = (client.queue::<u64>("q", None).unwrap(), other.queue::<u64>("q", None).unwrap());
    queue.0.put(&1).unwrap();
    queue.0.get().unwrap();
    assert!(queue.1.task_done().is_err());
    queue.0.task_done().unwrap();
    drop((mine, theirs, calls, called, queue, client, other));
    server.shutdown().unwrap();
}

#[test]
fn what_is_dropped_while_no_connection_is_idle_or_to_be_had_comes_back() {
    let name = Name::new("mgr-no-idle");
    let server = Server::options().max_connections(4).bind(&name).unwrap().spawn();
    let (client, other) = (Client::connect(&name).unwrap(), Client::connect(&name).unwrap());
    let [mutex, theirs] = [&client, &other].map(|client| client.mutex("m").unwrap());
    let [flag, set] = [&client, &other].map(|client| client.flag("f").unwrap());
    scope(|scope| {
        let guard = mutex.lock().unwrap();
        let waits = scope.spawn(|| flag.wait());
        assert!(eventually(LONG, || set.waiting().unwrap() == 1));
        // The one that waits has the only connection for calls.
        let told = mutex.is_locked();
        drop(guard);
        let taken = theirs.lock_timeout(PROMPT).map(drop).map_err(LockError::without_guard);
        set.set().unwrap();
        waits.join().unwrap().unwrap();
        assert!(matches!(told, Err(CallError::Refused(Refusal::TooMany))), "{told:?}");
        assert!(taken.is_ok(), "{taken:?}");
    });
    assert!(!mutex.is_locked().unwrap());
    drop((mutex, theirs, flag, set, client, other));
    server.shutdown().unwrap();
}

/// The server is held up twice, by a call of this client and by one of another: so that what was dropped is not done when the next call is
/// made, through the connection that has just come back.
#[test]
fn calls_come_after_what_was_dropped_while_no_connection_was_idle() {
    const MANY: u32 = 30;
    let name = Name::new("mgr-no-idle-order");
    let mut server = Server::bind(&name).unwrap();
    server.register::<Attendance>();
    let server = server.spawn();
    let client = Client::connect(&name).unwrap();
    let permits = client.permits("p", MANY).unwrap();
    let held: Vec<_> = (0..MANY).map(|_| permits.acquire().unwrap()).collect();
    let other = Client::connect(&name).unwrap();
    let busy = |client: &Client, stage: usize| {
        client.create_object::<Attendance>(None, &(&*name, stage)).unwrap()
    };
    let (mine, theirs) = (busy(&client, 1), busy(&other, 2));
    let (is_back, is_sent) = (AtomicBool::new(false), AtomicBool::new(false));
    let available = scope(|scope| {
        let call = scope.spawn(|| {
            mine.call::<usize>("last", &()).unwrap();
            is_back.store(true, SeqCst);
            permits.available().unwrap()
        });
        Attendance::reach(1, 1);
        scope.spawn(|| {
            is_sent.store(true, SeqCst);
            theirs.call::<usize>("last", &()).unwrap()
        });
        drop(held);
        assert!(eventually(LONG, || is_sent.load(SeqCst)));
        // In all likelihood it is there when the first call ends.
        (0..1000).for_each(|_| std::thread::yield_now());
        Attendance::set(1, 2);
        assert!(eventually(LONG, || is_back.load(SeqCst)));
        Attendance::reach(2, 1);
        (0..1000).for_each(|_| std::thread::yield_now());
        Attendance::set(2, 2);
        call.join().unwrap()
    });
    assert_eq!(available, MANY);
    drop((mine, theirs, permits, client, other));
    server.shutdown().unwrap();
}
