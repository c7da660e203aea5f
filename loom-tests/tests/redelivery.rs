//! Hazard: a message that was put back is forgotten, because who looked for it in vain says that there is none, or is
//! taken by two.
//!
//! Checked: whoever puts back and takes again, each message that is not acknowledged is there at the end, and each that
//! is comes to one.
#![cfg(loom)]

use std::sync::Arc;

use loom_tests::model;
use loom_tests::queue::{Queue, WRAPPING, receiver, sender};
use ringway::parts::mpmc::ConsumerSide;

/// Takes a message and puts it back.
fn take_and_put_back(queue: &Queue, side: &ConsumerSide) {
    if let Ok(claim) = queue.take(side) {
        queue.ring().put_back(side.sweeper(), claim, true);
    }
}

#[test]
fn a_message_put_back_is_found_again() {
    model(|| {
        let queue = Queue::holding(WRAPPING, 1, &[1]);
        let other = queue.beside(|queue| take_and_put_back(queue, &receiver(1)));
        let mut received = queue.pop_some(&receiver(2), 1);
        other.join().unwrap();
        received.extend(queue.rest());
        assert_eq!(received, [1]);
        queue.assert_whole();
    });
}

#[test]
fn a_message_put_back_while_another_looks_in_vain_is_not_forgotten() {
    model(|| {
        let queue = Queue::holding(0, 1, &[1]);
        take_and_put_back(&queue, &receiver(0));
        let other = queue.beside(|queue| take_and_put_back(queue, &receiver(1)));
        let mut received = queue.pop_some(&receiver(2), 1);
        other.join().unwrap();
        received.extend(queue.rest());
        assert_eq!(received, [1]);
        queue.assert_whole();
    });
}

#[test]
fn two_put_back_and_both_messages_are_found() {
    model(|| {
        let queue = Queue::holding(0, 2, &[1, 2]);
        let (mine, theirs) = (receiver(1), receiver(2));
        let claims = [queue.take(&mine).unwrap(), queue.take(&theirs).unwrap()];
        let [first, second] = claims;
        let other =
            queue.beside(move |queue| queue.ring().put_back(theirs.sweeper(), second, true));
        queue.ring().put_back(mine.sweeper(), first, true);
        other.join().unwrap();
        assert_eq!(queue.rest(), [1, 2]);
        queue.assert_whole();
    });
}

#[test]
fn one_of_two_takes_what_was_put_back() {
    model(|| {
        let queue = Queue::holding(0, 1, &[1]);
        take_and_put_back(&queue, &receiver(0));
        let other = queue.beside(|queue| queue.pop_some(&receiver(1), 1));
        let mut received = queue.pop_some(&receiver(2), 1);
        received.extend(other.join().unwrap());
        received.extend(queue.rest());
        assert_eq!(received, [1]);
        queue.assert_whole();
    });
}

#[test]
fn a_handle_that_threads_share_finds_what_either_puts_back() {
    model(|| {
        let queue = Queue::holding(0, 2, &[1, 2]);
        let side = Arc::new(receiver(1));
        let claims = [queue.take(&side).unwrap(), queue.take(&side).unwrap()];
        let [first, second] = claims;
        queue.ring().put_back(side.sweeper(), second, true);
        let theirs = Arc::clone(&side);
        let other = queue.beside(move |queue| queue.ring().put_back(theirs.sweeper(), first, true));
        let mut received = queue.pop_some(&side, 2);
        other.join().unwrap();
        received.extend(queue.pop_some(&side, 2));
        received.sort_unstable();
        assert_eq!(received, [1, 2]);
        queue.assert_whole();
    });
}

#[test]
fn who_takes_again_does_so_after_who_put_back() {
    model(|| {
        let queue = Queue::holding(0, 2, &[1, 2]);
        let side = receiver(1);
        let claims = [queue.take(&side).unwrap(), queue.take(&side).unwrap()];
        let [first, second] = claims;
        // The bit is there already, so it tells nothing of the other.
        queue.ring().put_back(side.sweeper(), second, true);
        let other = queue.beside(move |queue| {
            let side = receiver(2);
            assert_eq!(*queue.ring().value(&first), 1);
            queue.ring().put_back(side.sweeper(), first, true);
        });
        let mut received = queue.pop_some(&receiver(3), 1);
        let sent = queue.push(&sender(3), 3).is_ok();
        other.join().unwrap();
        received.extend(queue.rest());
        received.sort_unstable();
        assert_eq!(received, &[1, 2, 3][..2 + usize::from(sent)]);
        queue.assert_whole();
    });
}

#[test]
fn a_slot_whose_message_comes_again_is_not_filled_before() {
    model(|| {
        let queue = Queue::holding(WRAPPING, 1, &[1]);
        let other = queue.beside(|queue| {
            take_and_put_back(queue, &receiver(1));
            queue.pop_some(&receiver(1), 1)
        });
        let sent = queue.push(&sender(2), 2).is_ok();
        let mut received = other.join().unwrap();
        received.extend(queue.rest());
        assert_eq!(received, &[1, 2][..=usize::from(sent)]);
        queue.assert_whole();
    });
}
