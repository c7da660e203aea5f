//! What becomes of a message that was received: acknowledged, put back, or dropped by the queue's policy.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use ringway::queue::{Delivery, DeliveryPolicy, Queue, Receiver, Sender};
use ringway::{RecvTimeoutError, SendTimeoutError, TryRecvError, TrySendError, Wait};

use crate::util::view::{READING, REDELIVER, VACANT, View};
use crate::util::{LONG, NO_RECHECK, Name, PROMPT, Random, eventually};

const SHORT: Duration = Duration::from_millis(20);

fn both(capacity: usize, policy: DeliveryPolicy) -> (Queue<u64>, Sender<u64>, Receiver<u64>) {
    let options = Queue::<u64>::options().capacity(capacity).delivery(policy);
    let queue = options.unnamed().unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    (queue, sender, receiver)
}

fn at_least_once(capacity: usize) -> (Queue<u64>, Sender<u64>, Receiver<u64>) {
    both(capacity, DeliveryPolicy::AtLeastOnce)
}

/// What a delivery says of itself.
fn facts(delivery: &Delivery<u64>) -> (u64, bool, u32) {
    (**delivery, delivery.redelivered(), delivery.deliveries())
}

#[test]
fn an_acknowledged_message_is_gone_and_its_slot_free() {
    for policy in [DeliveryPolicy::AtLeastOnce, DeliveryPolicy::AtMostOnce] {
        let (_queue, sender, receiver) = both(1, policy);
        for n in 0..50 {
            sender.try_send(n).unwrap();
            let delivery = receiver.recv_guard().unwrap();
            assert_eq!(facts(&delivery), (n, false, 1));
            assert_eq!(sender.try_send(9), Err(TrySendError::Full(9)));
            assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
            delivery.ack();
        }
    }
}

#[test]
fn a_dropped_delivery_comes_again_flagged_and_counted_up_to_16() {
    let (_queue, sender, receiver) = at_least_once(4);
    sender.send_batch(&[1, 2]).unwrap();
    for deliveries in 1..40 {
        let delivery = receiver.recv_guard().unwrap();
        assert_eq!(facts(&delivery), (1, deliveries > 1, deliveries.min(16)));
    }
    assert_eq!((receiver.recv(), receiver.recv()), (Ok(1), Ok(2)), "and then by value");
    sender.send(3).unwrap();
    assert_eq!(facts(&receiver.recv_guard().unwrap()), (3, false, 1), "the count is the message's");
}

#[test]
fn a_delivery_that_a_panic_drops_comes_again() {
    let (queue, sender, receiver) = at_least_once(2);
    sender.send(7).unwrap();
    let handler = || {
        let delivery = receiver.recv_guard().unwrap();
        assert_ne!(*delivery, 7, "on purpose");
        delivery.ack();
    };
    assert!(catch_unwind(AssertUnwindSafe(handler)).is_err());
    let delivery = queue.receiver().recv_guard().unwrap();
    assert_eq!(facts(&delivery), (7, true, 2));
    delivery.ack();
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
}

#[test]
fn at_most_once_a_dropped_delivery_is_gone() {
    let (_queue, sender, receiver) = both(2, DeliveryPolicy::AtMostOnce);
    for n in 0..20 {
        sender.try_send(n).unwrap();
        sender.try_send(n + 100).unwrap();
        drop(receiver.recv_guard().unwrap());
        let handler = || {
            let delivery = receiver.recv_guard().unwrap();
            assert_ne!(*delivery, n + 100, "on purpose");
            drop(delivery);
        };
        assert!(catch_unwind(AssertUnwindSafe(handler)).is_err());
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    }
}

#[test]
fn what_was_put_back_comes_before_what_is_new_and_in_the_first_order() {
    let mut random = Random(3);
    for round in 0..200 {
        let (queue, sender, first) = at_least_once(8);
        let second = if round % 2 == 0 { queue.receiver() } else { first.clone() };
        sender.send_batch(&[0, 1, 2, 3, 4, 5]).unwrap();
        let mut held: Vec<_> = (0..4)
            .map(|n| if n % 2 == 0 { &first } else { &second }.recv_guard().unwrap())
            .collect();
        let acknowledged = held.swap_remove(random.below(4));
        let gone = *acknowledged;
        acknowledged.ack();
        while !held.is_empty() {
            drop(held.swap_remove(random.below(held.len())));
        }
        sender.send(6).unwrap();
        let expected: Vec<u64> = (0..7).filter(|n| *n != gone).collect();
        assert_eq!(second.try_iter().collect::<Vec<_>>(), expected);
    }
}

