//! Members that die with blocks in hand: in each state, and at any instant again and again.

use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

use ringway::queue::{DeliveryPolicy, Queue};
use ringway::{Options, RecvTimeoutError, TrySendError};

use crate::queue_long::{assert_all_free, fill, message};
use crate::util::child::{Child, hear, say};
use crate::util::view::View;
use crate::util::{LONG, NO_RECHECK, Name, Random, within};

type Bytes = Queue<[u8]>;

const SMALL: usize = 100;
const LARGE: usize = 200_000;

fn options() -> Options<Bytes> {
    let options = Bytes::options().capacity(8).message_len(16).remove_when_unused();
    options.blocks(SMALL, 3).max_message(LARGE).attachments(2).recheck(NO_RECHECK)
}

pub fn play(role: &str, arguments: &[&str]) {
    let queue = options().open(arguments[0]).unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    match role {
        "reserves" => {
            let held = [SMALL, LARGE].map(|len| sender.reserve(len).unwrap());
            say("held");
            hear();
            drop(held);
        }
        "receives" => {
            let held = [0, 1].map(|_| receiver.recv_guard().unwrap());
            say("held");
            hear();
            drop(held);
        }
        "attends" => {
            say("here");
            hear();
        }
        "sends" => {
            for n in 0..3u64 {
                sender.send(&message(n, if n == 1 { LARGE } else { SMALL })).unwrap();
            }
            say("sent");
            hear();
        }
        "sends for ever" => {
            let mut random = Random(arguments[1].parse().unwrap());
            say("begins");
            for n in 0u64.. {
                let len = 16 + random.below(if n % 7 == 0 { LARGE - 16 } else { SMALL - 16 });
                let Ok(mut grant) = sender.reserve(len) else { return };
                grant[..8].copy_from_slice(&n.to_le_bytes());
                fill(&mut grant[8..], n);
                if n % 5 == 0 { drop(grant) } else { grant.commit().unwrap() }
            }
        }
        "receives for ever" => {
            say("begins");
            while let Ok(delivery) = receiver.recv_guard() {
                assert_whole(&delivery);
                delivery.ack();
            }
        }
        other => panic!("no role {other}"),
    }
}

fn assert_whole(bytes: &[u8]) {
    let seed = u64::from_le_bytes(bytes[..8].try_into().unwrap());
    assert!(bytes[8..] == message(seed, bytes.len() - 8), "message {seed} of {}", bytes.len());
}

#[test]
fn blocks_that_the_dead_had_reserved_are_free_and_what_they_sent_arrives() {
    let name = Name::new("reserved");
    let queue = options().create(&name).unwrap();
    let receiver = queue.receiver();
    let child = Child::spawn("queue_long_deaths::reserves", &[&name]);
    child.expect("held");
    assert_eq!(queue.blocks().iter().map(|usage| usage.owned).sum::<usize>(), 2);
    child.kill();
    assert_eq!(queue.recover().unwrap().aborted, 2);
    assert_all_free(&queue);
    let child = Child::spawn("queue_long_deaths::sends", &[&name]);
    child.expect("sent");
    child.kill();
    queue.recover().unwrap();
    for n in 0..3u64 {
        let expected = message(n, if n == 1 { LARGE } else { SMALL });
        assert!(receiver.recv_timeout(LONG).unwrap() == expected);
    }
    assert_all_free(&queue);
}

#[test]
fn what_a_dead_receiver_held_comes_again_or_is_dropped_with_its_blocks() {
    for policy in [DeliveryPolicy::AtLeastOnce, DeliveryPolicy::AtMostOnce] {
        let name = Name::new("held");
        let queue = options().delivery(policy).create(&name).unwrap();
        let (sender, receiver) = (queue.sender(), queue.receiver());
        sender.send(&message(1, SMALL)).unwrap();
        sender.send(&message(2, LARGE)).unwrap();
        let child = Child::spawn("queue_long_deaths::receives", &[&name]);
        child.expect("held");
        child.kill();
        let recovered = queue.recover().unwrap();
        if policy == DeliveryPolicy::AtLeastOnce {
            assert_eq!(recovered.redelivered, 2);
            for (n, len) in [(1, SMALL), (2, LARGE)] {
                let delivery = receiver.recv_guard().unwrap();
                assert!(delivery.redelivered() && *delivery == message(n, len));
                delivery.ack();
            }
        } else {
            assert_eq!(recovered.dropped, 2);
        }
        assert!(receiver.try_recv().is_err());
        assert_all_free(&queue);
    }
}

#[test]
fn who_waits_for_a_block_of_the_dead_gets_it() {
    let name = Name::new("waits");
    let queue = options().recheck(Duration::from_millis(20)).create(&name).unwrap();
    let (sender, _receiver) = (queue.sender(), queue.receiver());
    let child = Child::spawn("queue_long_deaths::reserves", &[&name]);
    child.expect("held");
    let _one = sender.reserve(LARGE).unwrap();
    child.strike();
    within(LONG, || drop(sender.reserve(LARGE).unwrap()));
}

