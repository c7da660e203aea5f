//! Hazard: a thread sleeps at a queue although what it waits for has happened: a claim that was not seen, a commit that
//! comes after the look, a wake-up that went to one who had no use for it.
//!
//! Checked: every wait ends. Nothing but a notification ends a sleep, except where somebody is seen at work; who looks
//! again and again at one who never finishes fails the model too.
#![cfg(loom)]

use loom_tests::queue::{Queue, WRAPPING, receiver, sender};
use loom_tests::{crowded, model};

#[test]
fn a_receiver_asleep_is_woken_by_what_is_sent() {
    model(|| {
        let queue = Queue::new(2);
        let other = queue.beside(|queue| queue.send(1, &sender(1), 1));
        assert_eq!(queue.recv(2, &receiver(2)), Ok(1));
        other.join().unwrap().unwrap();
    });
}

#[test]
fn a_sender_asleep_is_woken_by_what_is_received() {
    model(|| {
        let queue = Queue::holding(WRAPPING, 1, &[1]);
        let other = queue.beside(|queue| queue.recv(1, &receiver(1)));
        assert_eq!(queue.send(2, &sender(2), 2), Ok(()));
        assert_eq!(other.join().unwrap(), Ok(1));
        assert_eq!(queue.rest(), [2]);
    });
}

#[test]
fn both_sides_sleep_and_wake_each_other() {
    crowded(1, || {
        let queue = Queue::new(1);
        let other = queue.beside(|queue| {
            let side = sender(1);
            [1, 2].map(|value| queue.send(1, &side, value))
        });
        let side = receiver(2);
        assert_eq!([(); 2].map(|()| queue.recv(2, &side)), [Ok(1), Ok(2)]);
        assert_eq!(other.join().unwrap(), [Ok(()); 2]);
    });
}

#[test]
fn a_receiver_that_takes_one_of_two_messages_wakes_another() {
    crowded(2, || {
        let queue = Queue::new(2);
        let other = queue.beside(|queue| queue.recv(1, &receiver(1)).unwrap());
        let giver = queue.beside(|queue| {
            assert_eq!(queue.ring().push_slice(&sender(3), &[1, 2]), Ok(2));
            // The other wake-up went to somebody who was killed.
            queue.tell_receivers(1);
        });
        let received = queue.recv(2, &receiver(2)).unwrap();
        assert_eq!(received + other.join().unwrap(), 3);
        giver.join().unwrap();
    });
}

#[test]
fn a_sender_that_fills_one_of_two_slots_wakes_another() {
    crowded(2, || {
        let queue = Queue::holding(0, 2, &[1, 2]);
        let other = queue.beside(|queue| queue.send(1, &sender(1), 9));
        let taker = queue.beside(|queue| {
            let mut buffer = [0; 2];
            assert_eq!(queue.ring().pop_slice(&receiver(3), &mut buffer), Ok(2));
            // As above.
            queue.tell_senders(1);
        });
        assert_eq!(queue.send(2, &sender(2), 9), Ok(()));
        assert_eq!(other.join().unwrap(), Ok(()));
        taker.join().unwrap();
        assert_eq!(queue.rest(), [9, 9]);
    });
}

#[test]
fn a_receiver_waits_for_one_who_is_writing() {
    model(|| {
        let queue = Queue::new(1);
        let claim = queue.ring().reserve(&sender(1), 0).unwrap();
        let other = queue.beside(move |queue| {
            queue.ring().fill_with(claim, &1);
            queue.tell_receivers(1);
        });
        assert_eq!(queue.recv(2, &receiver(2)), Ok(1));
        other.join().unwrap();
    });
}

#[test]
fn what_lies_behind_a_reservation_comes_once_that_is_given_up() {
    model(|| {
        let queue = Queue::new(2);
        let claim = queue.ring().reserve(&sender(1), 0).unwrap();
        queue.push(&sender(1), 1).unwrap();
        let other = queue.beside(move |queue| queue.abort(claim));
        assert_eq!(queue.recv(2, &receiver(2)), Ok(1));
        other.join().unwrap();
    });
}

#[test]
fn a_sender_asleep_gets_the_slot_of_a_reservation_that_was_given_up() {
    crowded(1, || {
        let queue = Queue::new(1);
        queue.ring().abort(queue.ring().reserve(&sender(0), 0).unwrap());
        let other = queue.beside(|queue| queue.send(1, &sender(1), 1));
        assert_eq!(queue.recv(2, &receiver(2)), Ok(1));
        other.join().unwrap().unwrap();
    });
}

#[test]
fn a_receiver_asleep_gets_what_another_puts_back() {
    model(|| {
        let queue = Queue::holding(0, 1, &[1]);
        let side = receiver(1);
        let claim = queue.take(&side).unwrap();
        let other = queue.beside(move |queue| queue.put_back(&side, claim));
        assert_eq!(queue.recv(2, &receiver(2)), Ok(1));
        other.join().unwrap();
    });
}

#[test]
fn a_receiver_that_takes_and_puts_back_leaves_nobody_asleep() {
    crowded(2, || {
        let queue = Queue::new(1);
        let other = queue.beside(|queue| queue.recv(2, &receiver(2)));
        let giver = queue.beside(|queue| queue.send(3, &sender(3), 1));
        let side = receiver(1);
        if let Ok(claim) = queue.take(&side) {
            queue.put_back(&side, claim);
        }
        giver.join().unwrap().unwrap();
        assert_eq!(other.join().unwrap(), Ok(1));
    });
}
