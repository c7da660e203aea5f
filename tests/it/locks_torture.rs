//! Processes that take locks for ever are killed at any moment, one after the other.

use std::time::Duration;

use ringway::block::Block;
use ringway::sync::{LockError, Mutex, RwLock};

use crate::util::child::{Child, say};
use crate::util::{Name, PROMPT, Random, within};

/// Between the shortest and the longest that may be.
const SHORT: Duration = Duration::from_millis(5);

pub fn play(role: &str, arguments: &[&str]) {
    match role {
        "work" => work(arguments[0]),
        _ => panic!("no such role"),
    }
}

/// Takes a mutex and a rwlock by turns for ever, and changes what they guard in two steps.
fn work(name: &str) {
    let block = Block::options().recheck(SHORT).open(name).unwrap();
    let mutex = Mutex::<[u64; 2]>::at(&block, 0).unwrap();
    let lock = RwLock::<[u64; 2]>::at(&block, 1024).unwrap();
    say("works");
    loop {
        let mut pair = match mutex.lock() {
            Ok(pair) => {
                assert_eq!(pair[0], pair[1], "torn and unmarked");
                pair
            }
            Err(error) => {
                let mut pair = error.into_guard().expect("taken after a death");
                pair[1] = pair[0];
                pair.mark_consistent();
                pair
            }
        };
        pair[0] += 1;
        pair[1] += 1;
        drop(pair);
        match lock.read() {
            Ok(pair) => assert_eq!(pair[0], pair[1], "torn and unmarked"),
            Err(error) => drop(error.into_guard().expect("taken after a death")),
        }
        let mut pair = match lock.write() {
            Ok(pair) => pair,
            Err(error) => {
                let mut pair = error.into_guard().expect("taken after a death");
                pair[1] = pair[0];
                pair.mark_consistent();
                pair
            }
        };
        pair[0] += 1;
        pair[1] += 1;
    }
}

#[test]
fn whoever_is_killed_at_any_moment_leaves_no_torn_value_unmarked_and_nobody_waiting() {
    let name = Name::new("any-moment");
    let block = Block::create(&name, 4096).unwrap();
    let mutex = Mutex::<[u64; 2]>::at(&block, 0).unwrap();
    let lock = RwLock::<[u64; 2]>::at(&block, 1024).unwrap();
    let spawn = || Child::spawn("locks_torture::work", &[&name]);
    let mut children: Vec<Child> = (0..3).map(|_| spawn()).collect();
    for child in &children {
        child.expect("works");
    }
    let mut random = Random(7);
    for _ in 0..60 {
        let start = std::time::Instant::now();
        let wait = Duration::from_micros(random.next() % 3000);
        while start.elapsed() < wait {
            std::hint::spin_loop();
        }
        let victim = children.swap_remove(random.below(children.len()));
        victim.kill();
        children.push(spawn());
        children.last().unwrap().expect("works");
        for child in &children {
            assert!(crate::util::child::state_of(child.pid()) != Some('Z'), "one has failed");
        }
    }
    drop(children);
    within(PROMPT, || drop(mutex.lock().map_err(LockError::into_guard)));
    within(PROMPT, || drop(lock.write().map_err(LockError::into_guard)));
}
