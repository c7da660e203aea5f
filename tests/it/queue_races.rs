//! Ends of a queue that race: closes against senders, hand-overs against those who look whether anybody is left.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use ringway::queue::Queue;
use ringway::{RecvTimeoutError, SendError, TryRecvError, TrySendError};

use crate::util::child::{Child, hear, say};
use crate::util::view::{CLOSED, View};
use crate::util::{LONG, NO_RECHECK, Name, PROMPT, eventually, within};

pub fn play(role: &str, arguments: &[&str]) {
    let name = arguments[0];
    match role {
        "send until closed" => {
            let queue = Queue::<u64>::options().recheck(NO_RECHECK).open(name).unwrap();
            say("open");
            say(&send_from_many(&queue, arguments[1].parse().unwrap()).to_string());
        }
        "close many" => {
            let names = (0..arguments[1].parse().unwrap()).map(|n: u32| format!("{name}.{n}"));
            let queues: Vec<_> =
                names.map(|name| Queue::<u64>::options().open(&name).unwrap()).collect();
            say("open");
            hear();
            for one in &queues {
                Queue::close(one);
            }
            say("closed");
            hear();
        }
        "hand over" => hand_over(name, arguments[1].parse().unwrap()),
        _ => panic!("no role {role}"),
    }
}

/// `threads` senders until the queue is closed: how many values were accepted.
fn send_from_many(queue: &Queue<u64>, threads: usize) -> u64 {
    std::thread::scope(|scope| {
        let send = |_| {
            let sender = queue.sender();
            let send = move || (0..u64::MAX).take_while(|n| sender.send(*n).is_ok()).count() as u64;
            std::thread::Builder::new().stack_size(64 << 10).spawn_scoped(scope, send).unwrap()
        };
        let threads: Vec<_> = (0..threads).map(send).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    })
}

/// Lets a thousand senders, half of them in other processes, race against `closers` threads that close.
fn close_against_a_thousand(closers: usize) {
    let name = Name::new("thousand");
    let queue = Queue::<u64>::options().capacity(16).recheck(NO_RECHECK).create(&name).unwrap();
    let receiver = queue.receiver();
    let children = [0, 1].map(|_| {
        let child = Child::spawn("queue_races::send until closed", &[&name, "250"]);
        child.expect("open");
        child
    });
    let (accepted, delivered) = std::thread::scope(|scope| {
        let here = scope.spawn(|| send_from_many(&queue, 500));
        let closing: Vec<_> = (0..closers)
            .map(|_| {
                let closer = receiver.clone();
                scope.spawn(move || {
                    let before = closer.iter().take(5_000).count();
                    closer.close();
                    (before + closer.iter().count()) as u64
                })
            })
            .collect();
        let taken: u64 = closing.into_iter().map(|thread| thread.join().unwrap()).sum();
        let there: u64 = children.iter().map(|child| child.line().parse::<u64>().unwrap()).sum();
        (there + here.join().unwrap(), taken + receiver.iter().count() as u64)
    });
    assert_eq!(accepted, delivered, "accepted and received differ");
    for one in children {
        Child::finish(one);
    }
}

#[test]
fn what_a_thousand_senders_had_accepted_is_received_although_somebody_closes() {
    close_against_a_thousand(1);
}

#[test]
fn two_who_close_at_once_lose_nothing_either() {
    close_against_a_thousand(2);
}

#[test]
fn each_accepted_value_is_received_whoever_closes_when() {
    for round in 0..300 {
        let queue = Queue::<u64>::options().capacity(4).unnamed().unwrap();
        let receiver = queue.receiver();
        std::thread::scope(|scope| {
            let senders = [0, 1].map(|number| {
                let sender = queue.sender();
                scope.spawn(move || {
                    let sent = (0..100_000u64).take_while(|_| sender.send(number).is_ok()).count();
                    assert_eq!(sender.try_send(9), Err(TrySendError::Closed(9)));
                    sent
                })
            });
            let mut taken = receiver.iter().take(round % 50).count();
            queue.close();
            taken += receiver.iter().count();
            let sent: usize = senders.into_iter().map(|thread| thread.join().unwrap()).sum();
            assert_eq!(sent, taken, "accepted and received differ");
        });
    }
}

