//! Who is attached to a queue, and what becomes of what the dead had in hand.

use std::time::Duration;

use ringway::Member;
use ringway::queue::{DeliveryPolicy, Queue};
use ringway::{ErrorKind, RecvTimeoutError, SendTimeoutError, TryRecvError, Wait};

use crate::util::child::{Child, hear, say};
use crate::util::view::View;
use crate::util::{LONG, NO_RECHECK, Name, PROMPT, eventually};

const RECHECK: Duration = Duration::from_millis(20);
const WAITS: [Wait; 3] = [Wait::Spin, Wait::SpinThenPark, Wait::Park];
const POLICIES: [DeliveryPolicy; 2] = [DeliveryPolicy::AtLeastOnce, DeliveryPolicy::AtMostOnce];

pub fn play(role: &str, arguments: &[&str]) {
    let queue = Queue::<u64>::options().recheck(NO_RECHECK).open(arguments[0]).unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    match role {
        "hold" => {
            let deliveries: Vec<_> = arguments[1].split(',').collect();
            let held = deliveries.iter().map(|_| receiver.recv_guard().unwrap());
            let held: Vec<_> = held.collect();
            say("holding");
            hear();
            drop(held);
        }
        "reserve" => {
            let mut grants = [sender.reserve().unwrap(), sender.reserve().unwrap()];
            for grant in &mut grants {
                **grant = 666;
            }
            say("holding");
            hear();
        }
        "be there" => {
            let _more = [sender.clone(), sender.clone()];
            say("open");
            hear();
        }
        "sleep" => {
            say("open");
            let _ = receiver.recv();
        }
        _ => panic!("no role {role}"),
    }
}

/// Number, life, senders and receivers.
fn facts(members: &[Member]) -> Vec<(usize, bool, u32, u32)> {
    let facts = |m: &Member| (m.id().index(), m.is_alive(), m.senders(), m.receivers());
    members.iter().map(facts).collect()
}

#[test]
fn members_are_told_with_their_roles_while_they_live_and_once_they_are_dead() {
    let name = Name::new("members");
    let options = Queue::<u64>::options().recheck(NO_RECHECK);
    let queue = options.create(&name).unwrap();
    assert_eq!(facts(&queue.members().unwrap()), [(0, true, 0, 0)]);
    let (_sender, receiver) = (queue.sender(), queue.receiver());
    let more = receiver.clone();
    let child = Child::spawn("queue_members::be there", &[&name]);
    child.expect("open");
    let members = queue.members().unwrap();
    assert_eq!(facts(&members), [(0, true, 1, 2), (1, true, 3, 1)]);
    assert_eq!(members[0].pid(), std::process::id());
    assert_eq!(i32::try_from(members[1].pid()), Ok(child.pid()));
    drop(more);
    child.kill();
    assert_eq!(facts(&queue.members().unwrap()), [(0, true, 1, 1), (1, false, 3, 1)]);
    let error = options.create(&name).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::AlreadyExists { alive: 1, dead: 1 });
    let other = options.open(&name).unwrap();
    let members = queue.members().unwrap();
    assert!(members.iter().all(Member::is_alive), "the next to come has cleaned up: {members:?}");
    assert_eq!((members.len(), other.members().unwrap()), (2, members));
}

/// Sends 1 to 4, and lets a child take some of them into its hands or reserve two places, and die there.
fn die_with(name: &Name, role: &str, held: &str, policy: DeliveryPolicy, wait: Wait) -> Queue<u64> {
    let options = Queue::<u64>::options().capacity(8).delivery(policy).wait(wait).recheck(RECHECK);
    let queue = options.create(name).unwrap();
    queue.sender().send_batch(&[1, 2]).unwrap();
    let mut child = Child::spawn(&format!("queue_members::{role}"), &[name, held]);
    child.expect("holding");
    queue.sender().send_batch(&[3, 4]).unwrap();
    child.strike();
    assert_eq!(child.code(), 1000 + libc::SIGKILL);
    queue
}

/// What comes out now, each with the number of its delivery.
fn contents(queue: &Queue<u64>) -> Vec<(u64, u32)> {
    let receiver = queue.receiver();
    let take = || receiver.try_recv_guard().ok();
    let contents = std::iter::from_fn(take).map(|delivery| {
        let fact = (*delivery, delivery.deliveries());
        delivery.ack();
        fact
    });
    contents.collect()
}

