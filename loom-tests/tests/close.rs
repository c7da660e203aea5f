//! Hazard: a message is accepted and never delivered, or refused and delivered, because somebody closed.
//!
//! Checked: whoever closes, and however the close meets sends and takes, the values that the producer was
//! told are accepted are exactly those that the consumer takes before the ring is drained; afterwards
//! nothing is accepted and nothing comes.
#![cfg(loom)]

use std::rc::Rc;
use std::sync::Arc;

use loom::cell::UnsafeCell;
use loom::sync::atomic::Ordering::Release;
use loom::thread::JoinHandle;
use loom_tests::{Channel, HIGH, model};
use ringway::parts::CLOSING;
use ringway::parts::spsc::{ConsumerSide, Dry, Refusal};

/// What comes until the ring is drained; being empty instead would be a close that was forgotten.
fn drain(channel: &Channel, side: &mut ConsumerSide) -> Vec<u64> {
    let received = channel.pop_some(side, 4);
    assert_eq!(side.pop(&channel.ring()), Err(Dry::Drained));
    received
}

/// A producer that offers `values`, and after the end is told that the ring is closed.
fn sender(channel: &Arc<Channel>, values: &'static [u64]) -> JoinHandle<Vec<u64>> {
    let mut side = channel.producer();
    channel.beside(move |channel| channel.push_each(&mut side, values))
}

/// Nothing is accepted any more, and nothing comes.
fn assert_is_over(channel: &Channel, consumer: &mut ConsumerSide) {
    let mut producer = channel.producer();
    assert_eq!(producer.push(&channel.ring(), &99), Err(Refusal::Closed));
    assert_eq!(producer.push(&channel.ring(), &99), Err(Refusal::Closed));
    assert_eq!(consumer.pop(&channel.ring()), Err(Dry::Drained));
}

#[test]
fn a_consumer_that_closes_takes_all_that_was_accepted() {
    model(|| {
        let channel = Channel::new(2);
        let sender = sender(&channel, &[1, 2]);
        let mut side = channel.consumer();
        let mut received = channel.pop_some(&mut side, 1);
        channel.close();
        received.extend(drain(&channel, &mut side));
        assert_eq!(received, sender.join().unwrap());
        assert_is_over(&channel, &mut side);
    });
}

#[test]
fn a_consumer_that_closes_a_small_old_ring_takes_all_that_was_accepted() {
    model(|| {
        let channel = Channel::starting_at(HIGH, 1);
        let sender = sender(&channel, &[1, 2, 3]);
        let mut side = channel.consumer();
        let mut received = channel.pop_some(&mut side, 2);
        channel.close();
        received.extend(drain(&channel, &mut side));
        assert_eq!(received, sender.join().unwrap());
        assert_is_over(&channel, &mut side);
    });
}

#[test]
fn a_producer_that_closes_has_all_delivered_that_it_sent() {
    model(|| {
        let channel = Channel::new(2);
        let (mut producer, mut consumer) = (channel.producer(), channel.consumer());
        let taker = channel.beside(move |channel| {
            let received = channel.pop_some(&mut consumer, 2);
            (received, consumer)
        });
        assert_eq!(channel.push_each(&mut producer, &[1, 2]), [1, 2]);
        channel.close();
        assert_eq!(producer.push(&channel.ring(), &3), Err(Refusal::Closed));
        let (mut received, mut consumer) = taker.join().unwrap();
        received.extend(drain(&channel, &mut consumer));
        assert_eq!(received, [1, 2]);
        assert_is_over(&channel, &mut consumer);
    });
}

#[test]
fn a_bystander_that_closes_settles_what_was_accepted() {
    model(|| {
        let channel = Channel::new(2);
        let sender = sender(&channel, &[1, 2]);
        let closer = channel.beside(Channel::close);
        let mut side = channel.consumer();
        let mut received = channel.pop_some(&mut side, 2);
        let accepted = sender.join().unwrap();
        closer.join().unwrap();
        received.extend(drain(&channel, &mut side));
        assert_eq!(received, accepted);
        assert_is_over(&channel, &mut side);
    });
}

#[test]
fn both_sides_may_close_at_once() {
    model(|| {
        let channel = Channel::new(2);
        let mut side = channel.producer();
        let sender = channel.beside(move |channel| {
            let mut accepted = channel.push_each(&mut side, &[1]);
            channel.close();
            accepted.extend(channel.push_each(&mut side, &[2]));
            accepted
        });
        let mut side = channel.consumer();
        channel.close();
        let received = drain(&channel, &mut side);
        assert_eq!(received, sender.join().unwrap());
        assert_is_over(&channel, &mut side);
    });
}

#[test]
fn a_batch_is_accepted_whole_or_not_at_all() {
    model(|| {
        let channel = Channel::new(2);
        let mut producer = channel.producer();
        let sender =
            channel.beside(move |channel| match producer.push_slice(&channel.ring(), &[1, 2]) {
                Ok((count, _)) => count,
                Err(refusal) => {
                    assert_eq!(refusal, Refusal::Closed);
                    0
                }
            });
        let mut side = channel.consumer();
        channel.close();
        let received = drain(&channel, &mut side);
        assert_eq!(received, &[1, 2][..sender.join().unwrap()]);
    });
}

#[test]
fn a_closer_that_dies_after_its_first_step_is_finished_by_the_consumer() {
    model(|| {
        let channel = Channel::new(2);
        let sender = sender(&channel, &[1, 2]);
        // All that the closer did before it was killed.
        channel.header().not_empty.waiters[0].fetch_or(CLOSING, Release);
        let mut side = channel.consumer();
        let received = drain(&channel, &mut side);
        assert_eq!(received, sender.join().unwrap());
        assert_is_over(&channel, &mut side);
    });
}

#[test]
fn a_producer_that_dies_as_it_publishes_is_sealed_with_its_value_whole() {
    model(|| {
        let channel = Channel::new(2);
        let producer = channel.producer();
        let sender = channel.beside(move |channel| channel.push_and_die(producer, 1));
        let closer = channel.beside(Channel::close);
        let mut side = channel.consumer();
        let mut received = channel.pop_some(&mut side, 2);
        sender.join().unwrap();
        closer.join().unwrap();
        received.extend(drain(&channel, &mut side));
        assert!(received.is_empty() || received == [1], "it never learned which");
    });
}

#[test]
fn whoever_finds_the_ring_closing_sees_what_the_closer_did_before() {
    model(|| {
        let channel = Channel::new(1);
        // Loom tracks accesses to the cell: an unordered pair fails the model.
        let note = Rc::new(UnsafeCell::new(()));
        let writer = Rc::clone(&note);
        let closer = channel.beside(move |channel| {
            writer.with_mut(|_| ());
            channel.close();
        });
        if channel.ring().is_closing() {
            note.with(|_| ());
        }
        closer.join().unwrap();
    });
}
