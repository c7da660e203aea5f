//! Hazard: what a dead member had claimed is lost, or taken back twice, because others are at it.
//!
//! Checked: after a reaper that raced with a helper, with another reaper, or with one who takes what it puts back, every
//! message is delivered once and every slot serves again. That the dead is dead is known before reaping begins: its
//! thread was joined, or it did its steps before others began.
#![cfg(loom)]

use loom_tests::queue::{Queue, WRAPPING, receiver, sender};
use loom_tests::{crowded, model};
use ringway::parts::word::State;

/// A reaper beside one who sends after a producer that claimed two slots and stamped `stamps` of them.
fn reaper_beside_a_sender(stamps: u64) {
    let queue = Queue::starting_at(WRAPPING, 4);
    assert!(queue.claim_vacant_and_die(1, 2, stamps));
    let reaper = queue.beside(|queue| queue.reap(1));
    queue.push(&sender(2), 20).unwrap();
    reaper.join().unwrap();
    assert_eq!(queue.rest(), [20]);
    queue.assert_whole();
}

#[test]
fn a_reaper_and_a_sender_meet_at_a_claim_without_stamps() {
    model(|| reaper_beside_a_sender(0));
}

#[test]
fn a_reaper_and_a_sender_meet_at_a_claim_that_is_half_stamped() {
    model(|| reaper_beside_a_sender(1));
}

/// A reaper beside one who receives after a consumer that claimed two messages and stamped `stamps` of them.
fn reaper_beside_a_receiver(stamps: u64) {
    let queue = Queue::holding(WRAPPING, 4, &[1, 2, 3]);
    assert!(queue.claim_filled_and_die(1, 2, stamps));
    let reaper = queue.beside(|queue| queue.reap(1));
    let mut received = queue.pop_some(&receiver(2), 1);
    reaper.join().unwrap();
    received.extend(queue.rest());
    received.sort_unstable();
    assert_eq!(received, [1, 2, 3]);
    queue.assert_whole();
}

#[test]
fn a_reaper_and_a_receiver_meet_at_a_claim_without_stamps() {
    model(|| reaper_beside_a_receiver(0));
}

#[test]
fn a_reaper_and_a_receiver_meet_at_a_claim_that_is_half_stamped() {
    model(|| reaper_beside_a_receiver(1));
}

#[test]
fn a_reaper_and_one_who_passes_over_a_slot_meet_at_a_claim_without_stamp() {
    model(|| {
        let queue = Queue::holding(0, 4, &[1]);
        queue.ring().abort(queue.ring().reserve(&sender(0), 0).unwrap());
        assert!(queue.claim_filled_and_die(1, 1, 0));
        let reaper = queue.beside(|queue| queue.reap(1));
        let mut received = queue.pop_some(&receiver(2), 1);
        reaper.join().unwrap();
        received.extend(queue.rest());
        assert_eq!(received, [1]);
        queue.assert_whole();
    });
}

#[test]
fn two_reapers_and_a_sender_abort_each_claim_once() {
    crowded(2, || {
        let queue = Queue::new(2);
        assert!(queue.claim_vacant_and_die(1, 1, 0));
        let reapers = [(); 2].map(|()| queue.beside(|queue| queue.reap(1).aborted));
        queue.push(&sender(2), 20).unwrap();
        for reaper in reapers {
            reaper.join().unwrap();
        }
        assert_eq!(queue.states()[0], (State::Aborted, 0));
        assert_eq!(queue.rest(), [20]);
        queue.assert_whole();
    });
}

#[test]
fn two_reapers_put_a_message_back_once() {
    model(|| {
        let queue = Queue::holding(0, 2, &[1, 2]);
        assert!(queue.claim_filled_and_die(1, 1, 1));
        let other = queue.beside(|queue| queue.reap(1).redelivered);
        let mine = queue.reap(1).redelivered;
        assert_eq!(mine + other.join().unwrap(), 1);
        let claim = queue.take(&receiver(2)).unwrap();
        assert_eq!((*queue.ring().value(&claim), claim.tries()), (1, 1));
        queue.ring().acknowledge(claim);
        assert_eq!(queue.rest(), [2]);
        queue.assert_whole();
    });
}

#[test]
fn a_reaper_finishes_what_another_that_died_had_begun() {
    model(|| {
        let queue = Queue::holding(0, 2, &[1]);
        let reaped = queue.put_back_and_die();
        let other = queue.beside(|queue| queue.pop_some(&receiver(2), 1));
        assert_eq!(queue.reap(1).redelivered, 0, "it was put back, but not announced");
        let mut received = other.join().unwrap();
        received.extend(queue.rest());
        assert_eq!(received, [reaped]);
        queue.assert_whole();
    });
}

#[test]
fn what_is_put_back_can_be_taken_while_the_reaper_is_at_it() {
    model(|| {
        let queue = Queue::holding(0, 2, &[1, 2]);
        assert!(queue.claim_filled_and_die(1, 2, 2));
        let reaper = queue.beside(|queue| queue.reap(1));
        let mut received = queue.pop_some(&receiver(2), 2);
        assert_eq!(reaper.join().unwrap().redelivered, 2);
        received.extend(queue.rest());
        assert_eq!(received, [1, 2]);
        queue.assert_whole();
    });
}

#[test]
fn a_reaper_leaves_the_claims_of_the_living_alone() {
    model(|| {
        let queue = Queue::holding(0, 4, &[1]);
        assert!(queue.claim_vacant_and_die(1, 1, 0));
        let other = queue.beside(|queue| {
            let received = queue.pop_some(&receiver(2), 1);
            queue.push(&sender(2), 20).unwrap();
            received
        });
        queue.reap(1);
        assert_eq!(other.join().unwrap(), [1]);
        assert_eq!(queue.rest(), [20]);
        queue.assert_whole();
    });
}

#[test]
fn what_a_dead_producer_had_written_is_over_when_its_slot_serves_again() {
    model(|| {
        let queue = Queue::new(1);
        let dead = queue.beside(|queue| {
            // There may be no room, where the other comes first.
            if let Ok(mut claim) = queue.ring().reserve(&sender(1), 0) {
                *queue.ring().claimed_mut(&mut claim) = 9;
            }
        });
        let other = queue.beside(|queue| {
            queue.pop_some(&receiver(2), 1);
            queue.push(&sender(2), 20).is_ok()
        });
        dead.join().unwrap();
        queue.reap(1);
        let sent = other.join().unwrap();
        assert_eq!(queue.rest(), &[20][..sent.into()]);
        queue.assert_whole();
    });
}

#[test]
fn what_a_dead_consumer_had_read_is_over_when_its_slot_serves_again() {
    model(|| {
        let queue = Queue::holding(0, 1, &[1]);
        let dead = queue.beside(|queue| {
            let claim = queue.take(&receiver(1)).unwrap();
            assert_eq!(*queue.ring().value(&claim), 1);
        });
        let other = queue.beside(|queue| queue.push(&sender(2), 20).is_ok());
        dead.join().unwrap();
        assert_eq!(queue.drop_of(1).dropped, 1);
        let sent = other.join().unwrap();
        assert_eq!(queue.rest(), &[20][..sent.into()]);
        queue.assert_whole();
    });
}
