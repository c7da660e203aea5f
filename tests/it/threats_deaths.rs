//! Killed in each state that a member can be in: what the next process finds.

use ringway::queue::Queue;
use ringway::spsc::{Consumer, Producer};
use ringway::{ErrorKind, Options, TryRecvError, TrySendError, Wait};

use crate::util::child::{Child, hear, say};
use crate::util::view::View;
use crate::util::{LONG, NO_RECHECK, Name, eventually};

pub fn play(role: &str, arguments: &[&str]) {
    let name = arguments[0];
    match role {
        "queue" => queue_in(arguments[1], &queues().open_or_create(name).unwrap()),
        "produce" => produce(arguments[1], &mut producers().open_or_create(name).unwrap()),
        "consume" => consume(arguments[1], &mut consumers().open(name).unwrap()),
        _ => panic!("no role {role}"),
    }
}

fn queues() -> Options<Queue<u64>> {
    Queue::<u64>::options().capacity(4).recheck(NO_RECHECK).wait(Wait::Park)
}

fn producers() -> Options<Producer<u64>> {
    Producer::options().capacity(4).recheck(NO_RECHECK).wait(Wait::Park)
}

fn consumers() -> Options<Consumer<u64>> {
    Consumer::options().capacity(4).recheck(NO_RECHECK).wait(Wait::Park)
}

/// States of a member of a queue, and what is there after it died in one: values, and how often delivered.
const QUEUE: [(&str, &[(u64, u32)]); 13] = [
    ("made", &[]),
    ("sent", &[(1, 1), (2, 1)]),
    ("reserved", &[(1, 1), (2, 1)]),
    ("committed", &[(1, 1), (2, 1), (3, 1)]),
    ("aborted", &[(1, 1), (2, 1), (4, 1)]),
    ("received", &[(2, 1)]),
    ("holding", &[(1, 2), (2, 1)]),
    ("holding all", &[(1, 2), (2, 2)]),
    ("acknowledged", &[(2, 1)]),
    ("put back", &[(1, 2), (2, 1)]),
    ("closed", &[(1, 1), (2, 1)]),
    ("asleep for a message", &[]),
    ("asleep for room", &[(1, 1), (2, 1), (3, 1), (4, 1)]),
];

/// Brings a member of a queue into `state`, and stays there.
fn queue_in(state: &str, queue: &Queue<u64>) {
    let (sender, receiver) = (queue.sender(), queue.receiver());
    if state != "made" {
        sender.send_batch(&[1, 2]).unwrap();
    }
    let take = || receiver.recv_guard().unwrap();
    let (mut held, mut places) = (Vec::new(), Vec::new());
    match state {
        "reserved" => places.push(sender.reserve().unwrap()),
        "committed" => {
            let mut place = sender.reserve().unwrap();
            *place = 3;
            place.commit().unwrap();
        }
        "aborted" => {
            drop(sender.reserve().unwrap());
            sender.send(4).unwrap();
        }
        "received" => drop(receiver.recv().unwrap()),
        "holding" => held.push(take()),
        "holding all" => held.extend([take(), take()]),
        "acknowledged" => take().ack(),
        "put back" => drop(take()),
        "closed" => queue.close(),
        "asleep for a message" => assert_eq!((receiver.recv(), receiver.recv()), (Ok(1), Ok(2))),
        "asleep for room" => sender.send_batch(&[3, 4]).unwrap(),
        _ => {}
    }
    say("there");
    match state {
        "asleep for a message" => drop(receiver.recv()),
        "asleep for room" => drop(sender.send(5)),
        _ => drop(hear()),
    }
    drop((held, places));
}

/// Has a process get into `state` and dies there.
fn die_in(role: &str, state: &str, name: &Name) -> View {
    let child = Child::spawn(&format!("deaths::{role}"), &[name, state]);
    child.expect("there");
    let view = View::open(name.path());
    let waits = || view.consumer_waits(0) || view.producer_waits(0);
    if state.starts_with("asleep") {
        assert!(eventually(LONG, || waits() && child.is_asleep()), "{state}");
    }
    child.kill();
    view
}

#[test]
fn who_died_in_any_state_leaves_a_queue_that_the_next_process_takes_up() {
    for (state, expected) in QUEUE {
        let name = Name::new("state");
        let view = die_in("queue", state, &name);
        let error = queues().create(&name).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::AlreadyExists { alive: 0, dead: 1 }, "{state}");
        let queue = queues().open_or_create(&name).unwrap();
        assert_eq!(queue.members().unwrap().len(), 1, "{state}: the dead one is gone");
        let (sender, receiver) = (queue.sender(), queue.receiver());
        let mut found = Vec::new();
        while let Ok(delivery) = receiver.try_recv_guard() {
            found.push((*delivery, delivery.deliveries()));
            delivery.ack();
        }
        assert_eq!(found, expected, "{state}");
        if state == "closed" {
            assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
        } else {
            assert_eq!(sender.try_send_batch(&[0; 9]), Ok(4), "{state}: all room is back");
        }
        let waiting = [view.not_empty(0), view.not_full(0)].map(|event| view.waiting(event));
        assert_eq!(waiting, [[], []], "{state}: no bit of the dead is left");
    }
}

