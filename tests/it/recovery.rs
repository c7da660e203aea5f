//! Deaths that somebody notices before any recheck: because they are in the way, because a thread looks out for them,
//! or because somebody asks.

use std::time::Duration;

use ringway::queue::{DeliveryPolicy, Queue};
use ringway::spsc::{Consumer, Producer};
use ringway::{
    Member, Options, RecvError, RecvTimeoutError, SendTimeoutError, TryRecvError, Wait, pipe,
};

use crate::util::child::{Child, hear, say, state_of};
use crate::util::view::{ARRIVALS, View};
use crate::util::{LONG, NO_RECHECK, Name, PROMPT, eventually, within};

const WAITS: [Wait; 3] = [Wait::Spin, Wait::SpinThenPark, Wait::Park];

pub fn play(role: &str, arguments: &[&str]) {
    let name = arguments[0];
    let open = || Queue::<u64>::options().recheck(NO_RECHECK).open(name).unwrap();
    match role {
        "reserve" => {
            let _grant = open().sender().reserve().unwrap();
            say("holding");
            hear();
        }
        "take" => {
            let _delivery = open().receiver().recv_guard().unwrap();
            say("holding");
            hear();
        }
        "send" => {
            let _sender = open().sender();
            say("open");
            hear();
        }
        "sleep" => {
            let receiver = open().receiver();
            say("open");
            let _ = receiver.recv();
        }
        "produce" => {
            let _producer = Producer::<u64>::options().open(name).unwrap();
            say("open");
            hear();
        }
        "consume" => {
            let _consumer = Consumer::<u64>::options().open(name).unwrap();
            say("open");
            hear();
        }
        "connect" => {
            let _connection = pipe::Connection::options().open(name).unwrap();
            say("open");
            hear();
        }
        _ => panic!("no role {role}"),
    }
}

/// A queue whose rechecks come too late for any test.
fn queues() -> Options<Queue<u64>> {
    Queue::<u64>::options().capacity(4).recheck(NO_RECHECK)
}

fn spawn(role: &str, name: &Name, answer: &str) -> Child {
    let child = Child::spawn(&format!("recovery::{role}"), &[name]);
    child.expect(answer);
    child
}

#[test]
fn a_receiver_waits_no_longer_than_its_claimer_lives() {
    for wait in WAITS {
        let name = Name::new("claimer");
        let queue = queues().wait(wait).create(&name).unwrap();
        let (sender, receiver) = (queue.sender(), queue.receiver());
        let child = spawn("reserve", &name, "holding");
        sender.send(7).unwrap();
        let answer = std::thread::scope(|scope| {
            let waiting = scope.spawn(|| receiver.recv_timeout(LONG));
            let busy = queue.members().unwrap();
            assert_eq!(busy.iter().map(Member::is_busy).collect::<Vec<_>>(), [false, true]);
            child.kill();
            within(PROMPT, || waiting.join().unwrap())
        });
        assert_eq!(answer, Ok(7), "{wait:?}");
        let done = queue.statistics();
        assert_eq!((done.recoveries, done.aborted, done.redeliveries), (1, 1, 0));
    }
}

#[test]
fn a_sender_waits_no_longer_than_the_reader_of_its_slot_lives() {
    for (wait, policy) in WAITS.into_iter().zip([
        DeliveryPolicy::AtLeastOnce,
        DeliveryPolicy::AtMostOnce,
        DeliveryPolicy::AtMostOnce,
    ]) {
        let name = Name::new("reader");
        let queue = queues().wait(wait).delivery(policy).create(&name).unwrap();
        let (sender, receiver) = (queue.sender(), queue.receiver());
        sender.send_batch(&[1, 2, 3, 4]).unwrap();
        let child = spawn("take", &name, "holding");
        let outcome = std::thread::scope(|scope| {
            let waiting = scope.spawn(|| sender.send_timeout(5, LONG));
            child.kill();
            if policy == DeliveryPolicy::AtLeastOnce {
                let again = within(PROMPT, || {
                    loop {
                        match receiver.recv_guard().unwrap() {
                            again if again.redelivered() => return again,
                            other => other.ack(),
                        }
                    }
                });
                assert_eq!((*again, again.deliveries()), (1, 2));
                again.ack();
            }
            within(PROMPT, || waiting.join().unwrap())
        });
        assert_eq!(outcome, Ok(()), "{wait:?}");
        let done = queue.statistics();
        let dropped = u64::from(policy == DeliveryPolicy::AtMostOnce);
        assert_eq!((done.recoveries, done.dropped, done.redeliveries), (1, dropped, 1 - dropped));
    }
}

