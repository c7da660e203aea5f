//! Hazard: two who claim at once get one slot, or one of them touches a message that is not its own.
//!
//! Checked: each message that was accepted is received once, each producer's in the order sent; nobody meets another in
//! a slot's payload, which loom tracks; and a look that was old when it was acted on is not taken for a corruption.
#![cfg(loom)]

use loom_tests::queue::{Queue, WRAPPING, receiver, sender};
use loom_tests::{crowded, model};
use ringway::parts::mpmc::{Dry, Refusal};

/// Both in some order.
fn sorted(mut values: Vec<u64>) -> Vec<u64> {
    values.sort_unstable();
    values
}

#[test]
fn two_producers_get_a_slot_each() {
    model(|| {
        let queue = Queue::new(2);
        let other = queue.beside(|queue| queue.push(&sender(1), 10));
        assert_eq!(queue.push(&sender(2), 20), Ok(()));
        assert_eq!(other.join().unwrap(), Ok(()));
        assert_eq!(sorted(queue.rest()), [10, 20]);
        queue.assert_whole();
    });
}

#[test]
fn each_producers_messages_keep_their_order() {
    crowded(1, || {
        let queue = Queue::starting_at(WRAPPING, 4);
        let other = queue.beside(|queue| queue.push_each(&sender(1), &[10, 11]));
        assert_eq!(queue.push_each(&sender(2), &[20]), [20]);
        assert_eq!(other.join().unwrap(), [10, 11]);
        let received = queue.rest();
        assert!(
            [[10, 11, 20], [10, 20, 11], [20, 10, 11]].contains(&received[..].try_into().unwrap())
        );
    });
}

#[test]
fn one_of_two_producers_gets_the_last_slot() {
    model(|| {
        let queue = Queue::starting_at(WRAPPING, 1);
        let other = queue.beside(|queue| queue.push(&sender(1), 10));
        let mine = queue.push(&sender(2), 20);
        let results = [other.join().unwrap(), mine];
        let refused = results.iter().filter(|result| result.is_err()).count();
        assert_eq!(refused, 1, "{results:?}");
        assert_eq!(queue.rest(), if mine.is_ok() { [20] } else { [10] });
    });
}

#[test]
fn two_consumers_get_a_message_each() {
    model(|| {
        let queue = Queue::holding(WRAPPING, 2, &[1, 2]);
        let other = queue.beside(|queue| queue.pop(&receiver(1)));
        let mine = queue.pop(&receiver(2));
        let received = vec![other.join().unwrap().unwrap(), mine.unwrap()];
        assert_eq!(sorted(received), [1, 2]);
        queue.assert_whole();
    });
}

#[test]
fn one_of_two_consumers_gets_the_last_message() {
    model(|| {
        let queue = Queue::holding(0, 1, &[1]);
        let other = queue.beside(|queue| queue.pop(&receiver(1)));
        let results = [queue.pop(&receiver(2)), other.join().unwrap()];
        assert!(results.contains(&Ok(1)) && results.contains(&Err(Dry::Empty)), "{results:?}");
        queue.assert_whole();
    });
}

#[test]
fn a_message_is_whole_when_it_is_found() {
    model(|| {
        let queue = Queue::new(2);
        let other = queue.beside(|queue| queue.push_each(&sender(1), &[1, 2]));
        let mut received = queue.pop_some(&receiver(2), 2);
        assert_eq!(other.join().unwrap(), [1, 2]);
        received.extend(queue.rest());
        assert_eq!(received, [1, 2]);
    });
}

#[test]
fn a_slot_is_used_again_when_its_reader_has_left() {
    model(|| {
        let queue = Queue::holding(WRAPPING, 1, &[1]);
        let other = queue.beside(|queue| queue.pop_some(&receiver(1), 2));
        let accepted = queue.push_each(&sender(2), &[2, 3]);
        let mut received = other.join().unwrap();
        received.extend(queue.rest());
        assert_eq!(received, [&[1][..], &accepted].concat());
    });
}

#[test]
fn producers_and_a_consumer_at_once() {
    crowded(1, || {
        let queue = Queue::starting_at(WRAPPING, 2);
        let others = [1, 2]
            .map(|number| queue.beside(move |queue| queue.push(&sender(number), number.into())));
        let mut received = queue.pop_some(&receiver(3), 2);
        for other in others {
            assert_eq!(other.join().unwrap(), Ok(()));
        }
        received.extend(queue.rest());
        assert_eq!(sorted(received), [1, 2]);
        queue.assert_whole();
    });
}

#[test]
fn consumers_and_a_producer_at_once() {
    crowded(1, || {
        let queue = Queue::holding(0, 2, &[1]);
        let others =
            [1, 2].map(|number| queue.beside(move |queue| queue.pop(&receiver(number)).ok()));
        assert_eq!(queue.push(&sender(3), 2), Ok(()));
        let mut received: Vec<u64> =
            others.into_iter().filter_map(|other| other.join().unwrap()).collect();
        received.extend(queue.rest());
        assert_eq!(sorted(received), [1, 2]);
        queue.assert_whole();
    });
}

#[test]
fn a_producer_that_looks_late_takes_nothing_for_a_corruption() {
    crowded(1, || {
        let queue = Queue::new(1);
        let other = queue.beside(|queue| {
            let (producer, consumer) = (sender(1), receiver(1));
            (0..2).for_each(|value| {
                let _ = queue.push(&producer, value);
                let _ = queue.pop(&consumer);
            });
        });
        match queue.ring().reserve(&sender(2), 0) {
            Ok(claim) => queue.ring().fill_with(claim, &9),
            Err(why) => assert!(matches!(why, Refusal::Full | Refusal::Held(_)), "{why:?}"),
        }
        other.join().unwrap();
        queue.rest();
        queue.assert_whole();
    });
}

#[test]
fn a_consumer_that_looks_late_takes_nothing_for_a_corruption() {
    crowded(1, || {
        let queue = Queue::holding(0, 1, &[1]);
        let other = queue.beside(|queue| {
            let (producer, consumer) = (sender(1), receiver(1));
            (0..2).for_each(|value| {
                let _ = queue.pop(&consumer);
                let _ = queue.push(&producer, value);
            });
        });
        match queue.ring().take(&receiver(2)) {
            Ok(claim) => queue.ring().acknowledge(claim),
            Err(why) => assert!(matches!(why, Dry::Empty | Dry::Busy(_)), "{why:?}"),
        }
        other.join().unwrap();
        queue.rest();
        queue.assert_whole();
    });
}
