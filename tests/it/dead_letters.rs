//! Messages that nobody can deal with go to the dead letters of their queue.

use std::time::Duration;

use ringway::queue::{DeliveryPolicy, Queue, Receiver};
use ringway::{ErrorKind, Options, RecvError, TryRecvError, TrySendError};

use crate::util::child::{Child, hear, say};
use crate::util::view::View;
use crate::util::{LONG, NO_RECHECK, Name, PROMPT, within};

pub fn play(role: &str, arguments: &[&str]) {
    let queue = Queue::<u64>::options().recheck(NO_RECHECK).open(arguments[0]).unwrap();
    let receiver = match role {
        "take" => queue.receiver(),
        "take dead" => queue.dead_letters().unwrap(),
        _ => panic!("no role {role}"),
    };
    let delivery = receiver.recv_guard().unwrap();
    say(&format!("{} {}", *delivery, delivery.deliveries()));
    hear();
}

fn queues(deliveries: u32, capacity: usize) -> Options<Queue<u64>> {
    let options = Queue::<u64>::options().capacity(4).recheck(NO_RECHECK);
    options.dead_letters(deliveries, capacity)
}

/// Receives without acknowledging, `times` times.
fn refuse(receiver: &Receiver<u64>, times: u32) {
    for n in 1..=times {
        let delivery = receiver.try_recv_guard().unwrap();
        assert_eq!((delivery.deliveries(), delivery.redelivered()), (n, n > 1));
    }
}

#[test]
fn a_message_goes_to_the_dead_letters_after_as_many_deliveries_as_are_allowed() {
    for limit in [1, 2, 5, 15] {
        let queue = queues(limit, 4).unnamed().unwrap();
        let (sender, receiver) = (queue.sender(), queue.receiver());
        let dead = queue.dead_letters().unwrap();
        sender.send_batch(&[7, 8]).unwrap();
        refuse(&receiver, limit);
        assert_eq!(dead.try_recv(), Err(TryRecvError::Empty), "nobody has looked at it since");
        assert_eq!(receiver.recv(), Ok(8), "the next in line");
        let letter = dead.try_recv_guard().unwrap();
        assert_eq!((*letter, letter.deliveries()), (7, limit + 1));
        assert!(letter.redelivered());
        letter.ack();
        assert_eq!(dead.try_recv(), Err(TryRecvError::Empty));
        let done = queue.statistics();
        assert_eq!((done.dead_letters, done.redeliveries), (1, u64::from(limit) - 1));
        let sent = (0..9).take_while(|n| sender.try_send(*n).is_ok()).count();
        assert_eq!(sent, 4, "its slot is free again");
    }
}

#[test]
fn those_who_die_of_a_message_are_rid_of_it_after_as_many_deaths() {
    let name = Name::new("poison");
    let queue = queues(3, 2).create(&name).unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    sender.send_batch(&[13, 14]).unwrap();
    for death in 1..=3 {
        let child = Child::spawn("dead_letters::take", &[&name]);
        child.expect(&format!("13 {death}"));
        child.kill();
        queue.recover().unwrap();
    }
    let child = Child::spawn("dead_letters::take", &[&name]);
    child.expect("14 1");
    let dead = queue.dead_letters().unwrap();
    assert_eq!(dead.recv(), Ok(13));
    child.kill();
    assert_eq!(queue.recover().unwrap().redelivered, 1);
    assert_eq!(receiver.recv(), Ok(14));
}

#[test]
fn while_there_is_no_room_a_message_is_delivered_as_before() {
    let queue = queues(1, 1).unnamed().unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    let dead = queue.dead_letters().unwrap();
    assert_eq!(dead.capacity(), 1);
    sender.send_batch(&[1, 2]).unwrap();
    drop(receiver.recv_guard().unwrap());
    drop(receiver.recv_guard().unwrap());
    for n in 2..5 {
        let again = receiver.recv_guard().unwrap();
        assert_eq!((*again, again.deliveries()), (2, n), "1 fills the dead letters");
    }
    assert_eq!(dead.recv(), Ok(1));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(dead.recv(), Ok(2));
}

