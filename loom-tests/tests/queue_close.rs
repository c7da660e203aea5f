//! Hazard: of a ring between many a message is accepted and never delivered, or refused and delivered, because somebody
//! closed; or somebody sleeps on in a closed queue.
//!
//! Checked: exactly what senders were told is accepted is received before the ring is drained, and drained is for
//! good.
#![cfg(loom)]

use std::rc::Rc;

use loom::cell::UnsafeCell;
use loom::sync::atomic::Ordering::Release;
use loom_tests::queue::{Queue, WRAPPING, receiver, sender};
use loom_tests::{crowded, model};
use ringway::parts::mpmc::{Dry, Refusal};

/// Nothing is accepted any more, and nothing comes.
fn assert_is_over(queue: &Queue) {
    assert_eq!(queue.push(&sender(3), 99), Err(Refusal::Closed));
    assert_eq!(queue.pop(&receiver(3)), Err(Dry::Drained));
}

#[test]
fn what_is_accepted_is_delivered_and_nothing_else() {
    model(|| {
        let queue = Queue::starting_at(WRAPPING, 2);
        let other = queue.beside(|queue| queue.push_each(&sender(1), &[1, 2]));
        queue.close();
        let received = queue.pop_some(&receiver(2), 2);
        let accepted = other.join().unwrap();
        assert_eq!([received, queue.rest()].concat(), accepted);
        assert_is_over(&queue);
    });
}

#[test]
fn two_senders_and_a_close_agree_on_what_is_accepted() {
    crowded(1, || {
        let queue = Queue::new(2);
        let others = [1, 2].map(|number| {
            queue.beside(move |queue| queue.push_each(&sender(number), &[number.into()]))
        });
        queue.close();
        let mut accepted: Vec<u64> =
            others.into_iter().flat_map(|other| other.join().unwrap()).collect();
        let mut received = queue.rest();
        accepted.sort_unstable();
        received.sort_unstable();
        assert_eq!(received, accepted);
        assert_is_over(&queue);
    });
}

#[test]
fn a_batch_is_accepted_whole_or_not_at_all() {
    model(|| {
        let queue = Queue::new(2);
        let other = queue.beside(|queue| {
            let pushed = queue.ring().push_slice(&sender(1), &[1, 2]);
            pushed.unwrap_or_else(|why| {
                assert_eq!(why, Refusal::Closed);
                0
            })
        });
        queue.close();
        let accepted = other.join().unwrap();
        assert_eq!(queue.rest(), &[1, 2][..accepted]);
        assert_is_over(&queue);
    });
}

#[test]
fn drained_is_for_good() {
    crowded(1, || {
        let queue = Queue::new(2);
        let other = queue.beside(|queue| queue.push_each(&sender(1), &[1]));
        let closer = queue.beside(|queue| queue.ring().close());
        let side = receiver(2);
        let (mut received, end) = queue.pop_until(&side);
        let accepted = other.join().unwrap();
        closer.join().unwrap();
        assert!(end != Dry::Drained || received == accepted);
        received.extend(queue.rest());
        assert_eq!(received, accepted);
        assert_is_over(&queue);
    });
}

#[test]
fn a_closer_that_dies_after_its_first_step_is_finished_by_a_consumer() {
    model(|| {
        let queue = Queue::new(2);
        let other = queue.beside(|queue| queue.push_each(&sender(1), &[1, 2]));
        // All that the closer did before it was killed.
        queue.header().gate.closed.store(1, Release);
        let side = receiver(2);
        let (mut received, end) = queue.pop_until(&side);
        let accepted = other.join().unwrap();
        assert!(end != Dry::Drained || received == accepted);
        received.extend(queue.rest());
        assert_eq!(received, accepted);
        assert_is_over(&queue);
    });
}

#[test]
fn a_message_put_back_into_a_closed_ring_is_received() {
    model(|| {
        let queue = Queue::holding(0, 1, &[1]);
        let side = receiver(1);
        let claim = queue.take(&side).unwrap();
        queue.ring().close();
        let other = queue.beside(move |queue| queue.ring().put_back(side.sweeper(), claim, true));
        let mut received = queue.pop_some(&receiver(2), 1);
        other.join().unwrap();
        received.extend(queue.rest());
        assert_eq!(received, [1]);
        assert_is_over(&queue);
    });
}

#[test]
fn whoever_finds_the_ring_closed_sees_what_the_closer_did_before() {
    model(|| {
        let queue = Queue::new(1);
        // Loom tracks accesses to the cell: an unordered pair fails the model.
        let note = Rc::new(UnsafeCell::new(()));
        let writer = Rc::clone(&note);
        let closer = queue.beside(move |queue| {
            writer.with_mut(|_| ());
            queue.ring().close();
        });
        if queue.ring().is_closed() || queue.pop(&receiver(1)) == Err(Dry::Drained) {
            note.with(|_| ());
        }
        closer.join().unwrap();
    });
}

#[test]
fn whoever_finds_it_closed_by_a_helper_sees_what_the_closer_did_before() {
    model(|| {
        let queue = Queue::new(1);
        let note = Rc::new(UnsafeCell::new(()));
        let writer = Rc::clone(&note);
        let closer = queue.beside(move |queue| {
            writer.with_mut(|_| ());
            queue.header().gate.closed.store(1, Release);
        });
        let helper = queue.beside(|queue| queue.pop(&receiver(1)));
        if queue.ring().is_closed() {
            note.with(|_| ());
        }
        closer.join().unwrap();
        assert!(matches!(helper.join().unwrap(), Err(Dry::Empty | Dry::Drained)));
    });
}

#[test]
fn a_receiver_asleep_learns_of_the_end() {
    model(|| {
        let queue = Queue::new(1);
        let closer = queue.beside(Queue::close);
        assert_eq!(queue.recv(1, &receiver(1)), Err(Dry::Drained));
        closer.join().unwrap();
    });
}

#[test]
fn a_sender_asleep_learns_of_the_end() {
    model(|| {
        let queue = Queue::holding(0, 1, &[1]);
        let closer = queue.beside(Queue::close);
        assert_eq!(queue.send(1, &sender(1), 2), Err(Refusal::Closed));
        closer.join().unwrap();
    });
}

#[test]
fn two_receivers_asleep_both_learn_of_the_end() {
    crowded(1, || {
        let queue = Queue::new(1);
        let other = queue.beside(|queue| queue.recv(2, &receiver(2)));
        let closer = queue.beside(Queue::close);
        assert_eq!(queue.recv(1, &receiver(1)), Err(Dry::Drained));
        assert_eq!(other.join().unwrap(), Err(Dry::Drained));
        closer.join().unwrap();
    });
}