#[test]
fn closers_that_are_killed_leave_no_queue_half_closed() {
    let count = 300;
    for round in 0..8u32 {
        let name = Name::new("closers");
        let names: Vec<String> = (0..count).map(|n| format!("{}.{n}", &*name)).collect();
        let options = Queue::<u64>::options().capacity(2).max_members(4).remove_when_unused();
        let queues: Vec<_> = names.iter().map(|name| options.create(name).unwrap()).collect();
        let views: Vec<_> = names.iter().map(|name| View::open(&name_to_path(name))).collect();
        let senders: Vec<_> = queues.iter().map(Queue::sender).collect();
        let receivers: Vec<_> = queues.iter().map(Queue::receiver).collect();
        for sender in &senders {
            sender.send(1).unwrap();
        }
        let mut child = Child::spawn("queue_races::close many", &[&name, &count.to_string()]);
        child.expect("open");
        child.tell("go");
        let aim = usize::try_from(round).unwrap() * 30;
        let closed = |view: &View| view.u64(view.closed()) != 0;
        assert!(eventually(LONG, || closed(&views[aim])));
        child.kill();
        for ((sender, receiver), view) in senders.iter().zip(&receivers).zip(&views) {
            if !closed(view) {
                sender.send(2).unwrap();
                assert_eq!((receiver.recv(), receiver.recv()), (Ok(1), Ok(2)));
                continue;
            }
            // Who finds it empty finishes what the closer began.
            assert_eq!(receiver.recv(), Ok(1));
            let end = within(PROMPT, || receiver.recv_timeout(LONG));
            if end.is_ok() {
                continue;
            }
            assert_eq!(end, Err(RecvTimeoutError::Closed));
            assert_eq!(view.u64(view.tail(0)) & CLOSED, CLOSED);
            assert_eq!(sender.send(3), Err(SendError::Closed(3)));
        }
    }
}

fn name_to_path(name: &str) -> std::path::PathBuf {
    std::path::Path::new("/dev/shm").join(format!("ringway.default.{name}"))
}

#[test]
fn while_senders_hand_over_from_member_to_member_nobody_sees_a_disconnect() {
    let name = Name::new("handover");
    let options = Queue::<u64>::options().capacity(4);
    let (one, two) = (options.create(&name).unwrap(), options.open(&name).unwrap());
    let watching = [one.receiver(), two.receiver()];
    let over = AtomicBool::new(false);
    let first = two.sender();
    std::thread::scope(|scope| {
        let watchers = watching.each_ref().map(|receiver| {
            scope.spawn(|| {
                let mut received = 0;
                loop {
                    match receiver.try_recv() {
                        Ok(_) => received += 1,
                        Err(TryRecvError::Empty | TryRecvError::Busy(_)) if over.load(Relaxed) => {
                            return received;
                        }
                        Err(TryRecvError::Empty | TryRecvError::Busy(_)) => {}
                        Err(error) => panic!("{error} although there was a sender all the time"),
                    }
                }
            })
        });
        let mut sender = first;
        for round in 0..30_000 {
            // The next is there before the last has left; which member comes first alternates.
            let next = if round % 2 == 0 { one.sender() } else { two.sender() };
            drop(std::mem::replace(&mut sender, next));
            if round % 10 == 0 {
                sender.send_timeout(round, LONG).unwrap();
            }
        }
        assert!(eventually(LONG, || one.is_empty()));
        over.store(true, Relaxed);
        let received: u64 = watchers.into_iter().map(|thread| thread.join().unwrap()).sum();
        assert_eq!(received, 3_000);
    });
}

#[test]
fn while_receivers_hand_over_from_process_to_process_no_sender_sees_a_disconnect() {
    let name = Name::new("handover");
    let queue = Queue::<u64>::options().capacity(64).create(&name).unwrap();
    let sender = queue.sender();
    let mut children = [0, 1].map(|_| {
        let child = Child::spawn("queue_races::hand over", &[&name, "300"]);
        child.expect("open");
        child
    });
    children[0].tell("enter");
    children[0].expect("entered");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let looking = scope.spawn(|| {
            let mut sent = 0;
            while !done.load(Relaxed) {
                match sender.try_send(0) {
                    Ok(()) => sent += 1,
                    Err(TrySendError::Full(_)) => std::thread::yield_now(),
                    Err(error) => panic!("{error} although there was a receiver all the time"),
                }
            }
            sent
        });
        for round in 0..300 {
            let (old, new) = (round % 2, (round + 1) % 2);
            children[new].tell("enter");
            children[new].expect("entered");
            children[old].tell("leave");
        }
        done.store(true, Relaxed);
        assert!(looking.join().unwrap() > 0);
    });
}

/// Becomes a receiver when told so, takes what is there, and stops being one.
fn hand_over(name: &str, rounds: usize) {
    let queue = Queue::<u64>::options().open(name).unwrap();
    say("open");
    for _ in 0..rounds {
        hear();
        let receiver = queue.receiver();
        say("entered");
        while receiver.try_recv().is_ok() {}
        hear();
    }
}