#[test]
fn every_way_to_receive_moves_what_was_delivered_too_often() {
    type Way = fn(&Receiver<u64>) -> Option<u64>;
    let ways: [Way; 6] = [
        |receiver| receiver.recv().ok(),
        |receiver| receiver.recv_timeout(LONG).ok(),
        |receiver| receiver.try_recv_batch(&mut [0; 2]).ok().map(|count| count as u64 + 1),
        |receiver| receiver.recv_batch(&mut [0; 2]).ok().map(|count| count as u64 + 1),
        |receiver| receiver.recv_guard().ok().map(|delivery| *delivery),
        |receiver| receiver.try_iter().next(),
    ];
    for way in ways {
        let queue = queues(2, 4).unnamed().unwrap();
        let (sender, receiver) = (queue.sender(), queue.receiver());
        sender.send_batch(&[1, 2]).unwrap();
        refuse(&receiver, 2);
        assert_eq!(way(&receiver), Some(2));
        assert_eq!(queue.dead_letters().unwrap().try_recv(), Ok(1));
    }
}

#[test]
fn dead_letters_of_bytes_are_whole() {
    let options = Queue::<[u8]>::options().capacity(2).message_len(40).dead_letters(1, 2);
    let queue = options.unnamed().unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    for message in [&b""[..], b"undeliverable", &[7; 48]] {
        sender.send(message).unwrap();
        drop(receiver.recv_guard().unwrap());
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        assert_eq!(queue.dead_letters().unwrap().recv().unwrap(), message);
    }
}

#[test]
fn who_waits_for_dead_letters_is_woken_by_one_and_by_the_last_receiver() {
    let name = Name::new("waits");
    let queue = queues(1, 2).create(&name).unwrap();
    let elsewhere = Queue::<u64>::options().recheck(NO_RECHECK).open(&name).unwrap();
    let dead = elsewhere.dead_letters().unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    let view = View::open(name.path());
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| (dead.recv(), dead.recv()));
        assert!(crate::util::eventually(LONG, || view.consumer_waits(1)));
        sender.send(7).unwrap();
        drop(receiver.recv_guard().unwrap());
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        assert!(crate::util::eventually(LONG, || queue.statistics().dead_letters == 1));
        drop(receiver);
        let answers = within(PROMPT, || waiting.join().unwrap());
        assert_eq!(answers, (Ok(7), Err(RecvError::Disconnected)));
    });
    assert_eq!(sender.try_send(1), Err(TrySendError::Disconnected(1)), "it is not a receiver");
}

#[test]
fn a_dead_letter_in_the_hands_of_the_dead_comes_again() {
    let name = Name::new("undertaker");
    let queue = queues(1, 2).create(&name).unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    sender.send(7).unwrap();
    drop(receiver.recv_guard().unwrap());
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    let child = Child::spawn("dead_letters::take dead", &[&name]);
    child.expect("7 2");
    child.kill();
    let dead = queue.dead_letters().unwrap();
    assert_eq!(dead.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(queue.recover().unwrap().redelivered, 1);
    let again = dead.recv_guard_timeout(Duration::ZERO).unwrap();
    assert_eq!((*again, again.deliveries()), (7, 3));
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let refusal = |options: Options<Queue<u64>>| match options.unnamed().unwrap_err().kind() {
        ErrorKind::InvalidOption(why) => *why,
        other => panic!("{other}"),
    };
    for limit in [0, 16, u32::MAX] {
        assert!(refusal(queues(limit, 1)).contains("1 to 15"));
    }
    assert!(refusal(queues(1, 0)).contains("room for at least 1"));
    assert!(refusal(queues(1, usize::MAX)).contains("too large"));
    assert!(refusal(queues(1, 1 << 45)).contains("too large"));
    let once = queues(1, 1).delivery(DeliveryPolicy::AtMostOnce);
    assert!(refusal(once).contains("at least once"));
    assert!(Queue::<u64>::options().unnamed().unwrap().dead_letters().is_none());
}

#[test]
fn headers_with_impossible_dead_letters_are_refused() {
    let name = Name::new("impossible");
    let queue = queues(3, 8).create(&name).unwrap();
    let view = View::open(name.path());
    assert_eq!((view.u32(164), view.u64(168), view.u32(156)), (3, 8, 2));
    let found = (view.u32(160), view.u32(164), view.u64(168));
    for (policy, limit, slots) in
        [(1, 0, 8), (1, 16, 8), (1, 3, 0), (1, 3, 6), (1, 3, 1 << 41), (2, 3, 8)]
    {
        view.put_u32(160, policy);
        view.put_u32(164, limit);
        view.put_u64(168, slots);
        view.seal_header();
        let error = queues(3, 8).open(&name).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::NotASegment(_)), "{error}");
    }
    view.put_u32(160, found.0);
    view.put_u32(164, found.1);
    view.put_u64(168, found.2);
    view.seal_header();
    assert_eq!(queues(1, 1).open(&name).unwrap().dead_letters().unwrap().capacity(), 8);
    drop(queue);
}
