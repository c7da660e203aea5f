//! Hazard: a producer, a consumer or a closer of a ring between two is killed in the middle of anything, and whoever takes its
//! end over loses, repeats or tears what was under way, or nobody ever agrees where the stream ends.
//!
//! Checked, for each of them killed before each of its accesses to shared memory while the other side goes on: a successor
//! continues exactly where the dead stopped; what was published is received, whole, once, in order; what was shown and
//! not released comes first again; and accepted is delivered, refused is never seen.
#![cfg(loom)]

use std::sync::Arc;

use loom_tests::crash::{Death, at_each_access};
use loom_tests::{Channel, HIGH};
use ringway::parts::bytes;
use ringway::parts::grant::{ReadGrant, ReadRecord, WriteGrant, WriteRecord};
use ringway::parts::spsc::{ConsumerSide, Dry, ProducerSide};

/// What the producer that dies does, with the values 1, 2, …
type Fill = fn(&Channel, &mut ProducerSide);

fn push(channel: &Channel, side: &mut ProducerSide) {
    for value in 1..=2 {
        if side.push(&channel.ring(), &value) == Ok(true) {
            channel.not_empty().notify(1);
        }
    }
}

fn push_slice(channel: &Channel, side: &mut ProducerSide) {
    let _ = side.push_slice(&channel.ring(), &[1, 2]);
}

fn commit(channel: &Channel, side: &mut ProducerSide) {
    let (ring, event) = (channel.ring(), channel.not_empty());
    for value in 1..=2 {
        if side.room(&ring, 1).is_ok() {
            let mut grant = WriteGrant::new((&ring, side, &event), 1);
            grant[0] = value;
            let _ = grant.commit();
        }
    }
}

/// A producer that dies beside a consumer, and then one that goes on with the value 3.
fn producer_dies(death: &Death, fill: Fill) {
    let (channel, fate) = (Channel::starting_at(HIGH, 2), death.clone());
    let mut side = channel.producer();
    let victim = channel.beside(move |channel| fate.within(|| fill(channel, &mut side)));
    let mut theirs = channel.consumer();
    let taker = channel.beside(move |channel| channel.pop_some(&mut theirs, 2));
    let lived = victim.join().unwrap().is_some();
    let successor = &mut channel.producer();
    let sent = channel.push_each(successor, &[3]);
    let mut all = taker.join().unwrap();
    let rest = &mut channel.consumer();
    all.extend(channel.pop_some(rest, 4));
    let before = all.iter().position(|value| *value == 3).unwrap_or(all.len());
    assert_eq!(all[..before], [1, 2][..before], "{all:?}");
    assert!(!lived || before == 2);
    assert_eq!(all[before..], sent);
    assert_eq!(channel.push_each(successor, &[4, 5, 6]), [4, 5], "both slots serve again");
    assert_eq!(channel.pop_some(rest, 3), [4, 5]);
}

#[test]
fn a_producer_that_pushes() {
    at_each_access(0, |death| producer_dies(death, push));
}

#[test]
fn a_producer_that_pushes_a_batch() {
    at_each_access(0, |death| producer_dies(death, push_slice));
}

#[test]
fn a_producer_that_fills_in_place() {
    at_each_access(0, |death| producer_dies(death, commit));
}

/// What the consumer that dies does; up to two values are there.
type Empty = fn(&Channel, &mut ConsumerSide);

fn pop(channel: &Channel, side: &mut ConsumerSide) {
    for _ in 0..2 {
        if let Ok((_, true)) = side.pop(&channel.ring()) {
            channel.not_full().notify(1);
        }
    }
}

fn pop_slice(channel: &Channel, side: &mut ConsumerSide) {
    let _ = side.pop_slice(&channel.ring(), &mut [0; 2]);
}

fn release(channel: &Channel, side: &mut ConsumerSide) {
    let (ring, event) = (channel.ring(), channel.not_full());
    for _ in 0..2 {
        if side.available(&ring, 1).is_ok() {
            ReadGrant::new((&ring, side, &event), 1).release();
        }
    }
}

/// A consumer that dies beside a producer that sends 3 when there is room, and then one that goes on.
fn consumer_dies(death: &Death, empty: Empty) {
    let (channel, fate) = (Channel::starting_at(HIGH, 2), death.clone());
    let mut producer = channel.producer();
    assert_eq!(channel.push_each(&mut producer, &[1, 2]), [1, 2]);
    let mut side = channel.consumer();
    let first = side.head();
    let victim = channel.beside(move |channel| fate.within(|| empty(channel, &mut side)));
    let sender = channel.beside(move |channel| channel.push_each(&mut producer, &[3, 4]));
    let lived = victim.join().unwrap().is_some();
    let mut successor = channel.consumer();
    let released = usize::try_from(successor.head() - first).unwrap();
    assert!(released <= 2 && (!lived || released == 2));
    let mut all = channel.pop_some(&mut successor, 4);
    let sent = sender.join().unwrap();
    all.extend(channel.pop_some(&mut successor, 4));
    assert_eq!(all, [&[1, 2][released..], &sent].concat());
    assert_eq!(channel.push_each(&mut channel.producer(), &[5, 6, 7]), [5, 6]);
}

#[test]
fn a_consumer_that_pops() {
    at_each_access(0, |death| consumer_dies(death, pop));
}

