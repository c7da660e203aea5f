//! Hazard: a thread sleeps on because the one that was to wake it was killed, or because the wake-up went to one that was
//! killed.
//!
//! Checked: with a waker that dies before each of its accesses, between its change and its wake-up too, and with a waiter
//! that dies as it enrols, as it falls asleep and as it wakes, nobody sleeps on once the dead was buried, and no bit of
//! the dead is left. *Before* that a survivor may sleep, for a recheck interval at most, which no model has: what is
//! claimed is that the burial, which is what a recheck comes to, is enough.
#![cfg(loom)]

use loom_tests::Tokens;
use loom_tests::crash::at_each_access;
use loom_tests::queue::{Queue, receiver, sender};
use ringway::parts::mpmc::Dry;

#[test]
fn a_sender_that_dies_leaves_no_receiver_asleep() {
    at_each_access(2, |death| {
        let (queue, fate) = (Queue::new(1), death.clone());
        let victim = queue.beside(move |queue| {
            fate.within(|| queue.send(1, &sender(1), 10).unwrap());
        });
        let other = queue.beside(move |queue| {
            victim.join().unwrap();
            // Nobody else sends. Whoever sleeps is woken by the burial alone.
            queue.ring().close();
            queue.bury(1);
        });
        let received = queue.recv(0, &receiver(0));
        assert!(matches!(received, Ok(10) | Err(Dry::Drained)), "{received:?}");
        other.join().unwrap();
        assert!(!queue.anybody_waits());
    });
}

#[test]
fn a_receiver_that_dies_leaves_no_sender_asleep() {
    at_each_access(2, |death| {
        let (queue, fate) = (Queue::holding(0, 1, &[1]), death.clone());
        let victim = queue.beside(move |queue| {
            fate.within(|| queue.recv(1, &receiver(1)).unwrap());
        });
        let other = queue.beside(move |queue| {
            victim.join().unwrap();
            queue.bury(1);
            // Where the dead had not acknowledged it, somebody must receive it, and tells of that only.
            if !queue.pop_some(&receiver(2), 1).is_empty() {
                queue.tell_senders(1);
            }
        });
        assert_eq!(queue.send(0, &sender(0), 20), Ok(()));
        other.join().unwrap();
        let rest = queue.rest();
        assert!(rest.is_empty() || rest == [20], "{rest:?}");
        assert!(!queue.anybody_waits());
    });
}

#[test]
fn one_who_gives_up_and_dies_leaves_no_receiver_asleep() {
    at_each_access(2, |death| {
        let (queue, fate) = (Queue::new(2), death.clone());
        let claim = queue.ring().reserve(&sender(1), 0).unwrap();
        queue.push(&sender(3), 30).unwrap();
        let victim = queue.beside(move |queue| fate.within(|| queue.abort(claim)));
        let other = queue.beside(move |queue| {
            victim.join().unwrap();
            queue.bury(1);
        });
        assert_eq!(queue.recv(0, &receiver(0)), Ok(30));
        other.join().unwrap();
        assert!(!queue.anybody_waits());
    });
}

#[test]
fn one_who_puts_back_and_dies_leaves_no_receiver_asleep() {
    at_each_access(2, |death| {
        let (queue, fate) = (Queue::holding(0, 2, &[1]), death.clone());
        let side = receiver(1);
        let claim = queue.take(&side).unwrap();
        let victim = queue.beside(move |queue| fate.within(|| queue.put_back(&side, claim)));
        let other = queue.beside(move |queue| {
            victim.join().unwrap();
            queue.bury(1);
        });
        assert_eq!(queue.recv(0, &receiver(0)), Ok(1));
        other.join().unwrap();
        assert!(!queue.anybody_waits());
    });
}

#[test]
fn a_closer_that_dies_leaves_nobody_asleep_who_is_woken() {
    at_each_access(1, |death| {
        let (queue, fate) = (Queue::new(1), death.clone());
        let victim = queue.beside(move |queue| fate.within(|| queue.close()));
        let other = queue.beside(move |queue| {
            let closed = victim.join().unwrap().is_some();
            // What it had not begun it has not done: then somebody else closes, and tells nobody.
            if !closed {
                queue.ring().close();
            }
            queue.bury(1);
        });
        assert_eq!(queue.recv(0, &receiver(0)), Err(Dry::Drained));
        other.join().unwrap();
    });
}

/// Two wait for one token, and whoever gets it hands one on. One of them dies as it waits, and the wake-up may be its.
#[test]
fn a_wake_up_that_the_dead_took_along_is_made_good() {
    at_each_access(1, |death| {
        let (tokens, fate) = (Tokens::new(), death.clone());
        let victim = tokens.beside(move |tokens| {
            if fate.within(|| tokens.take(0)).is_some() {
                tokens.add();
            }
        });
        let other = tokens.beside(move |tokens| {
            tokens.add();
            victim.join().unwrap();
            tokens.bury_first();
        });
        tokens.take(1);
        tokens.add();
        other.join().unwrap();
        assert!(!tokens.anybody_waits());
    });
}
