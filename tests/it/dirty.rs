//! What nobody drops: guards and handles that are forgotten, or that a process takes with it however it ends.

use std::mem::forget;
use std::time::Duration;

use ringway::pipe::Connection;
use ringway::queue::{DeliveryPolicy, Queue};
use ringway::spsc::{Consumer, Producer};
use ringway::{Options, Recovered, RecvTimeoutError, TryRecvError, TrySendError};

use crate::util::child::{Child, hear, say};
use crate::util::{NO_RECHECK, Name, os};

/// How a process ends, and the code that tells.
const ENDINGS: [(&str, i32); 5] = [
    ("return", 0),
    ("unwind", 101),
    ("abort", 1000 + libc::SIGABRT),
    ("exit in a thread", 3),
    ("be killed", 1000 + libc::SIGKILL),
];

fn end(how: &str) {
    match how {
        "return" => {}
        "unwind" => panic!("on purpose"),
        "abort" => std::process::abort(),
        "exit in a thread" => {
            std::thread::spawn(|| std::process::exit(3));
            loop {
                std::thread::park();
            }
        }
        "be killed" => os::kill(std::process::id().cast_signed(), libc::SIGKILL),
        _ => panic!("nothing ends so: {how}"),
    }
}

/// Forgets `guard` or keeps it, and ends.
fn end_with<G>(guard: G, forgotten: &str, how: &str) {
    let held = if forgotten == "true" {
        forget(guard);
        None
    } else {
        Some(guard)
    };
    say("holding");
    hear();
    // What is told of a panic on purpose helps nobody.
    std::panic::set_hook(Box::new(|_| ()));
    os::leave_no_core();
    end(how);
    drop(held);
}

pub fn play(role: &str, arguments: &[&str]) {
    let (name, forgotten, how) = (arguments[0], arguments[1], arguments[2]);
    let (queue, producer) = (|| queues().open(name).unwrap(), || producers().open(name).unwrap());
    let consumer = || consumers().open(name).unwrap();
    match role {
        "delivery" => end_with(queue().receiver().recv_guard().unwrap(), forgotten, how),
        "place" => {
            let mut place = queue().sender().reserve().unwrap();
            *place = 666;
            end_with(place, forgotten, how);
        }
        "sender" => end_with(queue().sender(), forgotten, how),
        "receiver" => end_with(queue().receiver(), forgotten, how),
        "producer" => end_with(producer(), forgotten, how),
        "consumer" => end_with(consumer(), forgotten, how),
        "slots" => {
            let mut producer = producer();
            producer.send(1).unwrap();
            let mut slots = producer.try_reserve(2).unwrap();
            slots.fill(666);
            end_with(slots, forgotten, how);
        }
        "values" => {
            let mut consumer = consumer();
            let values = consumer.try_peek(2).unwrap();
            assert_eq!(*values, [1, 2]);
            end_with(values, forgotten, how);
        }
        "record" => {
            let mut end = pipes().open(name).unwrap();
            end.send(b"answer").unwrap();
            let record = end.peek().unwrap();
            assert_eq!(*record, *b"question");
            end_with(record, forgotten, how);
        }
        "room" => {
            let mut end = pipes().open(name).unwrap();
            end.send(b"answer").unwrap();
            let mut room = end.reserve(8).unwrap();
            room.fill(66);
            end_with(room, forgotten, how);
        }
        _ => panic!("no role {role}"),
    }
}

pub fn queues() -> Options<Queue<u64>> {
    Queue::<u64>::options().capacity(4).recheck(NO_RECHECK)
}

fn producers() -> Options<Producer<u64>> {
    Producer::options().capacity(4).recheck(NO_RECHECK)
}

fn consumers() -> Options<Consumer<u64>> {
    Consumer::options().capacity(4).recheck(NO_RECHECK)
}

fn pipes() -> Options<Connection> {
    Connection::options().capacity(64).recheck(NO_RECHECK)
}

/// Has processes end in every way with what `role` holds, forgotten and not. `before` makes the channel; `between` is done
/// while they hold it, `after` once they ended, with the text of how.
fn in_every_way<C>(
    role: &str,
    before: impl Fn(&Name) -> C,
    between: impl Fn(&mut C),
    after: impl Fn(C, &Name, (bool, &str)),
) {
    for (how, code) in ENDINGS {
        for forgotten in ["true", "false"] {
            let name = Name::new("dirty");
            let mut channel = before(&name);
            let mut child = Child::spawn(&format!("dirty::{role}"), &[&name, forgotten, how]);
            child.expect("holding");
            between(&mut channel);
            child.tell("end");
            assert_eq!(child.code(), code, "{how}");
            // With a guard forgotten its handle still says goodbye, if it is dropped.
            let speechless = ["sender", "receiver", "producer", "consumer"].contains(&role);
            let died = (speechless && forgotten == "true") || !["return", "unwind"].contains(&how);
            after(channel, &name, (died, &format!("{role}, forgotten: {forgotten}, {how}")));
        }
    }
}

/// What a queue has to give, with how often it was delivered.
pub fn contents(queue: &Queue<u64>) -> Vec<(u64, u32)> {
    let receiver = queue.receiver();
    let take = || receiver.try_recv_guard().ok();
    let contents = std::iter::from_fn(take).map(|delivery| {
        let fact = (*delivery, delivery.deliveries());
        delivery.ack();
        fact
    });
    contents.collect()
}

/// All that members had is there again, and they are gone.
pub fn is_whole(queue: &Queue<u64>) -> bool {
    let (sender, _receiver) = (queue.sender(), queue.receiver());
    sender.try_send_batch(&[0; 9]) == Ok(4) && queue.members().unwrap().len() == 1
}

