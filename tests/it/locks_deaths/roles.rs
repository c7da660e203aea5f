//! Who has a lock, or waits for one, until it is killed.

use ringway::block::Block;
use ringway::sync::{Barrier, Condvar, Mutex, Permits, ReentrantMutex, RwLock, Semaphore};

use crate::util::NO_RECHECK;
use crate::util::child::{hear, say};

pub fn play(role: &str, arguments: &[&str]) {
    match role {
        "party" | "wait for it" | "acquire" | "wait to be told" => wait(role, arguments[0]),
        _ => hold(role, arguments[0]),
    }
}

/// Says that it has what it came for, and keeps it.
fn held() {
    say("held");
    hear();
}

/// Has a lock until it is told to go, or killed.
fn hold(role: &str, name: &str) {
    match role {
        "lock" => {
            let mutex = Mutex::<[u64; 2]>::open(name).unwrap();
            let mut guard = mutex.lock().unwrap();
            guard[0] = 1;
            held();
        }
        "lock the block" => {
            let block = Block::open(name).unwrap();
            let mutex = Mutex::beside(&block).unwrap();
            let _turn = mutex.lock().unwrap();
            held();
        }
        "lock again" => {
            let mutex = ReentrantMutex::<u64>::open(name).unwrap();
            let guards = [mutex.lock().unwrap(), mutex.lock().unwrap()];
            guards[0].set(1);
            held();
        }
        "read" => {
            let lock = RwLock::<u64>::open(name).unwrap();
            let _guards = [lock.read().unwrap(), lock.read().unwrap()];
            held();
        }
        "write" => {
            let lock = RwLock::<u64>::open(name).unwrap();
            *lock.write().unwrap() = 1;
            let _guard = lock.write().unwrap();
            held();
        }
        "permit" => {
            let permits = Permits::open(name).unwrap();
            let _both = [permits.acquire().unwrap(), permits.acquire().unwrap()];
            held();
        }
        _ => panic!("no such role"),
    }
}

/// Waits for one, or for others.
fn wait(role: &str, name: &str) {
    match role {
        "party" => {
            let mut barrier = Barrier::open(name).unwrap();
            say("held");
            if hear() == "wait" {
                let _ = barrier.wait();
            }
        }
        "wait for it" => {
            let mutex = Mutex::<[u64; 2]>::options().recheck(NO_RECHECK).open(name).unwrap();
            say("open");
            let _guard = mutex.lock();
        }
        "acquire" => {
            let semaphore = Semaphore::options().recheck(NO_RECHECK).open(name).unwrap();
            say("open");
            semaphore.acquire().unwrap();
        }
        "wait to be told" => {
            let block = Block::open(name).unwrap();
            let mutex = Mutex::<u64>::at(&block, 0).unwrap();
            let condvar = Condvar::at(&block, 128).unwrap();
            let guard = mutex.lock().unwrap();
            say("open");
            drop(condvar.wait_while(guard, |n| *n == 0).unwrap());
            say("told");
        }
        _ => panic!("no such role"),
    }
}
