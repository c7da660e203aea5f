//! Hazard: a thread sleeps although what it waits for has happened, or a wake-up goes to a thread that has
//! no use for it while another sleeps on.
//!
//! Checked: every wait ends. No model has a time-out, so a wake-up that is lost is a deadlock.
#![cfg(loom)]

use loom_tests::{Channel, Tokens, model};
use ringway::parts::bytes;
use ringway::parts::grant::{ReadGrant, ReadRecord, WriteGrant, WriteRecord};
use ringway::parts::spsc::{Dry, Refusal};

#[test]
fn a_consumer_asleep_is_woken_by_what_is_sent() {
    model(|| {
        let channel = Channel::new(2);
        let mut theirs = channel.producer();
        let sender = channel.beside(move |channel| {
            let side = &mut theirs;
            channel.send(side, 1).unwrap();
            channel.send(side, 2).unwrap();
        });
        let mut side = channel.consumer();
        assert_eq!(channel.recv(&mut side), Ok(1));
        assert_eq!(channel.recv(&mut side), Ok(2));
        sender.join().unwrap();
    });
}

#[test]
fn a_producer_asleep_is_woken_by_what_is_taken() {
    model(|| {
        let channel = Channel::new(1);
        let mut side = channel.producer();
        assert_eq!(channel.push_each(&mut side, &[1]), [1]);
        let mut theirs = channel.consumer();
        let taker = channel.beside(move |channel| {
            let side = &mut theirs;
            let received = channel.pop_some(side, 1);
            channel.not_full().notify(1);
            received
        });
        channel.send(&mut side, 2).unwrap();
        assert_eq!(taker.join().unwrap(), [1]);
    });
}

#[test]
fn both_sides_sleep_and_wake_each_other() {
    model(|| {
        let channel = Channel::new(1);
        let mut theirs = channel.producer();
        let sender = channel.beside(move |channel| {
            let side = &mut theirs;
            for value in 1..=2 {
                channel.send(side, value).unwrap();
            }
        });
        let mut side = channel.consumer();
        for value in 1..=2 {
            assert_eq!(channel.recv(&mut side), Ok(value));
        }
        sender.join().unwrap();
    });
}

#[test]
fn a_grant_that_is_committed_wakes_the_consumer() {
    model(|| {
        let channel = Channel::new(1);
        let mut theirs = channel.producer();
        let sender = channel.beside(move |channel| {
            let side = &mut theirs;
            let (ring, event) = (channel.ring(), channel.not_empty());
            side.room(&ring, 1).unwrap();
            let mut grant = WriteGrant::new((&ring, side, &event), 1);
            grant[0] = 1;
            grant.commit().unwrap();
        });
        assert_eq!(channel.recv(&mut channel.consumer()), Ok(1));
        sender.join().unwrap();
    });
}

#[test]
fn a_grant_that_is_released_wakes_the_producer() {
    model(|| {
        let channel = Channel::new(1);
        let mut side = channel.producer();
        assert_eq!(channel.push_each(&mut side, &[1]), [1]);
        let mut theirs = channel.consumer();
        let taker = channel.beside(move |channel| {
            let side = &mut theirs;
            let (ring, event) = (channel.ring(), channel.not_full());
            side.available(&ring, 1).unwrap();
            ReadGrant::new((&ring, side, &event), 1).release();
        });
        channel.send(&mut side, 2).unwrap();
        taker.join().unwrap();
    });
}

#[test]
fn a_record_that_is_committed_wakes_the_consumer() {
    model(|| {
        let channel = Channel::new(2);
        let mut theirs = channel.producer();
        let sender = channel.beside(move |channel| {
            let side = &mut theirs;
            let (ring, event) = (channel.ring(), channel.not_empty());
            let place = bytes::reserve(&ring, side, 0).unwrap();
            WriteRecord::new((&ring, side, &event), place).commit().unwrap();
        });
        let mut side = channel.consumer();
        let len = channel.wait_for_more(|| {
            let (ring, event) = (channel.ring(), channel.not_full());
            let place = bytes::peek(&ring, &mut side)?;
            Ok::<_, Dry>(ReadRecord::new((&ring, &mut side, &event), place).len())
        });
        assert_eq!(len, Ok(0));
        sender.join().unwrap();
    });
}