#[test]
fn who_waits_for_a_block_with_a_message_of_the_dead_gets_it() {
    let name = Name::new("reads");
    let options = options().delivery(DeliveryPolicy::AtMostOnce);
    let queue = options.create(&name).unwrap();
    let (sender, _receiver) = (queue.sender(), queue.receiver());
    (0..2).for_each(|n| sender.send(&message(n, LARGE)).unwrap());
    let child = Child::spawn("queue_long_deaths::receives", &[&name]);
    child.expect("held");
    child.strike();
    // Nobody looks who died for the sake of a recheck.
    within(LONG, || sender.send(&message(2, LARGE)).unwrap());
}

#[test]
fn who_only_tries_to_send_long_messages_learns_that_the_last_receiver_died() {
    let name = Name::new("tries");
    let queue = options().recheck(Duration::from_millis(20)).create(&name).unwrap();
    let sender = queue.sender();
    let child = Child::spawn("queue_long_deaths::attends", &[&name]);
    child.expect("here");
    (0..8).for_each(|_| sender.send(&[1; 10]).unwrap());
    assert_eq!(sender.try_send(&[1; SMALL]), Err(TrySendError::Full(())));
    child.kill();
    within(LONG, || while sender.try_send(&[1; SMALL]) == Err(TrySendError::Full(())) {});
    assert_eq!(sender.try_send(&[1; SMALL]), Err(TrySendError::Disconnected(())));
}

#[test]
fn memory_that_the_dead_had_not_noted_yet_is_given_back() {
    let name = Name::new("unnoted");
    let queue = options().max_members(4).create(&name).unwrap();
    let used = || name.path().metadata().unwrap().blocks() * 512;
    let before = used();
    let child = Child::spawn("queue_long_deaths::reserves", &[&name]);
    child.expect("held");
    assert!(used() >= before + LARGE as u64);
    // As one leaves it that dies while it gets the memory, or gives it back.
    let view = View::open(name.path());
    let noted = view.u64(136) + 128 * 3 + 8;
    assert!(view.u64(noted) >= LARGE as u64);
    view.put_u64(noted, 0);
    child.kill();
    queue.recover().unwrap();
    assert_eq!(used(), before);
    assert_all_free(&queue);
}

#[test]
fn senders_are_told_of_blocks_that_were_taken_away_to_be_trimmed() {
    let name = Name::new("trimmed");
    let options = options().delivery(DeliveryPolicy::AtMostOnce).max_members(4);
    let queue = options.create(&name).unwrap();
    let (sender, _receiver) = (queue.sender(), queue.receiver());
    let view = View::open(name.path());
    let told = || view.u32(view.not_full(0));
    // What a reserved place leaves.
    drop(sender.reserve(LARGE).unwrap());
    let before = told();
    assert!(queue.trim() >= LARGE as u64);
    assert_eq!((told(), queue.trim(), told()), (before + 1, 0, before + 1));
    // What a receiver leaves that died: once for what it held, and once for what was trimmed.
    (0..2).for_each(|n| sender.send(&message(n, LARGE)).unwrap());
    let child = Child::spawn("queue_long_deaths::receives", &[&name]);
    child.expect("held");
    child.kill();
    let before = told();
    assert_eq!(queue.recover().unwrap().dropped, 2);
    assert!(told() >= before + 2, "{before} {}", told());
    assert_all_free(&queue);
}

/// Senders and receivers are killed at any instant, for some seconds; what is received is whole, and no block is lost.
#[test]
fn kills_at_any_instant_lose_no_block_and_tear_no_message() {
    let name = Name::new("kills");
    let options = options().recheck(Duration::from_millis(20));
    let queue = options.create(&name).unwrap();
    let spawn = |sends: bool, seed: u64| {
        let role = if sends { "sends for ever" } else { "receives for ever" };
        let child =
            Child::spawn(&format!("queue_long_deaths::{role}"), &[&name, &seed.to_string()]);
        child.expect("begins");
        child
    };
    // Nobody is told that the other side has gone.
    let (sender, receiver) = (queue.sender(), queue.receiver());
    let mut random = Random(std::process::id().into());
    let mut crew: Vec<Child> = (0..4).map(|n| spawn(n < 2, n)).collect();
    let began = Instant::now();
    let mut kills = 0u64;
    while began.elapsed() < Duration::from_secs(6) || kills <= 20 && began.elapsed() < LONG {
        let until = Instant::now() + Duration::from_micros(random.next() % 20_000);
        while Instant::now() < until {
            match receiver.recv_timeout(Duration::from_micros(500)) {
                Ok(bytes) => assert_whole(&bytes),
                Err(RecvTimeoutError::Timeout) => {}
                Err(why) => panic!("{why}"),
            }
        }
        let place = random.below(crew.len());
        kills += 1;
        let next = spawn(place < 2, kills + 10);
        std::mem::replace(&mut crew[place], next).kill();
    }
    crew.into_iter().for_each(Child::kill);
    queue.recover().unwrap();
    while let Ok(bytes) = receiver.try_recv() {
        assert_whole(&bytes);
    }
    assert_all_free(&queue);
    assert!(kills > 20, "{kills} kills");
    // And everything serves again.
    for n in 0..20 {
        let bytes = message(n, if n % 2 == 0 { SMALL } else { LARGE });
        sender.send(&bytes).unwrap();
        assert!(receiver.recv().unwrap() == bytes);
    }
    assert_all_free(&queue);
}
