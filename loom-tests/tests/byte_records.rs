//! Hazard: a record is seen before its header or bytes are written, or given back while it is read.
//!
//! Checked: records of every shape arrive whole across padding; a look without release leaves the record;
//! a reservation that is dropped was never there.
#![cfg(loom)]

use loom_tests::{Channel, HIGH, model};
use ringway::parts::bytes;
use ringway::parts::grant::{ReadRecord, WriteRecord};
use ringway::parts::spsc::{ConsumerSide, Dry};

const EIGHT: &[u8] = b"fullword";
const NOTHING: &[u8] = b"";
const THREE: &[u8] = b"abc";

fn pop(channel: &Channel, side: &mut ConsumerSide) -> Option<Vec<u8>> {
    match bytes::pop(&channel.ring(), side, usize::MAX, <[u8]>::to_vec) {
        Ok((record, _)) => Some(record),
        Err(Dry::Empty) => None,
        Err(dry) => panic!("{dry:?}"),
    }
}

/// Four words carry records of up to eight bytes; `start` says how many words there are to the end.
fn send_and_receive(start: u64, records: &'static [&'static [u8]]) {
    let channel = Channel::starting_at(start, 4);
    let mut side = channel.producer();
    let sender = channel.beside(move |channel| {
        let fits = |record: &&&[u8]| bytes::push(&channel.ring(), &mut side, record).is_ok();
        records.iter().take_while(fits).count()
    });
    let mut side = channel.consumer();
    let mut received = Vec::new();
    for _ in records {
        received.extend(pop(&channel, &mut side));
    }
    let sent = sender.join().unwrap();
    received.extend(std::iter::from_fn(|| pop(&channel, &mut side)));
    assert_eq!(received, &records[..sent]);
    assert!(sent > 0, "the longest record fits an empty ring, padding and all");
}

#[test]
fn records_arrive_whole_when_padding_fills_the_end() {
    model(|| send_and_receive(3, &[EIGHT, NOTHING, THREE]));
}

#[test]
fn records_arrive_whole_when_they_end_where_the_memory_does() {
    model(|| send_and_receive(2, &[EIGHT, THREE, NOTHING]));
}

#[test]
fn records_without_bytes_are_records() {
    model(|| send_and_receive(3, &[NOTHING, NOTHING, NOTHING]));
}

#[test]
fn records_arrive_whole_after_ages() {
    model(|| send_and_receive(HIGH, &[EIGHT, THREE]));
}

#[test]
fn a_record_that_was_looked_at_is_still_the_next_one() {
    model(|| {
        let channel = Channel::starting_at(3, 4);
        let mut side = channel.producer();
        let sender = channel.beside(move |channel| {
            bytes::push(&channel.ring(), &mut side, EIGHT).unwrap();
            // Four words: there is room only once the first has gone.
            bytes::push(&channel.ring(), &mut side, THREE).is_ok()
        });
        let mut side = channel.consumer();
        let look = |side: &mut ConsumerSide| {
            let (ring, event) = (channel.ring(), channel.not_full());
            let place = bytes::peek(&ring, side).ok()?;
            Some(ReadRecord::new((&ring, side, &event), place).to_vec())
        };
        let first = look(&mut side);
        let again = look(&mut side);
        assert!(first.is_none() || again == first, "looking twice shows the same");
        let mut received = Vec::from_iter(pop(&channel, &mut side));
        assert!(again.is_none() || again.as_ref() == received.first(), "it is the next to come");
        let second = sender.join().unwrap();
        received.extend(std::iter::from_fn(|| pop(&channel, &mut side)));
        assert_eq!(received, &[EIGHT, THREE][..=usize::from(second)]);
    });
}

#[test]
fn a_reservation_that_was_dropped_never_happened() {
    model(|| {
        let channel = Channel::starting_at(3, 4);
        let mut side = channel.producer();
        let sender = channel.beside(move |channel| {
            let (ring, event) = (channel.ring(), channel.not_empty());
            let place = bytes::reserve(&ring, &mut side, 8).unwrap();
            let mut grant = WriteRecord::new((&ring, &mut side, &event), place);
            grant.copy_from_slice(b"unwanted");
            drop(grant);
            let place = bytes::reserve(&ring, &mut side, 8).unwrap();
            let mut grant = WriteRecord::new((&ring, &mut side, &event), place);
            grant[..3].copy_from_slice(THREE);
            grant.truncate(3);
            grant.commit().unwrap();
        });
        let mut side = channel.consumer();
        let mut received = Vec::from_iter(pop(&channel, &mut side));
        sender.join().unwrap();
        received.extend(std::iter::from_fn(|| pop(&channel, &mut side)));
        assert_eq!(received, [THREE]);
    });
}
