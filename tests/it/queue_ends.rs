//! How a queue ends: closing, leaving, coming back, and who is woken by it.

use std::time::Duration;

use ringway::queue::{Queue, Receiver, Sender};
use ringway::{
    RecvError, RecvTimeoutError, SendError, SendTimeoutError, TryRecvError, TrySendError, Wait,
};

use crate::queue::both;
use crate::util::view::View;
use crate::util::{LONG, NO_RECHECK, Name, PROMPT, eventually, within};

const WAITS: [Wait; 3] = [Wait::Spin, Wait::SpinThenPark, Wait::Park];
const SHORT: Duration = Duration::from_millis(20);

#[test]
fn a_closed_queue_is_drained_and_then_closed() {
    let (queue, sender, receiver) = both(4);
    sender.send_batch(&[1, 2, 3]).unwrap();
    queue.close();
    queue.close();
    assert!(queue.is_closed() && sender.is_closed() && receiver.is_closed());
    assert_eq!(sender.try_send(4), Err(TrySendError::Closed(4)));
    assert_eq!(sender.send(4), Err(SendError::Closed(4)));
    assert_eq!(sender.send_timeout(4, LONG), Err(SendTimeoutError::Closed(4)));
    assert_eq!(sender.try_send_batch(&[4]), Err(TrySendError::Closed(())));
    assert_eq!(sender.send_batch(&[4]), Err(SendError::Closed(0)));
    assert_eq!(sender.try_reserve().unwrap_err(), TrySendError::Closed(()));
    assert_eq!(sender.reserve().unwrap_err(), SendError::Closed(()));
    assert_eq!((receiver.recv(), receiver.try_recv()), (Ok(1), Ok(2)));
    receiver.recv_guard().unwrap().ack();
    assert_eq!(receiver.recv(), Err(RecvError::Closed));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
    assert_eq!(receiver.recv_timeout(LONG), Err(RecvTimeoutError::Closed));
    assert_eq!(receiver.recv_batch(&mut [0]), Err(RecvError::Closed));
    assert_eq!(receiver.try_recv_batch(&mut [0]), Err(TryRecvError::Closed));
    assert_eq!(receiver.recv_guard().unwrap_err(), RecvError::Closed);
    assert_eq!(receiver.iter().next(), None);
}

#[test]
fn a_full_queue_that_is_closed_is_closed_rather_than_full() {
    let (_queue, sender, receiver) = both(1);
    sender.send(1).unwrap();
    receiver.close();
    assert_eq!(sender.try_send(2), Err(TrySendError::Closed(2)));
    assert_eq!(receiver.iter().collect::<Vec<_>>(), [1]);
}

#[test]
fn a_place_reserved_before_the_close_is_waited_for_and_may_be_committed_or_not() {
    for commit in [true, false] {
        let (queue, sender, receiver) = both(2);
        let mut grant = sender.reserve().unwrap();
        *grant = 1;
        queue.close();
        assert!(matches!(receiver.try_recv(), Err(TryRecvError::Busy(_))));
        assert_eq!(receiver.recv_timeout(SHORT), Err(RecvTimeoutError::Timeout));
        if commit {
            grant.commit().unwrap();
            assert_eq!(receiver.recv(), Ok(1));
        } else {
            drop(grant);
        }
        assert_eq!(receiver.recv(), Err(RecvError::Closed));
    }
}

#[test]
fn a_closed_queue_is_drained_although_a_receiver_holds_a_message() {
    let (queue, sender, receiver) = both(4);
    sender.send_batch(&[1, 2]).unwrap();
    let held = receiver.recv_guard().unwrap();
    queue.close();
    let other = queue.receiver();
    assert_eq!(other.recv(), Ok(2));
    assert_eq!(other.recv(), Err(RecvError::Closed));
    drop(held);
    assert_eq!(other.recv(), Ok(1), "put back, it is there again");
    assert_eq!(other.recv(), Err(RecvError::Closed));
}

#[test]
fn a_close_is_final_for_those_who_come_later() {
    let name = Name::new("final");
    let queue = Queue::<u64>::options().create(&name).unwrap();
    queue.sender().send(9).unwrap();
    queue.close();
    drop(queue);
    let queue = Queue::<u64>::options().open_or_create(&name).unwrap();
    assert!(queue.is_closed());
    assert_eq!(queue.sender().try_send(1), Err(TrySendError::Closed(1)));
    assert_eq!(queue.receiver().iter().collect::<Vec<_>>(), [9]);
}

#[test]
fn who_comes_first_waits_for_the_other_side() {
    let queue = Queue::<u64>::options().capacity(2).unnamed().unwrap();
    let sender = queue.sender();
    sender.send_batch(&[1, 2]).unwrap();
    assert_eq!(sender.try_send(3), Err(TrySendError::Full(3)));
    assert_eq!(sender.send_timeout(3, SHORT), Err(SendTimeoutError::Timeout(3)));
    let queue = Queue::<u64>::options().capacity(2).unnamed().unwrap();
    let receiver = queue.receiver();
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(receiver.recv_timeout(SHORT), Err(RecvTimeoutError::Timeout));
    queue.sender().send(3).unwrap();
    assert_eq!(receiver.recv(), Ok(3));
}

