//! Clients are killed with a lock of the server in their hands, or while they wait for one.

use std::thread::scope;
use std::time::Duration;

use ringway::manager::{BarrierError, CallError, Client, LockError, Running, Server};

use crate::util::child::{Child, hear, say, state_of};
use crate::util::{LONG, Name, PROMPT, eventually, within};

/// Longer than a client that is killed takes to be gone, and what it had to come back.
const GONE: Duration = Duration::from_secs(20);

fn serve(label: &str) -> (Name, Running, Client) {
    let name = Name::new(label);
    let server = Server::bind(&name).unwrap().spawn();
    let client = Client::connect(&name).unwrap();
    (name, server, client)
}

pub fn play(role: &str, arguments: &[&str]) {
    let client = Client::connect(arguments[0]).unwrap();
    let idle = || {
        say("ready");
        hear();
    };
    match role {
        "hold all" => {
            let (mutex, again) = (client.mutex("m").unwrap(), client.reentrant_mutex("r").unwrap());
            let (read, write) = (client.rwlock("read").unwrap(), client.rwlock("write").unwrap());
            let permits = client.permits("p", 2).unwrap();
            let _held = (mutex.lock().unwrap(), again.lock().unwrap(), again.lock().unwrap());
            let _locked = (read.read().unwrap(), read.read().unwrap(), write.write().unwrap());
            let _permits = [permits.acquire().unwrap(), permits.acquire().unwrap()];
            idle();
        }
        "hold" => {
            let mutex = client.mutex("m").unwrap();
            let _guard = mutex.lock().unwrap();
            idle();
        }
        "wait for a mutex" => drop(client.mutex("m").unwrap().lock()),
        "wait to write" => drop(client.rwlock("l").unwrap().write()),
        "wait for a count" => client.semaphore("s", 0, 9).unwrap().acquire().unwrap(),
        "wait for a permit" => drop(client.permits("p", 1).unwrap().acquire()),
        "wait for a flag" => client.flag("f").unwrap().wait().unwrap(),
        "wait to be notified" => {
            let mutex = client.mutex("m").unwrap();
            drop(client.condvar("c").unwrap().wait(mutex.lock().unwrap()));
        }
        "party" => {
            let _party = client.barrier("b", 2).unwrap();
            idle();
        }
        "party that waits" => drop(client.barrier("b", 3).unwrap().wait()),
        _ => panic!("no such role"),
    }
}

fn child(role: &str, name: &Name) -> Child {
    Child::spawn(&format!("manager::locks_deaths::{role}"), &[name])
}

/// Stops it for good: it takes no answer any more.
fn freeze(child: &Child) {
    child.signal(libc::SIGSTOP);
    assert!(eventually(LONG, || state_of(child.pid()) == Some('T')));
}

#[test]
fn what_a_killed_client_held_comes_to_who_waits_with_a_word_about_it() {
    let (name, server, client) = serve("mgr-killed");
    let holder = child("hold all", &name);
    holder.expect("ready");
    let (mutex, again) = (client.mutex("m").unwrap(), client.reentrant_mutex("r").unwrap());
    let (read, write) = (client.rwlock("read").unwrap(), client.rwlock("write").unwrap());
    let permits = client.permits("p", 2).unwrap();
    assert!(permits.try_acquire().unwrap().is_none());
    scope(|scope| {
        let of_mutex = scope.spawn(|| mutex.lock().map(drop).map_err(LockError::without_guard));
        let of_again = scope.spawn(|| again.lock().map(drop).map_err(LockError::without_guard));
        let of_read = scope.spawn(|| read.write().map(drop).map_err(LockError::without_guard));
        let of_write = scope.spawn(|| write.read().map(drop).map_err(LockError::without_guard));
        let of_permits = scope.spawn(|| [permits.acquire(), permits.acquire()].map(Result::unwrap));
        assert!(eventually(LONG, || mutex.waiting().unwrap() + again.waiting().unwrap() == 2));
        assert!(eventually(LONG, || read.waiting().unwrap() + write.waiting().unwrap() == 2));
        assert!(eventually(LONG, || permits.waiting().unwrap() == 1));
        within(GONE, || {
            holder.kill();
            assert!(matches!(of_mutex.join().unwrap(), Err(LockError::OwnerDied(()))));
            assert!(matches!(of_again.join().unwrap(), Err(LockError::OwnerDied(()))));
            assert!(of_read.join().unwrap().is_ok(), "who only read has changed nothing");
            assert!(matches!(of_write.join().unwrap(), Err(LockError::OwnerDied(()))));
            drop(of_permits.join().unwrap());
        });
    });
    assert!(mutex.is_inconsistent().unwrap() && write.is_inconsistent().unwrap());
    assert!(!read.is_inconsistent().unwrap());
    mutex.lock().unwrap_err().into_guard().unwrap().mark_consistent();
    assert!(mutex.lock().is_ok(), "mended");
    assert!(eventually(LONG, || permits.available().unwrap() == 2));
    drop((mutex, again, read, write, permits, client));
    server.shutdown().unwrap();
}

