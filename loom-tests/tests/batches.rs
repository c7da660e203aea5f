//! Hazard: a claim of several slots meets one of a single slot, or another of several.
//!
//! Checked: a batch lies in a row, in order; nothing is lost, twice there or torn; and a look at a ring that one claim
//! takes all of is not taken for a corruption.
#![cfg(loom)]

use loom_tests::queue::{Queue, WRAPPING, receiver, sender};
use loom_tests::{crowded, model};
use ringway::parts::mpmc::{Dry, Refusal};

/// Pushes as many of `values` as find room at once.
fn push_slice(queue: &Queue, number: u16, values: &[u64]) -> usize {
    match queue.ring().push_slice(&sender(number), values) {
        Err(Refusal::Corrupt(what)) => panic!("{what:?}"),
        done => done.unwrap_or(0),
    }
}

/// Pops up to two values at once.
fn pop_slice(queue: &Queue, number: u16) -> Vec<u64> {
    let mut buffer = [0; 2];
    match queue.ring().pop_slice(&receiver(number), &mut buffer) {
        Err(Dry::Corrupt(what)) => panic!("{what:?}"),
        done => buffer[..done.unwrap_or(0)].to_vec(),
    }
}

#[test]
fn a_batch_and_a_single_message_do_not_mix() {
    crowded(1, || {
        let queue = Queue::new(4);
        let other = queue.beside(|queue| assert_eq!(push_slice(queue, 1, &[10, 11]), 2));
        queue.push(&sender(2), 20).unwrap();
        other.join().unwrap();
        let received = queue.rest();
        assert!([[10, 11, 20], [20, 10, 11]].contains(&received[..].try_into().unwrap()));
    });
}

#[test]
fn of_two_batches_that_each_fill_the_ring_one_is_refused() {
    model(|| {
        let queue = Queue::starting_at(WRAPPING, 2);
        let other = queue.beside(|queue| push_slice(queue, 1, &[10, 11]));
        let mine = push_slice(&queue, 2, &[20, 21]);
        assert_eq!(mine + other.join().unwrap(), 2);
        assert_eq!(queue.rest(), if mine == 2 { [20, 21] } else { [10, 11] });
        queue.assert_whole();
    });
}

#[test]
fn a_batch_is_taken_as_far_as_it_is_committed() {
    model(|| {
        let queue = Queue::starting_at(WRAPPING, 2);
        let other = queue.beside(|queue| push_slice(queue, 1, &[10, 11]));
        let mut received = pop_slice(&queue, 2);
        received.extend(pop_slice(&queue, 2));
        assert_eq!(other.join().unwrap(), 2);
        received.extend(queue.rest());
        assert_eq!(received, [10, 11]);
        queue.assert_whole();
    });
}

#[test]
fn two_who_take_batches_get_each_message_once() {
    crowded(1, || {
        let queue = Queue::holding(0, 2, &[1, 2]);
        let other = queue.beside(|queue| pop_slice(queue, 1));
        let mut received = pop_slice(&queue, 2);
        received.extend(other.join().unwrap());
        received.extend(queue.rest());
        received.sort_unstable();
        assert_eq!(received, [1, 2]);
        queue.assert_whole();
    });
}

#[test]
fn slots_that_a_batch_gave_back_are_filled_again() {
    model(|| {
        let queue = Queue::holding(WRAPPING, 2, &[1, 2]);
        let other = queue.beside(|queue| pop_slice(queue, 1));
        let mut sent = push_slice(&queue, 2, &[3, 4]);
        sent += push_slice(&queue, 2, &[3, 4][sent..]);
        let mut received = other.join().unwrap();
        received.extend(queue.rest());
        assert_eq!(received, &[1, 2, 3, 4][..2 + sent]);
        queue.assert_whole();
    });
}

#[test]
fn who_sees_a_claim_behind_a_batch_to_fill_sees_all_of_that_stamped() {
    crowded(1, || {
        let queue = Queue::new(4);
        let others = [
            queue.beside(|queue| assert_eq!(push_slice(queue, 1, &[10, 11]), 2)),
            queue.beside(|queue| queue.push(&sender(2), 20).unwrap()),
        ];
        queue.assert_fills_certified(2);
        for other in others {
            other.join().unwrap();
        }
    });
}

#[test]
fn who_sees_a_claim_behind_a_batch_to_take_sees_all_of_that_stamped() {
    crowded(1, || {
        let queue = Queue::holding(0, 4, &[1, 2, 3]);
        let others = [
            queue.beside(|queue| drop(pop_slice(queue, 1))),
            queue.beside(|queue| assert!(queue.pop(&receiver(2)).is_ok())),
        ];
        queue.assert_takes_certified(2);
        for other in others {
            other.join().unwrap();
        }
    });
}