#[test]
fn it_is_a_disconnect_only_while_the_other_side_has_nobody_and_once_had_somebody() {
    let name = Name::new("nobody");
    let here = Queue::<u64>::options().capacity(8).create(&name).unwrap();
    let there = Queue::<u64>::options().open(&name).unwrap();
    let receiver = here.receiver();
    for round in 0..20 {
        let senders = [here.sender(), there.sender(), there.sender()];
        let clone = senders[0].clone();
        drop(senders);
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty), "a clone is left");
        clone.send(round).unwrap();
        drop(clone);
        assert_eq!(receiver.try_recv(), Ok(round), "what was sent comes first");
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));
        assert_eq!(receiver.recv(), Err(RecvError::Disconnected));
        assert_eq!(receiver.recv_timeout(LONG), Err(RecvTimeoutError::Disconnected));
        assert_eq!(receiver.recv_batch(&mut [0]), Err(RecvError::Disconnected));
        assert_eq!(receiver.try_recv_guard().unwrap_err(), TryRecvError::Disconnected);
        assert!(!receiver.is_closed());
    }
    let sender = there.sender();
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty), "a new one has come");
    drop(receiver);
    assert_eq!(sender.try_send(1), Err(TrySendError::Disconnected(1)));
    assert_eq!(sender.send(1), Err(SendError::Disconnected(1)));
    assert_eq!(sender.send_timeout(1, LONG), Err(SendTimeoutError::Disconnected(1)));
    assert_eq!(sender.try_send_batch(&[1]), Err(TrySendError::Disconnected(())));
    assert_eq!(sender.send_batch(&[1]), Err(SendError::Disconnected(0)));
    assert_eq!(sender.try_reserve().unwrap_err(), TrySendError::Disconnected(()));
    let receiver = there.receiver();
    sender.send(1).unwrap();
    assert_eq!(receiver.recv(), Ok(1));
}

#[test]
fn a_grant_counts_as_its_sender_and_a_delivery_as_its_receiver() {
    let (_queue, sender, receiver) = both(4);
    let grant = sender.reserve().unwrap();
    drop(sender);
    assert!(matches!(receiver.try_recv(), Err(TryRecvError::Busy(_))));
    grant.commit().unwrap();
    let delivery = receiver.recv_guard().unwrap();
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));
    drop(receiver);
    delivery.ack();
}

/// A queue of two members that would sleep a minute if nobody woke them, each with `N` handles.
fn sleepy<const N: usize>(name: &Name, wait: Wait) -> (Vec<Sender<u64>>, Vec<Receiver<u64>>, View) {
    let options = Queue::<u64>::options().capacity(2).recheck(NO_RECHECK).wait(wait);
    let queues = [options.create(name).unwrap(), options.open(name).unwrap()];
    let pick = |n: usize| &queues[n % 2];
    let senders = (0..N).map(|n| pick(n).sender()).collect();
    let receivers = (0..N).map(|n| pick(n).receiver()).collect();
    (senders, receivers, View::open(name.path()))
}

/// Waits until threads of both members that park are about to sleep; one that spins cannot be seen.
fn asleep(view: &View, wait: Wait, event: u64) {
    let both = || view.waiting(event) == [0, 1];
    assert!(wait == Wait::Spin || eventually(LONG, both), "nobody went to sleep");
}

#[test]
fn all_blocked_receivers_wake_at_once_when_the_queue_is_closed_or_the_last_sender_leaves() {
    for wait in WAITS {
        for close in [true, false] {
            let name = Name::new("end");
            let (senders, receivers, view) = sleepy::<4>(&name, wait);
            std::thread::scope(|scope| {
                let blocked: Vec<_> =
                    receivers.iter().map(|r| scope.spawn(|| r.recv_timeout(LONG))).collect();
                asleep(&view, wait, view.not_empty(0));
                if close {
                    senders[0].close();
                } else {
                    drop(senders);
                }
                let all = || blocked.iter().all(std::thread::ScopedJoinHandle::is_finished);
                assert!(eventually(PROMPT, all), "{wait:?} {close}: somebody was not woken");
                for thread in blocked {
                    let why = thread.join().unwrap().unwrap_err();
                    assert_eq!(why == RecvTimeoutError::Closed, close, "{why:?}");
                    assert_eq!(why == RecvTimeoutError::Disconnected, !close, "{why:?}");
                }
            });
        }
    }
}

#[test]
fn all_blocked_senders_wake_at_once_when_the_queue_is_closed_or_the_last_receiver_leaves() {
    for wait in WAITS {
        for close in [true, false] {
            let name = Name::new("end");
            let (senders, receivers, view) = sleepy::<4>(&name, wait);
            senders[0].send_batch(&[1, 2]).unwrap();
            std::thread::scope(|scope| {
                let blocked: Vec<_> =
                    senders.iter().map(|s| scope.spawn(|| s.send_timeout(3, LONG))).collect();
                asleep(&view, wait, view.not_full(0));
                if close {
                    receivers[0].close();
                } else {
                    drop(receivers);
                }
                let all = || blocked.iter().all(std::thread::ScopedJoinHandle::is_finished);
                assert!(eventually(PROMPT, all), "{wait:?} {close}: somebody was not woken");
                for thread in blocked {
                    let why = thread.join().unwrap().unwrap_err();
                    assert_eq!(why == SendTimeoutError::Closed(3), close, "{why:?}");
                    assert_eq!(why == SendTimeoutError::Disconnected(3), !close, "{why:?}");
                }
            });
        }
    }
}

#[test]
fn a_wait_that_ran_out_leaves_no_waiter_behind() {
    let name = Name::new("trace");
    let (senders, receivers, view) = sleepy::<1>(&name, Wait::Park);
    within(PROMPT, || assert!(receivers[0].recv_timeout(SHORT).is_err()));
    senders[0].send_batch(&[1, 2]).unwrap();
    within(PROMPT, || assert!(senders[0].send_timeout(3, SHORT).is_err()));
    assert!(view.waiting(view.not_empty(0)).is_empty() && !view.producer_waits(0));
}