/// States of a producer, and what is there after it died in one.
const PRODUCER: [(&str, &[u64]); 6] = [
    ("made", &[]),
    ("sent", &[1, 2]),
    ("reserved", &[1, 2]),
    ("committed", &[1, 2, 3]),
    ("closed", &[1, 2]),
    ("asleep for room", &[1, 2, 3, 4]),
];

fn produce(state: &str, producer: &mut Producer<u64>) {
    if state != "made" {
        producer.send_batch(&[1, 2]).unwrap();
    }
    match state {
        "reserved" => {
            let mut slots = producer.try_reserve(2).unwrap();
            slots.fill(666);
            say("there");
            hear();
        }
        "committed" => {
            let mut slots = producer.try_reserve(1).unwrap();
            slots.fill(3);
            slots.commit().unwrap();
        }
        "closed" => producer.close(),
        "asleep for room" => {
            producer.send_batch(&[3, 4]).unwrap();
            say("there");
            let _ = producer.send(5);
        }
        _ => {}
    }
    say("there");
    hear();
}

/// States of a consumer to whom 1, 2, 3 were sent, and what its successor finds.
const CONSUMER: [(&str, &[u64]); 6] = [
    ("made", &[1, 2, 3]),
    ("received", &[2, 3]),
    ("peeked", &[1, 2, 3]),
    ("released", &[3]),
    ("closed", &[1, 2, 3]),
    ("asleep for a message", &[]),
];

fn consume(state: &str, consumer: &mut Consumer<u64>) {
    match state {
        "received" => drop(consumer.recv().unwrap()),
        "peeked" => {
            let values = consumer.try_peek(2).unwrap();
            say("there");
            hear();
            values.release();
        }
        "released" => consumer.try_peek(2).unwrap().release(),
        "closed" => consumer.close(),
        "asleep for a message" => {
            assert_eq!(consumer.recv_batch(&mut [0; 3]), Ok(3));
            say("there");
            let _ = consumer.recv();
        }
        _ => {}
    }
    say("there");
    hear();
}

#[test]
fn who_died_in_any_state_leaves_a_stream_that_the_next_process_takes_up() {
    for (state, expected) in PRODUCER {
        let name = Name::new("state");
        let view = die_in("produce", state, &name);
        let mut consumer = consumers().open_or_create(&name).unwrap();
        let found: Vec<u64> = std::iter::from_fn(|| consumer.try_recv().ok()).collect();
        assert_eq!(found, expected, "{state}");
        let mut heir = producers().open(&name).unwrap();
        let room = if state == "closed" { Err(TrySendError::Closed(())) } else { Ok(4) };
        assert_eq!(heir.try_send_batch(&[0; 9]), room, "{state}");
        assert!(!view.producer_waits(0), "{state}");
    }
    for (state, expected) in CONSUMER {
        let name = Name::new("state");
        let mut producer = producers().create(&name).unwrap();
        producer.send_batch(&[1, 2, 3]).unwrap();
        let view = die_in("consume", state, &name);
        let mut heir = consumers().open_or_create(&name).unwrap();
        let found: Vec<u64> = std::iter::from_fn(|| heir.try_recv().ok()).collect();
        assert_eq!(found, expected, "{state}");
        let room = if state == "closed" { Err(TrySendError::Closed(())) } else { Ok(4) };
        assert_eq!(producer.try_send_batch(&[0; 9]), room, "{state}");
        assert!(!view.consumer_waits(0), "{state}");
    }
}

#[test]
fn the_bit_of_a_killed_waiter_costs_wake_ups_until_somebody_cleans_up_and_none_after() {
    let name = Name::new("bit");
    let view = die_in("queue", "asleep for a message", &name);
    let event = view.not_empty(0);
    let epoch = || view.u32(event);
    assert_eq!(view.waiting(event), [0], "the bit of the dead");
    let queue = queues().open(&name).unwrap();
    assert_eq!(view.waiting(event), [], "who opens cleans up");
    let (sender, receiver, before) = (queue.sender(), queue.receiver(), epoch());
    for n in 0..1000 {
        sender.send(n).unwrap();
        assert_eq!(receiver.recv(), Ok(n));
    }
    assert_eq!(epoch(), before, "nobody was woken in vain");
    let child = Child::spawn("deaths::queue", &[&name, "asleep for a message"]);
    child.expect("there");
    assert!(eventually(LONG, || view.consumer_waits(0) && child.is_asleep()));
    child.kill();
    let before = epoch();
    sender.send(1).unwrap();
    assert_eq!((receiver.recv(), epoch()), (Ok(1), before + 1), "the dead one was woken");
    assert_eq!(queue.recover().unwrap().members, 1);
    let before = epoch();
    sender.send(1).unwrap();
    assert_eq!((receiver.recv(), epoch()), (Ok(1), before));
}