#[test]
fn a_record_that_is_released_wakes_the_producer() {
    model(|| {
        let channel = Channel::new(1);
        let mut side = channel.producer();
        let mut send = || {
            let (ring, event) = (channel.ring(), channel.not_empty());
            let place = bytes::reserve(&ring, &mut side, 0)?;
            WriteRecord::new((&ring, &mut side, &event), place).commit().unwrap();
            Ok(())
        };
        send().unwrap();
        let mut theirs = channel.consumer();
        let taker = channel.beside(move |channel| {
            let side = &mut theirs;
            let (ring, event) = (channel.ring(), channel.not_full());
            let place = bytes::peek(&ring, side).unwrap();
            ReadRecord::new((&ring, side, &event), place).release();
        });
        assert_eq!(channel.wait_for_room(send), Ok(()));
        taker.join().unwrap();
    });
}

#[test]
fn closing_wakes_a_consumer_that_waits_for_a_message() {
    model(|| {
        let channel = Channel::new(1);
        let closer = channel.beside(Channel::close);
        assert_eq!(channel.recv(&mut channel.consumer()), Err(Dry::Drained));
        closer.join().unwrap();
    });
}

#[test]
fn closing_wakes_a_producer_that_waits_for_room() {
    model(|| {
        let channel = Channel::new(1);
        let mut side = channel.producer();
        assert_eq!(channel.push_each(&mut side, &[1]), [1]);
        let closer = channel.beside(Channel::close);
        assert_eq!(channel.send(&mut side, 2), Err(Refusal::Closed));
        closer.join().unwrap();
    });
}

#[test]
fn a_consumer_that_closes_ends_the_producers_wait_too() {
    model(|| {
        let channel = Channel::new(1);
        let mut theirs = channel.producer();
        let sender = channel.beside(move |channel| {
            let side = &mut theirs;
            (1..=2).take_while(|value| channel.send(side, *value).is_ok()).count()
        });
        let mut side = channel.consumer();
        let received = usize::from(channel.recv(&mut side).is_ok());
        channel.close();
        let rest = std::iter::from_fn(|| channel.recv(&mut side).ok()).count();
        assert_eq!(received + rest, sender.join().unwrap());
    });
}

/// A thread of each of `members` takes one of two.
fn each_takes_one(members: [usize; 2]) {
    model(move || {
        let tokens = Tokens::new();
        let others = members.map(|member| tokens.beside(move |tokens| tokens.take(member)));
        tokens.add();
        tokens.add();
        for other in others {
            other.join().unwrap();
        }
        assert_eq!(tokens.count(), 0);
    });
}

#[test]
fn two_threads_of_one_member_each_get_what_came_for_them() {
    each_takes_one([0, 0]);
}

#[test]
fn two_members_each_get_what_came_for_them() {
    each_takes_one([0, 1]);
}

#[test]
fn a_waiter_that_leaves_its_find_wakes_another() {
    model(|| {
        let tokens = Tokens::new();
        let giver = tokens.beside(Tokens::add);
        // One waits only to see the token, the other to take it; the wake-up may go to either.
        let looker = tokens.beside(|tokens| tokens.look(0));
        tokens.take(1);
        giver.join().unwrap();
        // Who only looks may have come too late for the one token.
        tokens.flood();
        looker.join().unwrap();
    });
}

#[test]
fn a_change_that_happens_once_wakes_everybody() {
    model(|| {
        let tokens = Tokens::new();
        let other = tokens.beside(|tokens| tokens.watch(1));
        let giver = tokens.beside(Tokens::flood);
        tokens.watch(0);
        giver.join().unwrap();
        other.join().unwrap();
    });
}