#[test]
fn who_only_polls_gets_past_a_dead_claimer_and_a_dead_reader() {
    let name = Name::new("polls");
    let queue = queues().recheck(Duration::from_secs(1)).create(&name).unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    let child = spawn("reserve", &name, "holding");
    let holder = queue.members().unwrap()[1].id();
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Busy(holder)));
    child.kill();
    sender.send(7).unwrap();
    assert!(eventually(LONG, || receiver.try_recv() == Ok(7)));
    sender.send_batch(&[1, 2, 3, 4]).unwrap();
    let child = spawn("take", &name, "holding");
    child.kill();
    assert!(eventually(LONG, || {
        let _ = sender.try_send(9);
        receiver.try_recv_guard().is_ok_and(|delivery| {
            let again = delivery.redelivered();
            delivery.ack();
            again
        })
    }));
    assert_eq!(queue.statistics().recoveries, 2);
}

#[test]
fn a_stopped_claimer_is_busy_and_keeps_its_slot() {
    let name = Name::new("stopped");
    let queue = queues().create(&name).unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    let child = spawn("reserve", &name, "holding");
    child.signal(libc::SIGSTOP);
    assert!(eventually(LONG, || state_of(child.pid()) == Some('T')));
    sender.send(7).unwrap();
    let holder = queue.members().unwrap()[1].id();
    let waited = receiver.recv_timeout(Duration::from_millis(50));
    assert_eq!(waited, Err(RecvTimeoutError::Timeout));
    assert_eq!(queue.recover().unwrap(), ringway::Recovered::default());
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Busy(holder)));
    assert!(queue.members().unwrap()[1].is_alive());
    child.kill();
    assert_eq!(within(PROMPT, || receiver.recv()), Ok(7));
}

#[test]
fn recover_takes_back_now_and_says_what() {
    let name = Name::new("recover");
    let queue = queues().create(&name).unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    sender.send(1).unwrap();
    for role in ["take", "reserve", "reserve"] {
        spawn(role, &name, "holding").kill();
    }
    // Two at once: what each took back is counted once.
    let other = queues().open(&name).unwrap();
    let before = queue.statistics();
    spawn("reserve", &name, "holding").kill();
    let both = std::thread::scope(|scope| {
        let theirs = scope.spawn(|| other.recover().unwrap());
        [queue.recover().unwrap(), theirs.join().unwrap()]
    });
    let sum = |of: fn(&ringway::Recovered) -> u64| both.iter().map(of).sum::<u64>();
    assert_eq!([sum(|r| r.members), sum(|r| r.aborted), sum(|r| r.redelivered)], [1, 1, 0]);
    let after = queue.statistics();
    assert_eq!((after.recoveries, after.aborted), (before.recoveries + 1, before.aborted + 1));
    assert_eq!((after.recoveries, after.aborted, after.redeliveries), (4, 3, 0));
    assert_eq!(queue.recover().unwrap(), ringway::Recovered::default());
    assert_eq!(receiver.recv(), Ok(1));
    assert_eq!(queue.statistics().redeliveries, 1);
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty), "aborted slots are passed over");
    let sent = (0..10).take_while(|n| sender.try_send(*n).is_ok()).count();
    assert_eq!(sent, 4, "all capacity is back");
}

#[test]
fn a_killed_sleeper_costs_wake_ups_only_until_somebody_wonders() {
    let name = Name::new("bit");
    let queue = queues().create(&name).unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    let child = spawn("sleep", &name, "open");
    let view = View::open(name.path());
    assert!(eventually(LONG, || view.consumer_waits(0) && child.is_asleep()));
    child.kill();
    assert!(view.consumer_waits(0), "its bit is still there");
    let cleared = (0..10_000).find(|n| {
        sender.send(*n).unwrap();
        assert_eq!(receiver.recv(), Ok(*n));
        !view.consumer_waits(0)
    });
    // A wake-up that reached nobody counts as 64 notifications that were spared one.
    assert_eq!(cleared, Some(4096 - 64), "after that many notifications that reached nobody");
}

