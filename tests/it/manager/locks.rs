//! Locks that a server keeps: who has them, who waits, and what each is told.

mod races;
mod unsent;
mod waits;

use std::thread::scope;
use std::time::{Duration, Instant};

use ringway::manager::{CallError, Client, LockError, Refusal, Running, Server};

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
