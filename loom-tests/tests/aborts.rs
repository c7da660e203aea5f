//! Hazard: a slot that was claimed and given up blocks the ring, is given back twice, or under somebody who has it
//! already.
//!
//! Checked: consumers pass over it, what lies behind it comes, and the slot serves again, once.
#![cfg(loom)]

use std::sync::Arc;

use loom_tests::queue::{Queue, WRAPPING, receiver, sender};
use loom_tests::{crowded, model};

/// A queue whose first message was given up and whose second is 1.
fn with_an_aborted_slot() -> Arc<Queue> {
    let queue = Queue::starting_at(WRAPPING, 2);
    let side = sender(0);
    queue.ring().abort(queue.ring().reserve(&side, 0).unwrap());
    queue.push(&side, 1).unwrap();
    queue
}

#[test]
fn a_reservation_that_is_given_up_is_passed_over() {
    model(|| {
        let queue = Queue::starting_at(WRAPPING, 1);
        let claim = queue.ring().reserve(&sender(1), 0).unwrap();
        let other = queue.beside(|queue| queue.ring().abort(claim));
        let mut received = queue.pop_some(&receiver(2), 1);
        let sent = queue.push(&sender(3), 3).is_ok();
        other.join().unwrap();
        received.extend(queue.rest());
        assert_eq!(received, &[3][..sent.into()]);
        queue.assert_whole();
    });
}

#[test]
fn what_was_written_and_given_up_is_seen_by_nobody() {
    model(|| {
        let queue = Queue::new(1);
        let mut claim = queue.ring().reserve(&sender(1), 0).unwrap();
        let other = queue.beside(|queue| {
            *queue.ring().claimed_mut(&mut claim) = 9;
            queue.ring().abort(claim);
        });
        let taken = queue.pop_some(&receiver(2), 1);
        let sent = queue.push(&sender(3), 3).is_ok();
        other.join().unwrap();
        assert_eq!((taken, queue.rest()), (vec![], vec![3; sent.into()]));
    });
}

#[test]
fn two_who_pass_over_one_slot_give_it_back_once() {
    crowded(1, || {
        let queue = with_an_aborted_slot();
        let other = queue.beside(|queue| queue.pop_some(&receiver(1), 1));
        let mut received = queue.pop_some(&receiver(2), 1);
        let sent = queue.push(&sender(2), 2).is_ok();
        received.extend(other.join().unwrap());
        received.extend(queue.rest());
        assert_eq!(received, &[1, 2][..=usize::from(sent)]);
        queue.assert_whole();
    });
}

#[test]
fn a_slot_that_was_passed_over_is_filled_while_another_passes_over_it() {
    crowded(1, || {
        let queue = with_an_aborted_slot();
        let others =
            [1, 2].map(|number| queue.beside(move |queue| queue.pop(&receiver(number)).ok()));
        let sent = queue.push(&sender(3), 2).is_ok();
        let mut received: Vec<u64> =
            others.into_iter().filter_map(|other| other.join().unwrap()).collect();
        received.extend(queue.rest());
        received.sort_unstable();
        assert_eq!(received, &[1, 2][..=usize::from(sent)]);
        queue.assert_whole();
    });
}
