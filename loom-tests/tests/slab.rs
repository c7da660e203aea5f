//! Hazard: a block is two messages' at once, or is overwritten while it is read.
//!
//! Checked: each message comes once and whole, whoever shares the blocks; in the end each is free. That two threads meet in
//! one word of a block fails by itself.
#![cfg(loom)]

use loom_tests::queue::{receiver, sender};
use loom_tests::slab::LongQueue;
use loom_tests::{crowded, model};
use ringway::parts::reap::DeliveryPolicy::AtLeastOnce;

#[test]
fn a_block_that_was_read_serves_again() {
    model(|| {
        let queue = LongQueue::new(2, 1);
        let other = queue.beside(|queue| {
            let side = sender(1);
            [1, 2].into_iter().filter(|value| queue.send(1, &side, *value)).collect::<Vec<_>>()
        });
        let mut received = queue.recv_some(0, &receiver(2), 2);
        let sent = other.join().unwrap();
        received.extend(queue.rest()[0].clone());
        assert_eq!(received, sent);
    });
}

#[test]
fn of_two_who_take_a_block_one_gets_it() {
    model(|| {
        let queue = LongQueue::new(2, 1);
        let other = queue.beside(|queue| queue.send(1, &sender(1), 1));
        let mine = queue.send(2, &sender(2), 2);
        let theirs = other.join().unwrap();
        assert!(mine || theirs);
        let both = [(theirs, 1), (mine, 2)].into_iter().filter(|one| one.0);
        let mut received = queue.rest()[0].clone();
        received.sort_unstable();
        assert_eq!(received, both.map(|one| one.1).collect::<Vec<_>>());
    });
}

#[test]
fn a_place_that_was_given_up_gives_its_block_back() {
    model(|| {
        let queue = LongQueue::new(2, 1);
        let other = queue.beside(|queue| queue.give_up(1, &sender(1)));
        let sent = queue.send(2, &sender(2), 2);
        other.join().unwrap();
        assert_eq!(queue.rest()[0], [2][..usize::from(sent)]);
    });
}

#[test]
fn who_reaps_takes_no_block_from_the_living() {
    crowded(1, || {
        let queue = LongQueue::new(2, 1);
        assert!(queue.send(1, &sender(1), 1));
        let reaper = queue.beside(|queue| queue.reap(3, AtLeastOnce));
        let other = queue.beside(|queue| queue.recv_some(0, &receiver(2), 1));
        let sent = queue.send(1, &sender(1), 2);
        assert_eq!(other.join().unwrap(), [1]);
        reaper.join().unwrap();
        assert_eq!(queue.rest()[0], [2][..usize::from(sent)]);
    });
}
