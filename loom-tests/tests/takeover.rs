//! Hazard: a side that somebody else takes up forgets or repeats what its predecessor did.
//!
//! Checked: a successor that takes over after the predecessor has gone, or merely reads its last position
//! without any other order between them, continues exactly there; what was shown and not released comes
//! again; slots are not touched before whoever used them last is done.
#![cfg(loom)]

use loom_tests::{Channel, model};
use ringway::parts::grant::ReadGrant;
use ringway::parts::spsc::{ConsumerSide, ProducerSide};

#[test]
fn a_second_producer_continues_where_the_first_stopped() {
    model(|| {
        let channel = Channel::new(2);
        let mut producer = channel.producer();
        let first = channel.beside(move |channel| channel.push_each(&mut producer, &[1]));
        let mut consumer = channel.consumer();
        let taker = channel.beside(move |channel| channel.pop_some(&mut consumer, 2));
        let mut accepted = first.join().unwrap();
        accepted.extend(channel.push_each(&mut channel.producer(), &[2, 3]));
        let mut received = taker.join().unwrap();
        received.extend(channel.pop_some(&mut channel.consumer(), 3));
        assert_eq!(received, accepted);
    });
}

#[test]
fn a_second_consumer_continues_where_the_first_stopped() {
    model(|| {
        let channel = Channel::new(1);
        let mut consumer = channel.consumer();
        let first = channel.beside(move |channel| channel.pop_some(&mut consumer, 1));
        let mut producer = channel.producer();
        let sender = channel.beside(move |channel| channel.push_each(&mut producer, &[1, 2]));
        let mut received = first.join().unwrap();
        received.extend(channel.pop_some(&mut channel.consumer(), 2));
        let accepted = sender.join().unwrap();
        received.extend(channel.pop_some(&mut channel.consumer(), 2));
        assert_eq!(received, accepted);
    });
}

#[test]
fn what_was_shown_and_not_released_comes_again() {
    model(|| {
        let channel = Channel::new(1);
        let (mut producer, mut side) = (channel.producer(), channel.consumer());
        let first = channel.beside(move |channel| {
            let (ring, event) = (channel.ring(), channel.not_full());
            side.available(&ring, 1).ok()?;
            Some(ReadGrant::new((&ring, &mut side, &event), 1)[0])
        });
        let accepted = channel.push_each(&mut producer, &[1, 2]);
        assert_eq!(accepted, [1], "a value that was only shown keeps its slot");
        let shown = first.join().unwrap();
        assert!(shown.is_none_or(|value| value == 1));
        assert_eq!(channel.pop_some(&mut channel.consumer(), 2), [1]);
    });
}

#[test]
fn the_slots_behind_the_last_position_come_with_it() {
    model(|| {
        let channel = Channel::new(2);
        let producer = channel.producer();
        let first = channel.beside(move |channel| channel.push_and_die(producer, 1));
        // Nothing but the position tells the second that the first has finished.
        let second = channel.beside(|channel| match ProducerSide::resume(&channel.ring()) {
            Ok(side) if side.tail() == 1 => {
                channel.push_and_die(side, 2);
                2
            }
            _ => 1,
        });
        let mut side = channel.consumer();
        // The second is waited for, the first is not.
        let sent = second.join().unwrap();
        let mut received = channel.pop_some(&mut side, 2);
        first.join().unwrap();
        received.extend(channel.pop_some(&mut side, 2));
        assert_eq!(received, &[1, 2][..sent]);
    });
}

#[test]
fn the_slots_before_the_last_head_are_free_for_a_second_producer() {
    model(|| {
        let channel = Channel::new(1);
        let mut first = channel.producer();
        assert_eq!(channel.push_each(&mut first, &[1]), [1]);
        let mut consumer = channel.consumer();
        let taker = channel.beside(move |channel| channel.pop_some(&mut consumer, 2));
        let accepted = channel.push_each(&mut channel.producer(), &[2]);
        let mut received = taker.join().unwrap();
        received.extend(channel.pop_some(&mut channel.consumer(), 1));
        assert_eq!(received, [&[1][..], &accepted].concat());
    });
}

#[test]
fn the_slots_before_the_last_head_were_left_by_the_first_consumer() {
    model(|| {
        let channel = Channel::new(2);
        let mut producer = channel.producer();
        assert_eq!(channel.push_each(&mut producer, &[1, 2]), [1, 2]);
        let mut consumer = channel.consumer();
        let first = channel.beside(move |channel| channel.pop_some(&mut consumer, 1));
        // Nothing but the position tells the second that the first has finished.
        let second = channel.beside(|channel| match ConsumerSide::resume(&channel.ring()) {
            Ok(mut side) if side.head() == 1 => channel.pop_some(&mut side, 1),
            _ => Vec::new(),
        });
        // At most two are free, and only once both have left them.
        let accepted = channel.push_each(&mut producer, &[3]);
        let mut received = [first.join().unwrap(), second.join().unwrap()].concat();
        received.extend(channel.pop_some(&mut channel.consumer(), 3));
        assert_eq!(received, [&[1, 2][..], &accepted].concat());
    });
}
