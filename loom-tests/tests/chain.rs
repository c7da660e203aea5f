//! Hazard: while a queue gets another segment, or gives one back, a message is sent where nobody looks any more, or is
//! received before one that was sent before it.
#![cfg(loom)]

use loom_tests::chain::Chain;
use loom_tests::crowded;
use ringway::parts::mpmc::{Dry, Refusal};

/// Receives until there is nothing, and adds what came.
fn drain(chain: &Chain, received: &mut Vec<u64>) {
    let (rest, why) = chain.rest(0);
    received.extend(rest);
    assert_eq!(why, Dry::Empty);
}

#[test]
fn two_who_grow_at_once_lose_nothing() {
    crowded(1, || {
        let chain = Chain::holding(&[1]);
        let other = chain.beside(|chain| chain.send(2, 20).is_ok());
        let mine = chain.send(1, 10).is_ok();
        let other = other.join().unwrap();
        let mut received = Vec::new();
        drain(&chain, &mut received);
        assert_eq!(received.remove(0), 1);
        received.sort_unstable();
        let expected = [(10, mine), (20, other)].into_iter().filter(|sent| sent.1);
        assert_eq!(received, expected.map(|sent| sent.0).collect::<Vec<_>>());
        assert!(mine || other, "one of them is alone");
        chain.assert_home();
    });
}

#[test]
fn messages_of_one_sender_come_in_order_while_it_grows() {
    crowded(1, || {
        let chain = Chain::holding(&[1]);
        let sender = chain.beside(|chain| {
            let values = [2, 3].into_iter();
            values.take_while(|value| chain.send(1, *value).is_ok()).collect::<Vec<_>>()
        });
        let mut received: Vec<u64> = (0..2).filter_map(|_| chain.recv(0).ok()).collect();
        let sent = sender.join().unwrap();
        drain(&chain, &mut received);
        assert_eq!(received, [vec![1], sent].concat());
        chain.assert_home();
    });
}

/// A message that is sent after another was, by somebody else, comes after it.
#[test]
fn messages_of_two_senders_come_in_the_order_that_they_know_of() {
    crowded(2, || {
        let chain = Chain::holding(&[1]);
        let other = chain.beside(|chain| chain.send(2, 20).is_ok());
        let first = chain.send(1, 10);
        let second = first.is_ok() && chain.send(1, 11).is_ok();
        let other = other.join().unwrap();
        let third = chain.send(3, 12).is_ok();
        let mut received = Vec::new();
        drain(&chain, &mut received);
        let mine: Vec<u64> = received.iter().copied().filter(|value| *value < 20).collect();
        let expected = [(1, true), (10, first.is_ok()), (11, second), (12, third)];
        assert_eq!(
            mine,
            expected.into_iter().filter(|sent| sent.1).map(|sent| sent.0).collect::<Vec<_>>()
        );
        if let (true, Some(at)) = (other, received.iter().position(|value| *value == 20)) {
            assert!(!third || received.iter().position(|value| *value == 12) > Some(at));
        }
    });
}

#[test]
fn a_sender_meets_the_anchor_coming_home() {
    crowded(1, || {
        let chain = Chain::holding(&[1, 2]);
        assert_eq!(chain.recv(0), Ok(1));
        let sender = chain.beside(|chain| {
            let values = [3, 4].into_iter();
            values.take_while(|value| chain.send(1, *value).is_ok()).collect::<Vec<_>>()
        });
        let mut received = vec![1];
        received.extend(chain.recv(0));
        let sent = sender.join().unwrap();
        drain(&chain, &mut received);
        assert_eq!(received, [vec![1, 2], sent].concat());
        chain.assert_home();
    });
}

/// Who found the anchor as the first segment may be slower than all others: then it has come home behind a message.
#[test]
fn a_slow_receiver_takes_no_message_before_its_turn() {
    crowded(2, || {
        let chain = Chain::holding(&[1, 2]);
        let others = chain.beside(|chain| {
            let mut received: Vec<u64> = chain.recv(0).into_iter().collect();
            received.extend(chain.recv_only(0));
            let slipped = chain.go_home_and_die_before(3, 3);
            (received, slipped, slipped && chain.send(3, 4).is_ok())
        });
        let slow = chain.recv_only(2);
        let (mut received, slipped, sent) = others.join().unwrap();
        let mut rest = Vec::new();
        drain(&chain, &mut rest);
        if let Ok(slow) = slow {
            assert!(rest.iter().all(|later| *later > slow), "{rest:?} after {slow}");
        }
        received.extend(rest.into_iter().chain(slow));
        received.sort_unstable();
        let all = [(1, true), (2, true), (3, slipped), (4, sent)].into_iter();
        assert_eq!(received, all.filter(|one| one.1).map(|one| one.0).collect::<Vec<_>>());
        chain.assert_home();
    });
}

#[test]
fn what_is_held_is_found_again_in_its_segment() {
    crowded(1, || {
        let chain = Chain::holding(&[1, 2]);
        let held = chain.claim(1).unwrap();
        let other = chain.beside(|chain| chain.recv(2));
        chain.put_back(1, held);
        let theirs = other.join().unwrap();
        let mut received = Vec::new();
        drain(&chain, &mut received);
        received.extend(theirs);
        received.sort_unstable();
        assert_eq!(received, [1, 2]);
        chain.assert_home();
    });
}

#[test]
fn two_receivers_take_each_message_once_and_give_its_segment_back() {
    crowded(2, || {
        let chain = Chain::holding(&[1, 2, 3]);
        let other = chain.beside(|chain| chain.recv(2).ok());
        let mut received = Vec::from_iter(chain.recv(1).ok());
        received.extend(other.join().unwrap());
        drain(&chain, &mut received);
        received.sort_unstable();
        assert_eq!(received, [1, 2, 3]);
        chain.assert_home();
    });
}

#[test]
fn what_was_accepted_before_the_close_is_received_before_the_end() {
    crowded(1, || {
        let chain = Chain::holding(&[1]);
        let sender = chain.beside(|chain| chain.send(1, 10));
        chain.close_queue();
        let sent = sender.join().unwrap();
        let (received, why) = chain.rest(0);
        let expected = if sent.is_ok() { vec![1, 10] } else { vec![1] };
        assert_eq!((received, why), (expected, Dry::Drained));
        assert_eq!(chain.send(0, 30), Err(Refusal::Closed));
    });
}

#[test]
fn the_close_meets_the_anchor_coming_home() {
    crowded(1, || {
        let chain = Chain::holding(&[1, 2]);
        assert_eq!(chain.recv(0), Ok(1));
        let closer = chain.beside(Chain::close_queue);
        let mut received = vec![chain.recv(0).unwrap()];
        let sent = chain.send(0, 3).is_ok();
        closer.join().unwrap();
        let (rest, why) = chain.rest(0);
        received.extend(rest);
        assert_eq!((received, why), (if sent { vec![2, 3] } else { vec![2] }, Dry::Drained));
        assert_eq!(chain.send(0, 30), Err(Refusal::Closed));
    });
}