#[test]
fn who_is_killed_while_it_waits_leaves_no_trace() {
    let (name, server, client) = serve("mgr-waiters");
    let mutex = client.mutex("m").unwrap();
    let (lock, condvar) = (client.rwlock("l").unwrap(), client.condvar("c").unwrap());
    let (semaphore, flag) = (client.semaphore("s", 0, 9).unwrap(), client.flag("f").unwrap());
    let permits = client.permits("p", 1).unwrap();
    let reading = lock.read().unwrap();
    let permit = permits.acquire().unwrap();
    let noticed = child("wait to be notified", &name);
    assert!(eventually(LONG, || condvar.waiting().unwrap() == 1));
    let guard = loop {
        // Until the other has given it back.
        if let Ok(guard) = mutex.try_lock() {
            break guard;
        }
    };
    let roles = ["wait for a mutex", "wait to write", "wait for a count", "wait for a permit"];
    let mut waiters = Vec::from(roles.map(|role| child(role, &name)));
    waiters.extend([child("wait for a flag", &name), noticed]);
    let waiting = || {
        [mutex.waiting(), lock.waiting(), semaphore.waiting()]
            .map(Result::unwrap)
            .iter()
            .sum::<u64>()
            + [permits.waiting(), flag.waiting(), condvar.waiting()]
                .map(Result::unwrap)
                .iter()
                .sum::<u64>()
    };
    assert!(eventually(LONG, || waiting() == 6));
    waiters.into_iter().for_each(Child::kill);
    assert!(eventually(GONE, || waiting() == 0));
    guard.unlock().unwrap();
    mutex.try_lock().unwrap().unlock().unwrap();
    reading.unlock().unwrap();
    lock.try_write().unwrap().unlock().unwrap();
    permit.give_back().unwrap();
    permits.try_acquire().unwrap().unwrap().give_back().unwrap();
    semaphore.release(1).unwrap();
    assert!(semaphore.try_acquire().unwrap());
    drop((mutex, lock, condvar, semaphore, flag, permits, client));
    server.shutdown().unwrap();
}

/// The first in the line is stopped before it is granted what it waits for, so it never takes that.
#[test]
fn what_was_granted_to_one_who_died_before_it_knew_goes_to_the_next() {
    let (name, server, client) = serve("mgr-granted");
    let (mutex, condvar) = (client.mutex("m").unwrap(), client.condvar("c").unwrap());
    let semaphore = client.semaphore("s", 0, 9).unwrap();
    let guard = mutex.lock().unwrap();
    let first = child("wait for a mutex", &name);
    assert!(eventually(LONG, || mutex.waiting().unwrap() == 1));
    let counts = child("wait for a count", &name);
    assert!(eventually(LONG, || semaphore.waiting().unwrap() == 1));
    scope(|scope| {
        let next = scope.spawn(|| mutex.lock().map(drop).map_err(LockError::without_guard));
        let acquires = scope.spawn(|| semaphore.acquire());
        assert!(eventually(LONG, || mutex.waiting().unwrap() == 2));
        assert!(eventually(LONG, || semaphore.waiting().unwrap() == 2));
        freeze(&first);
        freeze(&counts);
        guard.unlock().unwrap();
        semaphore.release(1).unwrap();
        assert!(eventually(LONG, || mutex.waiting().unwrap() == 1));
        assert!(eventually(LONG, || semaphore.waiting().unwrap() == 1));
        assert!(!next.is_finished() && !acquires.is_finished(), "no time limit takes it");
        within(GONE, || {
            first.kill();
            counts.kill();
            assert!(next.join().unwrap().is_ok(), "who never knew has changed nothing");
            acquires.join().unwrap().unwrap();
        });
    });
    let first = child("wait to be notified", &name);
    assert!(eventually(LONG, || condvar.waiting().unwrap() == 1));
    scope(|scope| {
        let wait =
            || condvar.wait(mutex.lock().unwrap()).map(drop).map_err(LockError::without_guard);
        let next = scope.spawn(wait);
        assert!(eventually(LONG, || condvar.waiting().unwrap() == 2));
        freeze(&first);
        condvar.notify_one().unwrap();
        assert_eq!(condvar.waiting().unwrap(), 1);
        within(GONE, || {
            first.kill();
            next.join().unwrap().unwrap();
        });
    });
    assert_eq!((mutex.waiting().unwrap(), semaphore.waiting().unwrap()), (0, 0));
    drop((mutex, condvar, semaphore, client));
    server.shutdown().unwrap();
}

