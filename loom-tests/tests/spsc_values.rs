//! Hazard: a slot is read before it is written, or written before it is read.
//!
//! Checked: values arrive whole, in order and once; a full ring refuses; slots are used again only after
//! the consumer has left them; batches and grants keep to the same rule across the end of the memory and
//! at positions far from zero.
#![cfg(loom)]

use std::sync::Arc;

use loom_tests::{Channel, HIGH, model};
use ringway::parts::grant::{ReadGrant, WriteGrant};

/// The producer offers `values` once each, the consumer tries as often: what was accepted arrives.
fn offer_and_take(channel: &Arc<Channel>, values: &'static [u64]) {
    let mut producer = channel.producer();
    let sender = channel.beside(move |channel| channel.push_each(&mut producer, values));
    let mut consumer = channel.consumer();
    let mut received = Vec::new();
    for _ in values {
        received.extend(channel.pop_some(&mut consumer, 1));
    }
    let accepted = sender.join().unwrap();
    received.extend(channel.pop_some(&mut consumer, values.len()));
    assert_eq!(received, accepted);
    assert!(!accepted.is_empty(), "an empty ring has room");
}

#[test]
fn values_arrive_whole_in_order_and_once() {
    model(|| offer_and_take(&Channel::new(2), &[1, 2, 3]));
}

#[test]
fn a_slot_is_filled_again_only_after_it_was_read() {
    model(|| offer_and_take(&Channel::new(1), &[1, 2, 3]));
}

#[test]
fn a_ring_that_has_run_for_ages_serves_as_on_its_first_day() {
    model(|| offer_and_take(&Channel::starting_at(HIGH, 2), &[1, 2, 3]));
}

#[test]
fn a_full_ring_refuses_and_has_room_again_after_a_take() {
    model(|| {
        let channel = Channel::new(1);
        let mut producer = channel.producer();
        assert_eq!(channel.push_each(&mut producer, &[1, 2]), [1]);
        let mut consumer = channel.consumer();
        let taker = channel.beside(move |channel| channel.pop_some(&mut consumer, 2));
        let second = channel.push_each(&mut producer, &[3]);
        let mut received = taker.join().unwrap();
        received.extend(channel.pop_some(&mut channel.consumer(), 2));
        assert_eq!(received, [&[1][..], &second].concat());
        assert_eq!(channel.push_each(&mut producer, &[4]), [4]);
    });
}

/// A batch of two that begins in the last slot, then one more value, against two takes of up to two.
fn batches_from(start: u64) {
    let channel = Channel::starting_at(start, 2);
    let mut side = channel.producer();
    let sender = channel.beside(move |channel| {
        let ring = channel.ring();
        let (first, _) = side.push_slice(&ring, &[1, 2]).unwrap();
        assert_eq!(first, 2, "an empty ring of two takes two");
        first + side.push_slice(&ring, &[3, 4]).map_or(0, |(count, _)| count)
    });
    let (ring, mut side) = (channel.ring(), channel.consumer());
    let mut received = Vec::new();
    let mut take = |received: &mut Vec<u64>| {
        let mut buffer = [0; 2];
        let count = side.pop_slice(&ring, &mut buffer).map_or(0, |(count, _)| count);
        received.extend(&buffer[..count]);
    };
    take(&mut received);
    take(&mut received);
    let sent = sender.join().unwrap();
    take(&mut received);
    take(&mut received);
    assert_eq!(received, &[1, 2, 3, 4][..sent]);
}

#[test]
fn a_batch_across_the_end_arrives_in_order() {
    model(|| batches_from(1));
}

#[test]
fn a_batch_across_the_end_arrives_in_order_after_ages() {
    model(|| batches_from(HIGH));
}

#[test]
fn a_grant_lends_slots_that_the_other_side_keeps_away_from() {
    model(|| {
        let channel = Channel::new(2);
        let mut side = channel.producer();
        let sender = channel.beside(move |channel| {
            let (ring, event) = (channel.ring(), channel.not_empty());
            let mut sent = 0;
            for value in 1..=3 {
                if side.room(&ring, 1).is_err() {
                    break;
                }
                let mut grant = WriteGrant::new((&ring, &mut side, &event), 1);
                grant[0] = value;
                grant.commit().unwrap();
                sent += 1;
            }
            sent
        });
        let mut side = channel.consumer();
        let (ring, event) = (channel.ring(), channel.not_full());
        let mut received = Vec::new();
        let mut take = |received: &mut Vec<u64>| {
            if side.available(&ring, 2).is_ok() {
                let mut grant = ReadGrant::new((&ring, &mut side, &event), 2);
                // Only one of them goes back: the other is still next.
                grant.truncate(1);
                received.extend(&*grant);
                grant.release();
            }
        };
        take(&mut received);
        let sent = sender.join().unwrap();
        for _ in 0..3 {
            take(&mut received);
        }
        assert_eq!(received, (1..=sent).collect::<Vec<_>>());
    });
}
