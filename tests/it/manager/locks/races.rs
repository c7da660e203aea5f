//! Waits that end as they are granted, and what is given back while others are at it.

use std::sync::Barrier as Start;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::thread::scope;
use std::time::Duration;

use ringway::manager::{CallError, Client, LockError, Refusal, Server};

use super::super::Attendance;
use super::{serve, undecodable};
use crate::util::{LONG, Name, PROMPT, eventually};

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
