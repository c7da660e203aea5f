//! Hazard: a block is lost with the member that dies at some step with it, or is freed although its message lives.
//!
//! Checked, for a victim that dies before each of its accesses to shared memory: what was sent before is received once, or
//! again if it was in the victim's hands; what it was sending comes whole or not at all; and each block is free in the end, and
//! has no memory if it is a hole.
#![cfg(loom)]

use std::sync::Arc;

use loom_tests::crash::{Death, at_each_access};
use loom_tests::queue::{receiver, sender};
use loom_tests::slab::LongQueue;
use ringway::parts::reap::DeliveryPolicy::{AtLeastOnce, AtMostOnce};

#[test]
fn who_sends_beside_one_who_receives() {
    at_each_access(0, |death| {
        let (queue, fate) = (LongQueue::new(2, 1), death.clone());
        let victim = queue.beside(move |queue| fate.within(|| queue.send(1, &sender(1), 1)));
        let mut received = queue.recv_some(0, &receiver(2), 1);
        let lived = victim.join().unwrap();
        queue.reap(1, AtLeastOnce);
        received.extend(queue.rest()[0].clone());
        assert!(received == [1] || received.is_empty() && lived.is_none(), "{received:?}");
    });
}

#[test]
fn who_gives_up_beside_one_who_sends() {
    at_each_access(0, |death| {
        let (queue, fate) = (LongQueue::new(2, 1), death.clone());
        let victim = queue.beside(move |queue| fate.within(|| queue.give_up(1, &sender(1))));
        let sent = queue.send(2, &sender(2), 2);
        victim.join().unwrap();
        queue.reap(1, AtLeastOnce);
        assert_eq!(queue.rest()[0], [2][..usize::from(sent)]);
    });
}

#[test]
fn who_receives_beside_one_who_sends() {
    at_each_access(0, |death| {
        let (queue, fate) = (LongQueue::new(2, 1), death.clone());
        assert!(queue.send(2, &sender(2), 1));
        let victim = queue.beside(move |queue| fate.within(|| queue.recv_some(0, &receiver(1), 1)));
        let sent = queue.send(2, &sender(2), 2);
        let lived = victim.join().unwrap();
        queue.reap(1, AtLeastOnce);
        let rest = queue.rest()[0].clone();
        let (first, second) = (rest.contains(&1), rest.contains(&2));
        assert!(second == sent && !(first && lived == Some(vec![1])), "{rest:?}");
        assert!(rest.len() == usize::from(first) + usize::from(second));
    });
}

/// Of what is sent beside a victim that receives what may come only once, and is reaped, none is lost.
fn loses_nothing_of_others(queue: &Arc<LongQueue>, fate: Death) {
    assert!(queue.send(2, &sender(2), 1));
    let victim = queue.beside(move |queue| fate.within(|| queue.recv_some(0, &receiver(1), 1)));
    let sent = queue.send(2, &sender(2), 2);
    victim.join().unwrap();
    queue.reap(1, AtMostOnce);
    assert_eq!(queue.rest()[0].contains(&2), sent);
}

#[test]
fn who_receives_what_may_come_only_once() {
    at_each_access(0, |death| loses_nothing_of_others(&LongQueue::new(2, 1), death.clone()));
}

#[test]
fn who_sends_in_a_hole_and_one_who_receives() {
    at_each_access(0, |death| {
        let (queue, fate) = (LongQueue::with_a_hole(2), death.clone());
        let victim = queue.beside(move |queue| fate.within(|| queue.send(1, &sender(1), 1)));
        let mut received = queue.recv_some(0, &receiver(2), 1);
        let lived = victim.join().unwrap();
        queue.reap(1, AtLeastOnce);
        received.extend(queue.rest()[0].clone());
        assert!(received == [1] || received.is_empty() && lived.is_none(), "{received:?}");
        assert!(!queue.has_memory());
    });
}

#[test]
fn who_receives_from_a_hole_beside_one_who_sends() {
    at_each_access(0, |death| {
        let queue = LongQueue::with_a_hole(2);
        loses_nothing_of_others(&queue, death.clone());
        assert!(!queue.has_memory());
    });
}

#[test]
fn who_moves_a_message_beside_one_who_receives_it() {
    at_each_access(1, |death| {
        let (queue, fate) = (LongQueue::new(2, 1), death.clone());
        assert!(queue.send(2, &sender(2), 1));
        queue.put_back(&receiver(3));
        let victim = queue.beside(move |queue| fate.within(|| queue.move_on(1)));
        let mut dead = queue.recv_some(1, &receiver(2), 1);
        let moved = victim.join().unwrap();
        queue.reap(1, AtLeastOnce);
        let [left, rest] = queue.rest();
        dead.extend(rest);
        // Once, in one of the two.
        assert!(
            left == [1] && dead.is_empty() && moved.is_none() || left.is_empty() && dead == [1]
        );
    });
}

#[test]
fn who_reaps_beside_another_who_reaps_and_one_who_sends() {
    at_each_access(1, |death| {
        let (queue, fate) = (LongQueue::new(2, 1), death.clone());
        assert!(queue.send(1, &sender(1), 1));
        assert_eq!(queue.recv_some(0, &receiver(1), 1), [1]);
        // Member 1 died with a block that it owned.
        queue.with(|_, slab| {
            slab.allocate(ringway_member(1), 8, &ringway::parts::slab::Found::default())
        });
        let victim = queue.beside(move |queue| fate.within(|| queue.reap(1, AtLeastOnce)));
        queue.reap(1, AtLeastOnce);
        let sent = queue.send(2, &sender(2), 2);
        victim.join().unwrap();
        queue.reap(3, AtLeastOnce);
        assert!(sent);
        assert_eq!(queue.rest()[0], [2]);
    });
}

fn ringway_member(number: u16) -> ringway::MemberId {
    loom_tests::queue::named(number)
}