#[test]
fn a_batch_takes_what_comes_again_one_by_one_and_never_out_of_order() {
    let (_queue, sender, receiver) = at_least_once(8);
    sender.send_batch(&[0, 1, 2, 3, 4]).unwrap();
    let held: Vec<_> = (0..2).map(|_| receiver.recv_guard().unwrap()).collect();
    drop(held);
    let (mut buffer, mut taken) = ([0; 8], Vec::new());
    while let Ok(count) = receiver.try_recv_batch(&mut buffer) {
        taken.extend_from_slice(&buffer[..count]);
    }
    assert_eq!(taken, [0, 1, 2, 3, 4]);
}

#[test]
fn a_held_message_fills_the_queue_a_lap_later_and_keeps_nobody_from_the_others() {
    let (queue, sender, receiver) = at_least_once(4);
    sender.send_batch(&[0, 1, 2]).unwrap();
    let held = receiver.recv_guard().unwrap();
    let other = queue.receiver();
    assert_eq!((other.recv(), other.recv()), (Ok(1), Ok(2)));
    sender.try_send(3).unwrap();
    assert_eq!(other.try_recv(), Ok(3));
    assert_eq!(sender.try_send(4), Err(TrySendError::Full(4)), "its slot is the next");
    assert_eq!(sender.try_send_batch(&[4]), Err(TrySendError::Full(())));
    assert_eq!(sender.send_timeout(4, SHORT), Err(SendTimeoutError::Timeout(4)));
    assert!(queue.is_empty() && !queue.is_full(), "what is held is not counted");
    assert_eq!(other.try_recv(), Err(TryRecvError::Empty));
    held.ack();
    assert_eq!(sender.try_send_batch(&[4, 5, 6, 7, 8]), Ok(4));
    assert_eq!(other.try_iter().collect::<Vec<_>>(), [4, 5, 6, 7]);
}

#[test]
fn a_sender_that_waits_for_a_held_slot_wakes_when_it_is_acknowledged_or_dropped() {
    use DeliveryPolicy::{AtLeastOnce, AtMostOnce};
    for (policy, acknowledge) in [(AtLeastOnce, true), (AtMostOnce, true), (AtMostOnce, false)] {
        let name = Name::new("held");
        let options = Queue::<u64>::options().capacity(1).wait(Wait::Park).recheck(NO_RECHECK);
        let queue = options.delivery(policy).create(&name).unwrap();
        let (sender, receiver, view) = (queue.sender(), queue.receiver(), View::open(name.path()));
        sender.send(1).unwrap();
        let held = receiver.recv_guard().unwrap();
        std::thread::scope(|scope| {
            let blocked = scope.spawn(|| sender.send_timeout(2, LONG));
            assert!(eventually(LONG, || view.producer_waits(0)));
            if acknowledge {
                held.ack();
            } else {
                drop(held);
            }
            assert!(eventually(PROMPT, || blocked.is_finished()), "the sender sleeps on");
            assert_eq!(blocked.join().unwrap(), Ok(()));
        });
    }
}

#[test]
fn a_receiver_that_waits_wakes_when_another_puts_a_message_back() {
    for bytes in [false, true] {
        let name = Name::new("back");
        let options = Queue::<[u8]>::options().wait(Wait::Park).recheck(NO_RECHECK);
        let queue = options.create(&name).unwrap();
        let (sender, receiver) = (queue.sender(), queue.receiver());
        let view = View::open(name.path());
        sender.send(b"again").unwrap();
        let held = receiver.recv_guard().unwrap();
        let other = options.open(&name).unwrap().receiver();
        std::thread::scope(|scope| {
            let blocked = scope.spawn(|| other.recv_timeout(LONG));
            assert!(eventually(LONG, || view.consumer_waits(0)));
            drop(held);
            if bytes {
                // Whoever is first finds it; too short a buffer passes it on.
                let _ = receiver.try_recv_into(&mut [0; 2]);
            }
            assert!(eventually(PROMPT, || blocked.is_finished()), "the receiver sleeps on");
            assert_eq!(blocked.join().unwrap().unwrap(), b"again");
        });
    }
}