#[test]
fn with_a_watcher_everybody_learns_of_a_death_at_once() {
    for wait in [Wait::SpinThenPark, Wait::Park] {
        let name = Name::new("watched");
        let queue = queues().wait(wait).watch().create(&name).unwrap();
        let receiver = queue.receiver();
        let child = spawn("send", &name, "open");
        let answer = std::thread::scope(|scope| {
            let waiting = scope.spawn(|| receiver.recv());
            child.kill();
            within(PROMPT, || waiting.join().unwrap())
        });
        assert_eq!(answer, Err(RecvError::Disconnected), "{wait:?}");
        // The watcher counts after it has woken whoever waits.
        assert!(eventually(LONG, || queue.statistics().recoveries == 1), "{wait:?}");
    }
}

#[test]
fn a_watcher_serves_the_ends_of_channels_of_two() {
    let name = Name::new("watched");
    let mut consumer =
        Consumer::<u64>::options().recheck(NO_RECHECK).watch().create(&name).unwrap();
    let child = spawn("produce", &name, "open");
    child.strike();
    assert_eq!(within(PROMPT, || consumer.recv()), Err(RecvError::Disconnected));

    let name = Name::new("watched");
    let options = Producer::<u64>::options().capacity(1).recheck(NO_RECHECK);
    let mut producer = options.watch().create(&name).unwrap();
    let child = spawn("consume", &name, "open");
    producer.send(1).unwrap();
    child.strike();
    let answer = within(PROMPT, || producer.send_timeout(2, LONG));
    assert_eq!(answer, Err(SendTimeoutError::Disconnected(2)));

    let name = Name::new("watched");
    let options = pipe::Connection::options().recheck(NO_RECHECK).watch();
    let mut here = options.create(&name).unwrap();
    let child = spawn("connect", &name, "open");
    child.strike();
    assert_eq!(within(PROMPT, || here.recv()), Err(RecvError::Disconnected));
}

#[test]
fn a_watcher_ends_with_its_handle() {
    let name = Name::new("watched");
    let queue = queues().create(&name).unwrap();
    let watched = queues().watch().open(&name).unwrap();
    let receiver = watched.receiver();
    let watchers = || {
        let tasks = std::fs::read_dir("/proc/self/task").unwrap();
        let comm = |task: std::io::Result<std::fs::DirEntry>| {
            std::fs::read_to_string(task.ok()?.path().join("comm")).ok()
        };
        tasks.filter_map(comm).filter(|comm| comm.trim() == "ringway-watcher").count()
    };
    assert!(eventually(LONG, || watchers() >= 2), "they have their name");
    let view = View::open(name.path());
    assert!(eventually(LONG, || view.waiting(ARRIVALS) == [1]), "one waits for members to come");
    drop((watched, receiver));
    assert_eq!(queue.members().unwrap().len(), 1, "it keeps no attachment");
    assert!(view.waiting(ARRIVALS).is_empty());
}

/// A message was put back and nobody takes it again; who moved the head last has left, or is dead and was cleaned up after.
#[test]
fn who_waits_for_room_that_only_a_receiver_can_make_waits_quietly() {
    for dies in [false, true] {
        let name = Name::new("quiet");
        let queue = queues().wait(Wait::Park).create(&name).unwrap();
        let (sender, _busy_elsewhere) = (queue.sender(), queue.receiver());
        sender.send(1).unwrap();
        if dies {
            spawn("take", &name, "holding").kill();
            assert_eq!(queue.recover().unwrap().members, 1);
        } else {
            let other = queues().open(&name).unwrap();
            drop(other.receiver().recv_guard().unwrap());
        }
        sender.send_batch(&[2, 3, 4]).unwrap();
        let view = View::open(name.path());
        let before = view.u32(view.not_full(0));
        let waited = sender.send_timeout(5, Duration::from_millis(200));
        assert_eq!(waited, Err(SendTimeoutError::Timeout(5)));
        let woken = view.u32(view.not_full(0)) - before;
        assert!(woken < 3, "everybody was woken {woken} times, dies: {dies}");
        assert_eq!(queue.statistics().recoveries, u64::from(dies));
    }
}
