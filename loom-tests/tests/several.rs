//! Hazard: a thread that sleeps at several places misses what happens at one of them, or swallows a wake-up at one that it
//! does not leave by, while another sleeps there.
//!
//! Checked: every wait ends. No model has a time-out, so a wake-up that is lost is a deadlock.
#![cfg(loom)]

use std::sync::Arc;

use loom_tests::queue::{Queue, receiver, sender};
use loom_tests::{Channel, Tokens, crowded, model};
use ringway::parts::mpmc::Glimpse;
use ringway::parts::spsc::Dry;

fn pair() -> (Arc<Tokens>, Arc<Tokens>) {
    (Tokens::new(), Tokens::new())
}

#[test]
fn what_happens_at_either_place_wakes_who_waits_at_both() {
    for place in 0..2 {
        model(move || {
            let (first, second) = pair();
            let theirs = [Arc::clone(&first), Arc::clone(&second)];
            let giver = loom::thread::spawn(move || theirs[place].add());
            assert_eq!(Tokens::look_at_both([&first, &second], 0), place);
            giver.join().unwrap();
        });
    }
}

#[test]
fn of_two_wake_ups_at_once_neither_is_lost() {
    crowded(1, || {
        let (first, second) = pair();
        let theirs = [Arc::clone(&first), Arc::clone(&second)];
        // The sleeper may be woken at the first place and again at the second before it has left.
        let giver = loom::thread::spawn(move || theirs.iter().for_each(|place| place.add()));
        let other = second.beside(|second| second.take(1));
        // The token of the second place is for who sleeps there.
        Tokens::look_at_both([&first, &second], 0);
        other.join().unwrap();
        giver.join().unwrap();
    });
}

#[test]
fn who_only_looked_wakes_another_at_the_place_that_it_goes_by() {
    crowded(1, || {
        let (first, second) = pair();
        let giver = first.beside(Tokens::add);
        let other = first.beside(|first| first.take(1));
        // It may find nothing if the other was faster: then something comes by the second place.
        second.add();
        Tokens::look_at_both([&first, &second], 0);
        other.join().unwrap();
        giver.join().unwrap();
    });
}

/// What comes to both places is shared by a thread of the first member and one of `member`.
fn share_what_comes_to_both(member: usize) {
    crowded(1, move || {
        let (first, second) = pair();
        let theirs = (Arc::clone(&first), Arc::clone(&second));
        let other =
            loom::thread::spawn(move || Tokens::take_at_either([&theirs.0, &theirs.1], member));
        let theirs = [Arc::clone(&first), Arc::clone(&second)];
        let giver = loom::thread::spawn(move || theirs.iter().for_each(|place| place.add()));
        let mine = Tokens::take_at_either([&first, &second], 0);
        assert_eq!(mine + other.join().unwrap(), 1);
        giver.join().unwrap();
    });
}

#[test]
fn two_who_wait_at_both_share_what_comes_to_both() {
    share_what_comes_to_both(1);
}

#[test]
fn two_threads_of_one_member_each_wait_at_both() {
    share_what_comes_to_both(0);
}

#[test]
fn the_same_place_twice_is_waited_at_as_once() {
    model(|| {
        let tokens = Tokens::new();
        let giver = tokens.beside(Tokens::add);
        // Either: the token may come between the looks at the two.
        Tokens::look_at_both([&tokens, &tokens], 0);
        giver.join().unwrap();
    });
}

#[test]
fn a_change_that_happens_once_wakes_who_waits_at_both_and_who_waits_there() {
    crowded(1, || {
        let (first, second) = pair();
        let other = second.beside(|second| second.watch(1));
        let giver = second.beside(Tokens::flood);
        assert_eq!(Tokens::look_at_both([&first, &second], 0), 1);
        other.join().unwrap();
        giver.join().unwrap();
    });
}

#[test]
fn a_message_of_a_ring_between_two_is_seen_by_who_waits_at_two() {
    model(|| {
        let (one, other) = (Channel::new(1), Channel::new(1));
        let mut theirs = other.producer();
        let sender = other.beside(move |other| other.send(&mut theirs, 7).unwrap());
        assert_eq!(Channel::select([&one, &other]), 1);
        assert_eq!(other.recv(&mut other.consumer()), Ok(7));
        sender.join().unwrap();
    });
}

#[test]
fn closing_a_ring_between_two_is_seen_by_who_waits_at_two() {
    model(|| {
        let (one, other) = (Channel::new(1), Channel::new(1));
        let closer = one.beside(Channel::close);
        assert_eq!(Channel::select([&one, &other]), 0);
        assert_eq!(one.recv(&mut one.consumer()), Err(Dry::Drained));
        closer.join().unwrap();
    });
}

#[test]
fn a_message_of_a_queue_is_seen_by_who_waits_at_two() {
    model(|| {
        let (one, other) = (Queue::new(1), Queue::new(1));
        let giver = other.beside(|queue| queue.send(1, &sender(1), 7).unwrap());
        assert_eq!(Queue::select([&one, &other], 2), 1);
        assert_eq!(other.pop(&receiver(2)), Ok(7));
        giver.join().unwrap();
    });
}

#[test]
fn what_is_put_back_into_a_queue_is_seen_by_who_waits_at_two() {
    model(|| {
        let (one, other) = (Queue::new(1), Queue::holding(0, 1, &[7]));
        let side = receiver(1);
        let claim = other.take(&side).unwrap();
        let giver = other.beside(move |queue| queue.put_back(&side, claim));
        assert_eq!(Queue::select([&one, &other], 2), 1);
        assert_eq!(other.pop(&receiver(2)), Ok(7));
        giver.join().unwrap();
    });
}

#[test]
fn what_is_behind_a_reservation_of_a_queue_is_seen_once_that_is_given_up() {
    model(|| {
        let (one, other) = (Queue::new(1), Queue::new(2));
        let claim = other.ring().reserve(&sender(1), 0).unwrap();
        other.push(&sender(1), 7).unwrap();
        let giver = other.beside(move |queue| queue.abort(claim));
        assert_eq!(Queue::select([&one, &other], 2), 1);
        assert_eq!(other.pop_some(&receiver(2), 1), [7]);
        giver.join().unwrap();
    });
}

#[test]
fn closing_a_queue_is_seen_by_who_waits_at_two() {
    model(|| {
        let (one, other) = (Queue::new(1), Queue::new(1));
        let closer = other.beside(Queue::close);
        assert_eq!(Queue::select([&one, &other], 2), 1);
        closer.join().unwrap();
        assert_eq!(other.ring().glimpse(), Glimpse::Something);
    });
}