fn queue_of(policy: DeliveryPolicy) -> impl Fn(&Name) -> Queue<u64> {
    move |name| {
        let queue = queues().delivery(policy).create(name).unwrap();
        queue.sender().send_batch(&[1, 2]).unwrap();
        queue
    }
}

fn send_3(queue: &mut Queue<u64>) {
    queue.sender().send(3).unwrap();
}

#[test]
fn a_delivery_that_nobody_drops_comes_again_flagged() {
    in_every_way(
        "delivery",
        queue_of(DeliveryPolicy::AtLeastOnce),
        send_3,
        |queue, _, (_, what)| {
            queue.recover().unwrap();
            assert_eq!(contents(&queue), [(1, 2), (2, 1), (3, 1)], "{what}");
            assert!(is_whole(&queue), "{what}");
        },
    );
}

#[test]
fn a_delivery_that_nobody_drops_is_gone_where_messages_come_at_most_once() {
    in_every_way(
        "delivery",
        queue_of(DeliveryPolicy::AtMostOnce),
        send_3,
        |queue, _, (_, what)| {
            queue.recover().unwrap();
            assert_eq!(contents(&queue), [(2, 1), (3, 1)], "{what}");
            assert!(is_whole(&queue), "{what}");
        },
    );
}

#[test]
fn a_place_that_nobody_commits_is_never_seen_and_holds_up_nobody() {
    in_every_way("place", queue_of(DeliveryPolicy::AtLeastOnce), send_3, |queue, _, (_, what)| {
        queue.recover().unwrap();
        assert_eq!(contents(&queue), [(1, 1), (2, 1), (3, 1)], "{what}");
        assert!(is_whole(&queue), "{what}");
    });
}

#[test]
fn a_sender_or_receiver_that_nobody_drops_is_one_until_its_process_ends() {
    let create = |name: &Name| queues().create(name).unwrap();
    let brief = Duration::from_millis(1);
    let expect_nothing = |queue: &mut Queue<u64>| {
        assert_eq!(queue.receiver().recv_timeout(brief), Err(RecvTimeoutError::Timeout));
        assert_eq!(queue.recover().unwrap(), Recovered::default(), "it lives");
    };
    in_every_way("sender", create, expect_nothing, |queue, _, (_, what)| {
        queue.recover().unwrap();
        assert_eq!(queue.receiver().try_recv(), Err(TryRecvError::Disconnected), "{what}");
    });
    let send = |queue: &mut Queue<u64>| queue.sender().try_send(1).unwrap();
    in_every_way("receiver", create, send, |queue, _, (_, what)| {
        queue.recover().unwrap();
        assert_eq!(queue.sender().try_send(2), Err(TrySendError::Disconnected(2)), "{what}");
        assert_eq!(contents(&queue), [(1, 1)], "{what}");
    });
}

#[test]
fn slots_that_nobody_commits_are_never_seen_and_a_producer_that_nobody_drops_is_gone() {
    for (role, sent) in [("slots", &[1][..]), ("producer", &[])] {
        let create = |name: &Name| consumers().create(name).unwrap();
        in_every_way(
            role,
            create,
            |_| (),
            |mut consumer, name, (_, what)| {
                consumer.recover().unwrap();
                assert_eq!(rest(&mut consumer), sent, "{what}");
                assert_eq!(consumer.try_recv(), Err(TryRecvError::Disconnected), "{what}");
                let mut heir = producers().open(name).unwrap();
                assert_eq!(heir.try_send_batch(&[7; 9]), Ok(4), "{what}");
                assert_eq!(consumer.recv(), Ok(7), "{what}");
            },
        );
    }
}

#[test]
fn values_that_nobody_releases_are_there_for_the_next_and_a_consumer_that_nobody_drops_is_gone() {
    for role in ["values", "consumer"] {
        let create = |name: &Name| {
            let mut producer = producers().create(name).unwrap();
            producer.try_send_batch(&[1, 2]).unwrap();
            producer
        };
        in_every_way(
            role,
            create,
            |_| (),
            |mut producer, name, (died, what)| {
                producer.recover().unwrap();
                assert_eq!(producer.try_send(3), Err(TrySendError::Disconnected(3)), "{what}");
                let mut heir = consumers().open(name).unwrap();
                // Looked at and left, or in the hands of the dead.
                assert_eq!(heir.is_redelivered(), died || role == "values", "{what}");
                assert_eq!(rest(&mut heir), [1, 2], "{what}");
                assert_eq!(producer.try_send_batch(&[7; 9]), Ok(4), "{what}");
            },
        );
    }
}

/// What is there to be received.
fn rest(consumer: &mut Consumer<u64>) -> Vec<u64> {
    std::iter::from_fn(|| consumer.try_recv().ok()).collect()
}

#[test]
fn records_that_nobody_releases_or_commits_are_as_they_were_for_the_next() {
    for role in ["record", "room"] {
        let create = |name: &Name| {
            let mut here = pipes().create(name).unwrap();
            here.send(b"question").unwrap();
            here
        };
        in_every_way(
            role,
            create,
            |_| (),
            |mut here, name, (died, what)| {
                here.recover().unwrap();
                assert_eq!(here.try_recv().unwrap(), b"answer", "{what}");
                assert_eq!(here.try_recv(), Err(TryRecvError::Disconnected), "{what}");
                assert_eq!(here.try_send(b"x"), Err(TrySendError::Disconnected(())), "{what}");
                let mut heir = pipes().open(name).unwrap();
                let flagged = died || role == "record";
                assert_eq!(heir.peek().unwrap().redelivered(), flagged, "{what}");
                assert_eq!(heir.try_recv().unwrap(), b"question", "{what}");
                heir.send(&[7; 24]).unwrap();
                assert_eq!(here.recv().unwrap(), [7; 24], "{what}: the longest record there is");
            },
        );
    }
}