#[test]
fn what_the_dead_held_comes_again_flagged_or_is_dropped_at_the_next_attachment() {
    for policy in POLICIES {
        let name = Name::new("held");
        let _queue = die_with(&name, "hold", "1,2", policy, Wait::Park);
        let queue = Queue::<u64>::options().open(&name).unwrap();
        let again: &[(u64, u32)] = &[(1, 2), (2, 2)];
        let again = if policy == DeliveryPolicy::AtLeastOnce { again } else { &[] };
        let expected = [again, &[(3, 1), (4, 1)]].concat();
        assert_eq!(contents(&queue), expected, "{policy:?}");
        let (sender, _receiver) = (queue.sender(), queue.receiver());
        assert_eq!(sender.try_send_batch(&[0; 9]), Ok(8), "all slots are free");
    }
}

#[test]
fn what_the_dead_had_reserved_is_passed_over_at_the_next_attachment() {
    for policy in POLICIES {
        let name = Name::new("reserved");
        let _queue = die_with(&name, "reserve", "", policy, Wait::Park);
        let queue = Queue::<u64>::options().open(&name).unwrap();
        assert_eq!(contents(&queue), [(1, 1), (2, 1), (3, 1), (4, 1)], "{policy:?}");
        let (sender, _receiver) = (queue.sender(), queue.receiver());
        assert_eq!(sender.try_send_batch(&[0; 9]), Ok(8), "all slots are free");
    }
}

#[test]
fn a_receiver_that_waits_gets_what_the_dead_held_within_a_recheck() {
    for wait in WAITS {
        let name = Name::new("held");
        let queue = die_with(&name, "hold", "1,2", DeliveryPolicy::AtLeastOnce, wait);
        let (_sender, receiver) = (queue.sender(), queue.receiver());
        let mut got = Vec::new();
        for _ in 0..4 {
            let delivery = receiver.recv_guard_timeout(LONG).unwrap();
            got.push((*delivery, delivery.redelivered()));
            delivery.ack();
        }
        assert_eq!(got[..2], [(3, false), (4, false)], "{wait:?}: nobody has looked so far");
        assert_eq!(got[2..], [(1, true), (2, true)], "{wait:?}");
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    }
}

#[test]
fn a_receiver_that_waits_passes_over_what_the_dead_had_reserved_within_a_recheck() {
    for wait in WAITS {
        let name = Name::new("reserved");
        let queue = die_with(&name, "reserve", "", DeliveryPolicy::AtLeastOnce, wait);
        let (_sender, receiver) = (queue.sender(), queue.receiver());
        let got = [(); 4].map(|()| receiver.recv_timeout(LONG));
        assert_eq!(got, [Ok(1), Ok(2), Ok(3), Ok(4)], "{wait:?}");
    }
}

#[test]
fn a_sender_that_waits_gets_the_room_that_the_dead_held_within_a_recheck() {
    for wait in WAITS {
        let name = Name::new("room");
        let queue = die_with(&name, "hold", "1,2", DeliveryPolicy::AtMostOnce, wait);
        let (sender, receiver) = (queue.sender(), queue.receiver());
        for n in 5..=10 {
            sender.send_timeout(n, LONG).unwrap();
        }
        assert_eq!(
            sender.send_timeout(11, RECHECK),
            Err(SendTimeoutError::Timeout(11)),
            "{wait:?}"
        );
        assert_eq!(receiver.try_iter().count(), 8);
    }
}

#[test]
fn a_poller_finds_the_dead_too() {
    let name = Name::new("poll");
    let queue = die_with(&name, "reserve", "", DeliveryPolicy::AtLeastOnce, Wait::Park);
    let (_sender, receiver) = (queue.sender(), queue.receiver());
    assert_eq!((receiver.try_recv(), receiver.try_recv()), (Ok(1), Ok(2)));
    assert!(eventually(LONG, || receiver.try_recv() == Ok(3)), "it asked for ever in vain");
}

#[test]
fn what_a_handler_dies_of_again_and_again_counts_its_deliveries() {
    let name = Name::new("poison");
    let queue = Queue::<u64>::options().capacity(2).recheck(RECHECK).create(&name).unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    sender.send(666).unwrap();
    for _ in 0..3 {
        let child = Child::spawn("queue_members::hold", &[&name, "one"]);
        child.expect("holding");
        child.kill();
    }
    let delivery = receiver.recv_guard_timeout(LONG).unwrap();
    assert_eq!((*delivery, delivery.deliveries()), (666, 4));
    delivery.ack();
}