#[test]
fn a_delivery_may_be_acknowledged_or_dropped_by_another_thread() {
    let (_queue, sender, receiver) = at_least_once(2);
    sender.send_batch(&[1, 2]).unwrap();
    let (one, two) = (receiver.recv_guard().unwrap(), receiver.recv_guard().unwrap());
    let threads = [std::thread::spawn(move || one.ack()), std::thread::spawn(move || drop(two))];
    for thread in threads {
        thread.join().unwrap();
    }
    let again = receiver.recv_guard().unwrap();
    assert_eq!(facts(&again), (2, true, 2));
    again.ack();
    assert_eq!(sender.try_send_batch(&[3, 4, 5]), Ok(2));
}

#[test]
fn a_delivery_outlives_its_receiver_and_queue_and_still_puts_back() {
    for acknowledge in [true, false] {
        let name = Name::new("outlives");
        let queue = Queue::<u64>::options().capacity(2).create(&name).unwrap();
        queue.sender().send(5).unwrap();
        let held = queue.receiver().recv_guard().unwrap();
        drop(queue);
        let view = View::open(name.path());
        assert_eq!((*held, view.state(0)), (5, READING));
        let queue = Queue::<u64>::options().open(&name).unwrap();
        assert_eq!(queue.receiver().try_recv(), Err(TryRecvError::Disconnected), "all is taken");
        if acknowledge {
            held.ack();
            assert_eq!(view.state(0), VACANT);
        } else {
            drop(held);
            assert_eq!(view.state(0), REDELIVER);
            let again = queue.receiver().recv_guard().unwrap();
            assert_eq!(facts(&again), (5, true, 2));
        }
    }
}

#[test]
fn a_receiver_that_waits_is_not_kept_by_a_message_that_another_holds() {
    let (queue, sender, receiver) = at_least_once(4);
    sender.send_batch(&[1, 2]).unwrap();
    let held = receiver.recv_guard().unwrap();
    let other = queue.receiver();
    assert_eq!(other.recv_timeout(SHORT), Ok(2));
    assert_eq!(other.recv_timeout(SHORT), Err(RecvTimeoutError::Timeout));
    drop(held);
    assert_eq!(other.recv_timeout(SHORT), Ok(1));
}

#[test]
fn many_threads_that_drop_some_of_what_they_receive_get_each_message_acknowledged_once() {
    let (_queue, sender, receiver) = at_least_once(4);
    let count = 20_000u64;
    let sums: Vec<(u64, u64)> = std::thread::scope(|scope| {
        let work = |seed| {
            let receiver = receiver.clone();
            let mut random = Random(seed);
            move || {
                let (mut taken, mut sum) = (0, 0);
                while let Ok(delivery) = receiver.recv_guard() {
                    if random.below(4) > 0 {
                        (taken, sum) = (taken + 1, sum + *delivery);
                        delivery.ack();
                    }
                }
                (taken, sum)
            }
        };
        let workers = [1, 2, 3].map(|seed| scope.spawn(work(seed)));
        let sent = (0..count).try_for_each(|n| sender.send_timeout(n, LONG));
        let emptied = eventually(LONG, || sender.is_empty());
        sender.close();
        assert_eq!((sent, emptied), (Ok(()), true));
        workers.map(|worker| worker.join().unwrap()).to_vec()
    });
    let rest: Vec<u64> = receiver.try_iter().collect();
    let (taken, sum) = sums.iter().fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
    assert_eq!(taken + rest.len() as u64, count);
    assert_eq!(sum + rest.iter().sum::<u64>(), count * (count - 1) / 2);
}

#[test]
fn a_forgotten_delivery_is_no_receiver_but_a_forgotten_grant_is_a_sender() {
    let queue = Queue::<u64>::options().capacity(4).unnamed().unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    sender.send_batch(&[1, 2]).unwrap();
    std::mem::forget(receiver.recv_guard().unwrap());
    assert_eq!(queue.members().unwrap()[0].receivers(), 1);
    drop(receiver);
    assert_eq!(sender.try_send(3), Err(TrySendError::Disconnected(3)), "nobody receives any more");
    let receiver = queue.receiver();
    assert_eq!(receiver.recv(), Ok(2));
    std::mem::forget(sender.reserve().unwrap());
    drop(sender);
    let us = queue.members().unwrap()[0];
    assert_eq!((us.senders(), us.receivers(), us.claims()), (1, 1, 2));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Busy(us.id())), "it might be committed yet");
}
