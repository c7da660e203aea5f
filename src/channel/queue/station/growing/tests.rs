//! What senders and receivers of a queue that grows come to while its chain changes.

use super::*;
use crate::queue::{Growth as Limit, Queue};

/// A queue of `capacity` slots that grows to `limit`, and its segments as another handle has them.
fn growing(test: &str, capacity: usize, limit: Limit) -> (Queue<u64>, Growth<u64>) {
    let name = format!("unit-{test}-{}", std::process::id());
    let options = Queue::<u64>::options().capacity(capacity).growth(limit);
    let queue = options.remove_when_unused().create(&name).unwrap();
    let growth = Growth::of(&queue.attachment, &queue.anchored).unwrap();
    (queue, growth)
}

/// What `growth` comes to in sending where every ring refuses: why nothing was sent, and how often it was tried.
fn refused(growth: &Growth<u64>, refusal: Refusal) -> (Unsent, usize) {
    let mut tries = 0;
    let sent = growth.send(|_, _| {
        tries += 1;
        Err::<(), _>(refusal)
    });
    (sent.err().expect("every ring refuses"), tries)
}

#[test]
fn a_sender_tries_each_segment_that_the_limit_allows_once() {
    let (queue, growth) = growing("tries", 1, Limit::Messages(5));
    queue.sender().send(0).unwrap();
    // Of 1, 2 and 2 slots. The first has a message, so none is passed.
    assert_eq!(refused(&growth, Refusal::Full), (Unsent::Full, 3));
    assert_eq!((queue.capacity(), queue.len()), (5, 1));
    // That the limit is reached is known by then: nobody needs a turn to learn it.
    let held = Annexes::alone(growth.segment(), true, || refused(&growth, Refusal::Full));
    assert_eq!((held, growth.refused_at.load(Relaxed)), (Some((Unsent::Full, 1)), u64::MAX));
    let reader = crate::error::MemberId(0);
    assert_eq!(refused(&growth, Refusal::Held(reader)), (Unsent::Held(reader), 1));
}

#[test]
fn what_is_sent_is_in_the_segment_that_it_is_said_to_be_in() {
    let (queue, growth) = growing("place", 1, Limit::Messages(3));
    let (sender, receiver) = (queue.sender(), queue.receiver());
    sender.send(0).unwrap();
    let ((), at) = growth.send(|ring, side| ring.push(side, 1)).expect("it grows");
    let ring = at.part().expect("it grows").ring();
    assert_eq!((ring.len(), ring.capacity()), (1, 2));
    assert_eq!(receiver.try_iter().collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn room_that_was_made_where_the_limit_had_been_reached_is_found() {
    let (queue, growth) = growing("again", 1, Limit::Messages(3));
    let (sender, receiver) = (queue.sender(), queue.receiver());
    (0..3).for_each(|n| sender.send(n).unwrap());
    assert_eq!(refused(&growth, Refusal::Full), (Unsent::Full, 1));
    assert_eq!(receiver.try_recv(), Ok(0));
    // The first segment has been passed since: there may be another behind the last.
    assert_eq!(refused(&growth, Refusal::Full), (Unsent::Full, 2));
    assert_eq!((queue.capacity(), queue.len()), (3, 2));
    // Of one who dies before it passes what it has emptied the word says nothing.
    sender.send(3).unwrap();
    for n in 1..3 {
        let taken = growth.receive(|ring, side| {
            let claim = ring.take(side)?;
            let value = *ring.value(&claim);
            ring.acknowledge(claim);
            Ok(value)
        });
        assert_eq!(taken.unwrap().expect("there are two").0, n);
    }
    assert_eq!(refused(&growth, Refusal::Full), (Unsent::Full, 3));
    assert_eq!((queue.capacity(), queue.len()), (3, 1));
}

#[test]
fn to_a_queue_that_is_closed_nothing_is_appended() {
    let (queue, growth) = growing("closed", 1, Limit::Messages(3));
    queue.sender().send(0).unwrap();
    queue.close();
    assert_eq!(refused(&growth, Refusal::Full), (Unsent::Closed, 0));
    assert_eq!(queue.capacity(), 1);
}

#[test]
fn rings_that_are_empty_and_refuse_are_no_reason_to_go_on_for_ever() {
    let (queue, growth) = growing("restless", 1, Limit::Messages(2));
    // One is appended, and the one before it passed, in turn.
    let restless = Unsent::Failed(Corruption::Restless.into());
    assert_eq!(refused(&growth, Refusal::Full), (restless, TURNS));
    // Whatever that was, it is over.
    assert!(queue.sender().try_send(1).is_ok());
    assert_eq!(queue.receiver().try_recv(), Ok(1));
}

#[test]
fn a_claim_in_the_anchor_by_an_older_word_makes_room_in_it() {
    let name = format!("unit-stale-{}", std::process::id());
    let options = Queue::<u64>::options().capacity(1).growth(Limit::UntilRefused);
    let queue = options.remove_when_unused().create(&name).unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    let growth = Growth::of(&queue.attachment, &queue.anchored).unwrap();
    let mut rounds = 0..1;
    let (claim, at) = growth
        .receive(|ring, side| {
            // Meanwhile it grows, is drained, comes home, and is full again.
            for _ in rounds.by_ref() {
                (0..9).for_each(|n| sender.send(n).unwrap());
                (0..9).for_each(|n| assert_eq!(receiver.recv(), Ok(n)));
                sender.send(9).unwrap();
            }
            ring.take(side)
        })
        .unwrap()
        .ok()
        .unwrap();
    let seen = growth.look().unwrap();
    assert!(seen.is_anchor(seen.last()) && seen.last() > 1 && seen.ahead() == 0);
    at.part().unwrap().ring().acknowledge(claim);
    assert!(growth.done_with(&at));
}

/// A receiver that found the anchor as the first segment, and is slower than all others: meanwhile it has come home
/// behind a segment that has a message.
#[test]
fn a_message_of_the_anchor_come_home_is_not_taken_by_an_older_word() {
    let name = format!("unit-home-{}", std::process::id());
    let options = Queue::<u64>::options().capacity(1).growth(Limit::UntilRefused);
    let queue = options.remove_when_unused().create(&name).unwrap();
    let sender = queue.sender();
    let [slow, quick] = [0, 1].map(|_| Growth::of(&queue.attachment, &queue.anchored).unwrap());
    let receive = || {
        let take = quick.receive(|ring, side| {
            let claim = ring.take(side)?;
            ring.acknowledge(claim);
            Ok(())
        });
        assert!(take.unwrap().is_ok());
    };
    let mut rounds = 0..1;
    let received = slow.receive(|ring, side| {
        for _ in rounds.by_ref() {
            (0..2).for_each(|n| sender.send(n).unwrap());
            (0..2).for_each(|_| receive());
            assert!(quick.look().unwrap().is_away());
            // One who goes home dies once the word says so; and one who has seen the older word sends.
            let side = ProducerSide::new(queue.attachment.id());
            let filled = quick.fill(|ring| {
                let seen = quick.look().unwrap();
                quick.word().store(seen.returning().unwrap().0, Relaxed);
                ring.push(&side, 2)
            });
            assert!(filled.unwrap().is_ok());
            sender.send(3).unwrap();
        }
        let claim = ring.take(side)?;
        Ok(*ring.value(&claim))
    });
    assert_eq!(received.unwrap().ok().unwrap().0, 2);
    let seen = slow.look().unwrap();
    assert!(seen.is_anchor(seen.last()) && seen.ahead() == 1);
}