#[test]
fn the_death_of_the_last_sender_or_receiver_is_a_disconnect_within_a_recheck() {
    for wait in WAITS {
        let name = Name::new("last");
        let options = Queue::<u64>::options().capacity(1).recheck(RECHECK).wait(wait);
        let queue = options.create(&name).unwrap();
        let child = Child::spawn("queue_members::be there", &[&name]);
        child.expect("open");
        let receiver = queue.receiver();
        assert_eq!(receiver.recv_timeout(RECHECK), Err(RecvTimeoutError::Timeout));
        child.kill();
        assert_eq!(receiver.recv_timeout(LONG), Err(RecvTimeoutError::Disconnected), "{wait:?}");
        drop(receiver);
        let child = Child::spawn("queue_members::be there", &[&name]);
        child.expect("open");
        let sender = queue.sender();
        sender.send(1).unwrap();
        assert_eq!(sender.send_timeout(2, RECHECK), Err(SendTimeoutError::Timeout(2)));
        child.kill();
        let late = sender.send_timeout(2, LONG);
        assert_eq!(late, Err(SendTimeoutError::Disconnected(2)), "{wait:?}");
    }
}

#[test]
fn a_wake_up_that_a_killed_waiter_took_with_it_is_made_good_within_a_recheck() {
    let name = Name::new("waiter");
    let options = Queue::<u64>::options().recheck(10 * RECHECK).wait(Wait::Park);
    let queue = options.create(&name).unwrap();
    let (sender, receiver, view) = (queue.sender(), queue.receiver(), View::open(name.path()));
    let child = Child::spawn("queue_members::sleep", &[&name]);
    child.expect("open");
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| receiver.recv_timeout(LONG));
        assert!(eventually(LONG, || view.waiting(view.not_empty(0)) == [0, 1]));
        child.strike();
        sender.send(5).unwrap();
        assert!(eventually(PROMPT, || waiting.is_finished()), "the wake-up is gone for good");
        assert_eq!(waiting.join().unwrap(), Ok(5));
    });
}

#[test]
fn seventy_members_have_bits_of_their_own_and_each_is_woken() {
    let name = Name::new("seventy");
    let options = Queue::<u64>::options().max_members(512).wait(Wait::Park).recheck(NO_RECHECK);
    let queue = options.create(&name).unwrap();
    let view = View::open(name.path());
    let mut others: Vec<_> = (1..70).map(|_| options.open(&name).unwrap()).collect();
    assert_eq!(queue.members().unwrap().len(), 70);
    let last = others.pop().unwrap();
    let (sender, receiver) = (queue.sender(), last.receiver());
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| receiver.recv_timeout(LONG));
        assert!(eventually(LONG, || view.waiting(view.not_empty(0)) == [69]));
        sender.send(1).unwrap();
        assert!(eventually(PROMPT, || waiting.is_finished()), "member 69 sleeps on");
        assert_eq!(waiting.join().unwrap(), Ok(1));
    });
    let receivers: Vec<_> = others.iter().chain([&queue, &last]).map(Queue::receiver).collect();
    std::thread::scope(|scope| {
        let waiting = receivers.iter().map(|receiver| scope.spawn(|| receiver.recv_timeout(LONG)));
        let waiting: Vec<_> = waiting.collect();
        assert!(eventually(LONG, || view.waiting(view.not_empty(0)).len() == 70));
        queue.close();
        assert!(eventually(PROMPT, || waiting
            .iter()
            .all(std::thread::ScopedJoinHandle::is_finished)));
    });
    assert!(view.waiting(view.not_empty(0)).is_empty());
}

#[test]
fn members_beyond_the_last_are_refused_and_come_in_when_one_leaves_or_dies() {
    for limit in [2, 512] {
        let name = Name::new("limit");
        let options = Queue::<u64>::options().max_members(limit).capacity(2);
        let first = options.create(&name).unwrap();
        let mut others: Vec<_> = (2..limit).map(|_| options.open(&name).unwrap()).collect();
        let child = Child::spawn("queue_members::be there", &[&name]);
        child.expect("open");
        let error = options.open(&name).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::TooManyMembers { limit });
        others.truncate(1);
        child.kill();
        let last = options.open(&name).expect("a dead member's number is free");
        let (sender, receiver) = (last.sender(), first.receiver());
        sender.send(1).unwrap();
        assert_eq!(receiver.recv(), Ok(1));
    }
}
