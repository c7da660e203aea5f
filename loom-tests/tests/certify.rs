//! Hazard: a claim is left behind without a stamp, so that nobody can tell any more whose it is.
//!
//! Checked: whoever claims next stamps it in its owner's name first, all of it, however far the owner came; and an owner
//! that only was slow goes on undisturbed.
#![cfg(loom)]

use std::sync::Arc;

use loom_tests::queue::{Queue, receiver, sender};
use loom_tests::{crowded, model};
use ringway::parts::mpmc::Dry;
use ringway::parts::word::State;

#[test]
fn a_producers_claim_is_stamped_before_the_next() {
    model(|| {
        let queue = Queue::new(2);
        let other = queue.beside(|queue| {
            queue.push(&sender(1), 10).unwrap();
            queue.assert_fills_certified(1);
        });
        queue.push(&sender(2), 20).unwrap();
        queue.assert_fills_certified(1);
        other.join().unwrap();
    });
}

#[test]
fn a_consumers_claim_is_stamped_before_the_next() {
    model(|| {
        let queue = Queue::holding(0, 2, &[1, 2]);
        let other = queue.beside(|queue| {
            queue.pop(&receiver(1)).unwrap();
            queue.assert_takes_certified(1);
        });
        queue.pop(&receiver(2)).unwrap();
        queue.assert_takes_certified(1);
        other.join().unwrap();
    });
}

#[test]
fn a_producer_that_dies_as_it_claims_is_named_by_the_slot() {
    model(|| {
        let queue = Queue::new(2);
        let other = queue.beside(|queue| queue.claim_vacant_and_die(1, 1, 0));
        queue.push(&sender(2), 20).unwrap();
        let claimed = other.join().unwrap();
        // Only behind it there is nobody to stamp it.
        let last = claimed && queue.states() == [(State::Filled, 0), (State::Vacant, 0)];
        assert!(!claimed || last || queue.states()[0] == (State::Writing, 1));
        queue.reap(1);
        assert_eq!(queue.rest(), [20]);
        queue.assert_whole();
    });
}

#[test]
fn a_consumer_that_dies_as_it_claims_is_named_by_the_slot() {
    model(|| {
        let queue = Queue::holding(0, 2, &[1, 2]);
        let other = queue.beside(|queue| queue.claim_filled_and_die(1, 1, 0));
        let received = queue.pop(&receiver(2)).unwrap();
        if other.join().unwrap() {
            let (slot, lost) = if received == 1 { (1, 2) } else { (0, 1) };
            let expected = if slot == 1 { (State::Filled, 0) } else { (State::Reading, 1) };
            assert_eq!(queue.states()[slot], expected);
            queue.reap(1);
            assert_eq!(queue.rest(), [lost]);
        } else {
            assert_eq!((received, queue.rest()), (1, vec![2]));
        }
        queue.assert_whole();
    });
}

/// Two who come after a producer that claimed two slots and stamped `stamps` of them.
fn after_a_producer(stamps: u64) {
    let queue = Queue::new(4);
    assert!(queue.claim_vacant_and_die(1, 2, stamps));
    let other = queue.beside(|queue| queue.push(&sender(2), 20));
    queue.push(&sender(3), 30).unwrap();
    queue.assert_fills_certified(1);
    other.join().unwrap().unwrap();
    assert_eq!(queue.states()[..2], [(State::Writing, 1); 2]);
    queue.reap(1);
    let mut received = queue.rest();
    received.sort_unstable();
    assert_eq!(received, [20, 30]);
    queue.assert_whole();
}

#[test]
fn who_comes_after_a_dead_producer_stamps_all_it_claimed() {
    crowded(1, || after_a_producer(0));
}

#[test]
fn who_comes_after_a_dead_producer_stamps_the_rest_of_what_it_claimed() {
    crowded(1, || after_a_producer(1));
}