#[test]
fn a_consumer_that_pops_a_batch() {
    at_each_access(0, |death| consumer_dies(death, pop_slice));
}

#[test]
fn a_consumer_that_reads_in_place() {
    at_each_access(0, |death| consumer_dies(death, release));
}

/// Sends a record with eight bytes of `value`, if there is room.
fn send_record(channel: &Channel, side: &mut ProducerSide, value: u8) -> bool {
    let (ring, event) = (channel.ring(), channel.not_empty());
    let Ok(place) = bytes::reserve(&ring, side, 8) else { return false };
    let mut record = WriteRecord::new((&ring, side, &event), place);
    record.fill(value);
    record.commit().is_ok()
}

/// Receives a record, and says which value its bytes are.
///
/// # Panics
///
/// When they differ, or the ring is corrupt.
fn receive_record(channel: &Channel, side: &mut ConsumerSide) -> Option<u8> {
    let (ring, event) = (channel.ring(), channel.not_full());
    let place = match bytes::peek(&ring, side) {
        Err(Dry::Corrupt(what)) => panic!("{what:?}"),
        found => found.ok()?,
    };
    let record = ReadRecord::new((&ring, side, &event), place);
    assert!(record.len() == 8 && record.iter().all(|byte| *byte == record[0]), "torn");
    let value = record[0];
    record.release();
    Some(value)
}

/// A pipe of four words whose next record needs padding before it.
fn at_the_seam() -> Arc<Channel> {
    let channel = Channel::starting_at(3, 4);
    assert_eq!(channel.ring().capacity().run(3), 1);
    channel
}

#[test]
fn a_producer_of_records_at_the_seam() {
    at_each_access(0, |death| {
        let (channel, fate) = (at_the_seam(), death.clone());
        let mut side = channel.producer();
        let victim =
            channel.beside(move |channel| fate.within(|| send_record(channel, &mut side, 1)));
        let mut theirs = channel.consumer();
        let taker = channel.beside(move |channel| receive_record(channel, &mut theirs));
        let lived = victim.join().unwrap();
        let sent = send_record(&channel, &mut channel.producer(), 2);
        let mut all: Vec<u8> = taker.join().unwrap().into_iter().collect();
        let rest = &mut channel.consumer();
        all.extend(std::iter::from_fn(|| receive_record(&channel, rest)));
        let theirs = usize::from(all.first() == Some(&1));
        assert!(lived.is_none() || theirs == 1);
        assert_eq!(all[theirs..], [2][..sent.into()]);
    });
}

#[test]
fn a_consumer_of_records_at_the_seam() {
    at_each_access(0, |death| {
        let (channel, fate) = (at_the_seam(), death.clone());
        let mut producer = channel.producer();
        assert!(send_record(&channel, &mut producer, 1));
        let mut side = channel.consumer();
        let victim =
            channel.beside(move |channel| fate.within(|| receive_record(channel, &mut side)));
        let sender = channel.beside(move |channel| send_record(channel, &mut producer, 2));
        let lived = victim.join().unwrap().is_some();
        let successor = &mut channel.consumer();
        let released = successor.head() > 3;
        assert!(released || !lived);
        let mut all: Vec<u8> = receive_record(&channel, successor).into_iter().collect();
        let sent = sender.join().unwrap();
        all.extend(std::iter::from_fn(|| receive_record(&channel, successor)));
        assert_eq!(all, [&[1][..(!released).into()], &[2][..sent.into()]].concat());
    });
}

/// A closer that dies beside a producer and, afterwards, a consumer: it agrees in its place.
#[test]
fn a_closer_beside_a_producer() {
    at_each_access(0, |death| {
        let (channel, fate) = (Channel::new(2), death.clone());
        let victim = channel.beside(move |channel| fate.within(|| channel.close()));
        let mut side = channel.producer();
        let mut accepted = channel.push_each(&mut side, &[1, 2]);
        let lived = victim.join().unwrap().is_some();
        let begun = channel.ring().is_closing();
        assert!(begun || !lived);
        let mut consumer = channel.consumer();
        let mut received = channel.pop_some(&mut consumer, 2);
        accepted.extend(channel.push_each(&mut side, &[3]));
        received.extend(channel.pop_some(&mut consumer, 2));
        assert_eq!(received, accepted);
        let end = consumer.pop(&channel.ring()).map(|_| ());
        assert_eq!(end, Err(if begun { Dry::Drained } else { Dry::Empty }));
        assert!(!begun || !accepted.contains(&3));
    });
}

#[test]
fn a_closer_beside_a_consumer() {
    at_each_access(0, |death| {
        let (channel, fate) = (Channel::new(2), death.clone());
        let mut side = channel.producer();
        assert_eq!(channel.push_each(&mut side, &[1, 2]), [1, 2]);
        let victim = channel.beside(move |channel| fate.within(|| channel.close()));
        let mut consumer = channel.consumer();
        let mut received = channel.pop_some(&mut consumer, 1);
        victim.join().unwrap();
        let begun = channel.ring().is_closing();
        received.extend(channel.pop_some(&mut consumer, 2));
        assert_eq!(received, [1, 2], "accepted before anybody closed");
        assert_eq!(channel.push_each(&mut side, &[3]).is_empty(), begun);
        let end = consumer.pop(&channel.ring()).map(|(value, _)| value);
        assert_eq!(end, if begun { Err(Dry::Drained) } else { Ok(3) });
    });
}