#[test]
fn a_dead_party_breaks_the_barrier_and_another_takes_its_place() {
    let (name, server, client) = serve("mgr-party");
    let mut mine = client.barrier("b", 2).unwrap();
    let other = child("party", &name);
    other.expect("ready");
    scope(|scope| {
        let waits = scope.spawn(|| mine.wait());
        let watch = Client::connect(&name).unwrap();
        let waiting = || watch.barrier("b", 2).map(drop).is_err();
        assert!(waiting(), "there are two parties");
        within(GONE, || {
            other.kill();
            assert!(matches!(waits.join().unwrap(), Err(BarrierError::Broken)));
        });
    });
    assert!(mine.is_broken().unwrap());
    mine.reset().unwrap();
    let mut successor = client.barrier("b", 2).unwrap();
    scope(|scope| {
        let other = scope.spawn(|| successor.wait());
        assert!(within(PROMPT, || mine.wait()).is_ok() && other.join().unwrap().is_ok());
    });
    drop((mine, successor, client));
    server.shutdown().unwrap();
}

#[test]
fn a_party_that_is_killed_while_it_waits_breaks_the_barrier() {
    let (name, server, client) = serve("mgr-party-waits");
    let mine = client.barrier("b", 3).unwrap();
    let other = child("party that waits", &name);
    assert!(eventually(LONG, || mine.waiting().unwrap() == 1));
    other.kill();
    assert!(eventually(GONE, || mine.is_broken().unwrap()));
    assert_eq!(mine.waiting().unwrap(), 0);
    drop((mine, client));
    server.shutdown().unwrap();
}

#[test]
fn whoever_is_stopped_keeps_its_lock() {
    let (name, server, client) = serve("mgr-stopped");
    let holder = child("hold", &name);
    holder.expect("ready");
    freeze(&holder);
    let mutex = client.mutex("m").unwrap();
    assert!(matches!(mutex.lock_timeout(Duration::from_millis(300)), Err(LockError::Timeout)));
    holder.signal(libc::SIGCONT);
    holder.kill();
    let outcome = within(GONE, || mutex.lock().map(drop).map_err(LockError::without_guard));
    assert!(matches!(outcome, Err(LockError::OwnerDied(()))));
    drop((mutex, client));
    server.shutdown().unwrap();
}

#[test]
fn who_waits_when_the_server_shuts_down_is_told() {
    let (_name, server, client) = serve("mgr-waits-shutdown");
    let mutex = client.mutex("m").unwrap();
    let guard = mutex.lock().unwrap();
    scope(|scope| {
        let waits = scope.spawn(|| mutex.lock().map(drop).map_err(LockError::without_guard));
        assert!(eventually(LONG, || mutex.waiting().unwrap() == 1));
        within(PROMPT, || {
            server.shutdown().unwrap();
            let outcome = waits.join().unwrap();
            let Err(LockError::Failed(why)) = outcome else { panic!("{outcome:?}") };
            assert!(matches!(why, CallError::ShutDown), "{why:?}");
        });
    });
    drop(guard);
}
