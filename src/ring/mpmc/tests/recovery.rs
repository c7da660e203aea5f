//! What the dead had claimed, however far they came, taken back.

use super::super::super::reap::{DeliveryPolicy, Reaped, reap};
use super::*;

/// Makes a claim of `count` as a member would that dies before its `stamps`-th stamp: swap and nothing else.
fn claim_tail_and_die(ring: &Ring<'_, u64>, count: u64, stamps: u64) {
    let tail = CursorWord(ring.header.tail.tail.load(Relaxed)).position();
    let claimed = CursorWord::new(after(tail, count), THEM.0);
    ring.header.tail.tail.store(claimed.0, Relaxed);
    for position in (0..stamps).map(|n| after(tail, n)) {
        ring.word(position).store(ring.geometry.writing(position, THEM.0).0, Relaxed);
    }
}

fn claim_head_and_die(ring: &Ring<'_, u64>, count: u64, stamps: u64) {
    let head = CursorWord(ring.header.head.head.load(Relaxed)).position();
    let claimed = CursorWord::new(after(head, count), THEM.0);
    ring.header.head.head.store(claimed.0, Relaxed);
    for position in (0..stamps).map(|n| after(head, n)) {
        ring.word(position).store(ring.geometry.reading(position, THEM.0).0, Relaxed);
    }
}

#[test]
fn claims_of_the_dead_are_aborted_however_far_they_came() {
    for start in STARTS {
        for count in 1..=4 {
            for stamps in 0..=count {
                for followed in [false, true] {
                    let fixture = values(start, 8);
                    let ring = fixture.ring();
                    let (producer, consumer) =
                        (ProducerSide::new(US), ConsumerSide::new(US, &Arc::default()));
                    assert_eq!(ring.push(&producer, 1), Ok(()));
                    claim_tail_and_die(&ring, count, stamps);
                    if followed {
                        assert_eq!(ring.push(&producer, 2), Ok(()), "it certifies and goes on");
                    }
                    let reaped = reap(&ring, THEM, DeliveryPolicy::AtLeastOnce);
                    assert_eq!((reaped.aborted, reaped.redelivered), (count, 0));
                    assert_eq!(reap(&ring, THEM, DeliveryPolicy::AtLeastOnce).aborted, 0);
                    let expected: &[u64] = if followed { &[1, 2] } else { &[1] };
                    assert_eq!(drain(&ring, &consumer), expected);
                    assert_whole(&fixture);
                }
            }
        }
    }
}

#[test]
fn messages_of_the_dead_come_again_or_are_dropped_by_the_policy() {
    for start in STARTS {
        for policy in [DeliveryPolicy::AtLeastOnce, DeliveryPolicy::AtMostOnce] {
            for count in 1..=3 {
                for stamps in 0..=count {
                    let fixture = values(start, 4);
                    let ring = fixture.ring();
                    let (producer, consumer) =
                        (ProducerSide::new(US), ConsumerSide::new(US, &Arc::default()));
                    assert_eq!(ring.push_slice(&producer, &[0, 1, 2]), Ok(3));
                    claim_head_and_die(&ring, count, stamps);
                    let reaped = reap(&ring, THEM, policy);
                    let told = reaped.redelivered + reaped.dropped;
                    assert_eq!((told, reaped.aborted), (count, 0));
                    assert_eq!(reap(&ring, THEM, policy), Reaped::default());
                    let mut received = Vec::new();
                    while let Ok(taken) = ring.take(&consumer) {
                        received.push((*ring.value(&taken), taken.tries()));
                        ring.acknowledge(taken);
                    }
                    let flagged = |value: u64| u32::from(value < stamps);
                    let kept =
                        |value: &u64| policy == DeliveryPolicy::AtLeastOnce || flagged(*value) == 0;
                    let expected: Vec<_> =
                        (0..3).filter(kept).map(|value| (value, flagged(value))).collect();
                    assert_eq!(received, expected, "{policy:?} {count} {stamps}");
                    assert_whole(&fixture);
                }
            }
        }
    }
}

#[test]
fn a_reaper_leaves_the_living_alone() {
    let fixture = values(0, 4);
    let ring = fixture.ring();
    let (producer, consumer) = (ProducerSide::new(US), ConsumerSide::new(US, &Arc::default()));
    assert_eq!(ring.push(&producer, 1), Ok(()));
    let taken = ring.take(&consumer).unwrap();
    let claim = ring.reserve(&producer, 0).unwrap();
    let before = reap(&ring, THEM, DeliveryPolicy::AtLeastOnce);
    assert_eq!(before, Reaped::default());
    ring.acknowledge(taken);
    ring.commit(claim);
    assert!(ring.pop(&consumer).is_ok());
    assert_whole(&fixture);
}

#[test]
fn aborted_slots_that_a_dead_consumer_claimed_are_vacant_again() {
    let fixture = values(0, 2);
    let ring = fixture.ring();
    let producer = ProducerSide::new(US);
    let claim = ring.reserve(&producer, 0).unwrap();
    ring.abort(claim);
    claim_head_and_die(&ring, 1, 0);
    assert_eq!(reap(&ring, THEM, DeliveryPolicy::AtLeastOnce), Reaped::default());
    assert_whole(&fixture);
}