/// Two who come after a consumer that claimed two messages and stamped `stamps` of them.
fn after_a_consumer(stamps: u64) {
    let queue = Queue::holding(0, 4, &[1, 2, 3, 4]);
    assert!(queue.claim_filled_and_die(1, 2, stamps));
    let other = queue.beside(|queue| queue.pop(&receiver(2)));
    let mut received = vec![queue.pop(&receiver(3)).unwrap()];
    queue.assert_takes_certified(1);
    received.push(other.join().unwrap().unwrap());
    received.sort_unstable();
    assert_eq!(received, [3, 4]);
    assert_eq!(queue.states()[..2], [(State::Reading, 1); 2]);
    queue.reap(1);
    assert_eq!(queue.rest(), [1, 2]);
    queue.assert_whole();
}

#[test]
fn who_comes_after_a_dead_consumer_stamps_all_it_claimed() {
    crowded(1, || after_a_consumer(0));
}

#[test]
fn who_comes_after_a_dead_consumer_stamps_the_rest_of_what_it_claimed() {
    crowded(1, || after_a_consumer(1));
}

#[test]
fn an_aborted_slot_that_a_dead_consumer_claimed_is_given_back_once() {
    model(|| {
        let queue = Queue::new(2);
        queue.ring().abort(queue.ring().reserve(&sender(0), 0).unwrap());
        queue.push(&sender(0), 1).unwrap();
        assert!(queue.claim_filled_and_die(1, 1, 0));
        let other = queue.beside(|queue| queue.push(&sender(3), 2).is_ok());
        let first = queue.take(&receiver(2));
        let sent = other.join().unwrap();
        let mut received: Vec<u64> = match first {
            Ok(claim) => {
                let value = *queue.ring().value(&claim);
                queue.ring().acknowledge(claim);
                vec![value]
            }
            Err(why) => {
                assert_eq!(why, Dry::Skipped);
                Vec::new()
            }
        };
        received.extend(queue.rest());
        assert_eq!(received, &[1, 2][..=usize::from(sent)]);
        queue.assert_whole();
    });
}

#[test]
fn threads_that_share_a_sending_handle_leave_no_claim_without_a_stamp() {
    crowded(1, || {
        let queue = Queue::new(2);
        let side = Arc::new(sender(1));
        let others = [10, 20].map(|value| {
            let side = Arc::clone(&side);
            queue.beside(move |queue| queue.push(&side, value).unwrap())
        });
        queue.assert_fills_certified(1);
        for other in others {
            other.join().unwrap();
        }
        queue.assert_fills_certified(1);
        assert_eq!(queue.rest().len(), 2);
    });
}

#[test]
fn threads_that_share_a_receiving_handle_leave_no_claim_without_a_stamp() {
    crowded(1, || {
        let queue = Queue::holding(0, 2, &[1, 2]);
        let side = Arc::new(receiver(1));
        let others = [(); 2].map(|()| {
            let side = Arc::clone(&side);
            queue.beside(move |queue| queue.pop(&side).unwrap())
        });
        queue.assert_takes_certified(1);
        assert_eq!(others.into_iter().map(|other| other.join().unwrap()).sum::<u64>(), 3);
        queue.assert_whole();
    });
}

#[test]
fn another_thread_of_the_same_member_is_certified_like_a_stranger() {
    model(|| {
        let queue = Queue::new(4);
        let other = queue.beside(|queue| queue.claim_vacant_and_die(1, 1, 0));
        let side = sender(1);
        queue.push(&side, 10).unwrap();
        queue.push(&side, 11).unwrap();
        other.join().unwrap();
        // Both threads are of the one process that died.
        queue.reap(1);
        assert_eq!(queue.rest(), [10, 11]);
        queue.assert_whole();
    });
}

#[test]
fn another_thread_of_the_same_consumer_is_certified_like_a_stranger() {
    model(|| {
        let queue = Queue::holding(0, 4, &[1, 2, 3]);
        let other = queue.beside(|queue| queue.claim_filled_and_die(1, 1, 0));
        let side = receiver(1);
        let mut received = queue.pop_some(&side, 2);
        assert!(received.len() == 2);
        other.join().unwrap();
        queue.reap(1);
        received.extend(queue.rest());
        received.sort_unstable();
        assert_eq!(received, [1, 2, 3]);
        queue.assert_whole();
    });
}
