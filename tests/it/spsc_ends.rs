//! How a channel of values ends: closing, leaving, coming back, and who is woken by it.

use std::thread::ScopedJoinHandle;
use std::time::Duration;

use ringway::spsc::{self, Consumer, Producer};
use ringway::{
    RecvError, RecvTimeoutError, SendError, SendTimeoutError, TryRecvError, TrySendError, Wait,
};

use crate::util::view::View;
use crate::util::{LONG, NO_RECHECK, Name, PROMPT, eventually, within};

const WAITS: [Wait; 3] = [Wait::Spin, Wait::SpinThenPark, Wait::Park];

/// A channel whose ends would sleep a minute if nobody woke them.
fn sleepy(name: &Name, wait: Wait) -> (Producer<u64>, Consumer<u64>, View) {
    let options = Producer::options().capacity(2).recheck(NO_RECHECK).wait(wait);
    let producer = options.create(name).unwrap();
    let options = Consumer::options().recheck(NO_RECHECK).wait(wait);
    (producer, options.open(name).unwrap(), View::open(name.path()))
}

/// Waits until a consumer (or producer) that parks is about to sleep; one that spins cannot be seen.
fn asleep(view: &View, wait: Wait, consumer: bool) {
    let waits = || if consumer { view.consumer_waits(0) } else { view.producer_waits(0) };
    assert!(wait == Wait::Spin || eventually(LONG, waits), "nobody went to sleep");
}

fn joined<R>(thread: ScopedJoinHandle<'_, R>) -> R {
    assert!(eventually(PROMPT, || thread.is_finished()), "the blocked call was not woken");
    thread.join().unwrap()
}

#[test]
fn a_closed_channel_is_drained_and_then_closed() {
    let (mut producer, mut consumer) = spsc::pair::<u64>(4).unwrap();
    producer.send(1).unwrap();
    producer.send(2).unwrap();
    producer.close();
    assert!(producer.is_closed() && consumer.is_closed());
    assert_eq!(producer.try_send(3), Err(TrySendError::Closed(3)));
    assert_eq!(producer.send(3), Err(SendError::Closed(3)));
    assert_eq!(producer.send_timeout(3, LONG), Err(SendTimeoutError::Closed(3)));
    assert_eq!(producer.try_send_batch(&[3]), Err(TrySendError::Closed(())));
    assert_eq!(producer.send_batch(&[3]), Err(SendError::Closed(0)));
    assert!(matches!(producer.try_reserve(1), Err(TrySendError::Closed(()))));
    assert_eq!((consumer.recv(), consumer.try_recv()), (Ok(1), Ok(2)));
    assert_eq!(consumer.recv(), Err(RecvError::Closed));
    assert_eq!(consumer.try_recv(), Err(TryRecvError::Closed));
    assert_eq!(consumer.recv_timeout(LONG), Err(RecvTimeoutError::Closed));
    assert_eq!(consumer.recv_batch(&mut [0]), Err(RecvError::Closed));
    assert_eq!(consumer.try_recv_batch(&mut [0]), Err(TryRecvError::Closed));
    assert!(matches!(consumer.try_peek(1), Err(TryRecvError::Closed)));
}

#[test]
fn the_receiver_may_close_and_what_was_sent_before_is_received() {
    let (mut producer, mut consumer) = spsc::pair::<u64>(4).unwrap();
    producer.send(1).unwrap();
    consumer.close();
    consumer.close();
    assert_eq!(producer.send(2), Err(SendError::Closed(2)));
    assert_eq!(consumer.iter().collect::<Vec<_>>(), [1]);
    assert_eq!(consumer.recv(), Err(RecvError::Closed));
}

#[test]
fn a_grant_taken_before_the_close_sends_nothing_after_it() {
    let (mut producer, mut consumer) = spsc::pair::<u64>(4).unwrap();
    let mut grant = producer.try_reserve(1).unwrap();
    grant[0] = 1;
    consumer.close();
    assert_eq!(grant.commit(), Err(SendError::Closed(())));
    assert_eq!(consumer.recv(), Err(RecvError::Closed));
}

#[test]
fn a_close_is_final_for_those_who_come_later() {
    let name = Name::new("final");
    let mut producer = Producer::<u64>::options().create(&name).unwrap();
    producer.send(9).unwrap();
    producer.close();
    drop(producer);
    let mut producer = Producer::<u64>::options().open(&name).unwrap();
    assert_eq!(producer.try_send(1), Err(TrySendError::Closed(1)));
    let mut consumer = Consumer::<u64>::options().open(&name).unwrap();
    assert_eq!(consumer.recv(), Ok(9));
    assert_eq!(consumer.recv(), Err(RecvError::Closed));
}

#[test]
fn each_accepted_value_is_received_whoever_closes_when() {
    for round in 0..300u64 {
        let (mut producer, mut consumer) = spsc::pair::<u64>(4).unwrap();
        std::thread::scope(|scope| {
            let sender = scope.spawn(move || {
                let sent = (0..10_000).take_while(|n| producer.send(*n).is_ok()).count() as u64;
                assert!(producer.is_closed());
                sent
            });
            let mut received = 0;
            for _ in 0..=round % 50 {
                assert_eq!(consumer.recv(), Ok(received));
                received += 1;
            }
            consumer.close();
            while let Ok(value) = consumer.recv() {
                assert_eq!(value, received);
                received += 1;
            }
            assert_eq!(joined(sender), received, "accepted and received differ");
        });
    }
}

#[test]
fn a_sender_that_left_is_a_disconnect_after_the_last_value() {
    let (mut producer, mut consumer) = spsc::pair::<u64>(4).unwrap();
    producer.send(1).unwrap();
    drop(producer);
    assert_eq!(consumer.recv(), Ok(1));
    assert_eq!(consumer.try_recv(), Err(TryRecvError::Disconnected));
    assert_eq!(consumer.recv(), Err(RecvError::Disconnected));
    assert_eq!(consumer.recv_timeout(LONG), Err(RecvTimeoutError::Disconnected));
    assert_eq!(consumer.recv_batch(&mut [0]), Err(RecvError::Disconnected));
    assert!(matches!(consumer.try_peek(1), Err(TryRecvError::Disconnected)));
    assert!(!consumer.is_closed());
}

#[test]
fn a_receiver_that_left_is_a_disconnect_at_once() {
    let (mut producer, consumer) = spsc::pair::<u64>(4).unwrap();
    drop(consumer);
    assert_eq!(producer.try_send(1), Err(TrySendError::Disconnected(1)));
    assert_eq!(producer.send(1), Err(SendError::Disconnected(1)));
    assert_eq!(producer.send_timeout(1, LONG), Err(SendTimeoutError::Disconnected(1)));
    assert_eq!(producer.try_send_batch(&[1]), Err(TrySendError::Disconnected(())));
    assert_eq!(producer.send_batch(&[1]), Err(SendError::Disconnected(0)));
    assert!(matches!(producer.try_reserve(1), Err(TrySendError::Disconnected(()))));
}

#[test]
fn who_comes_first_waits_for_the_other() {
    let name = Name::new("first");
    let mut producer = Producer::<u64>::options().capacity(2).create(&name).unwrap();
    producer.send(1).unwrap();
    producer.send(2).unwrap();
    assert_eq!(producer.try_send(3), Err(TrySendError::Full(3)));
    let short = Duration::from_millis(20);
    assert_eq!(producer.send_timeout(3, short), Err(SendTimeoutError::Timeout(3)));
    let name = Name::new("first");
    let mut consumer = Consumer::<u64>::options().create(&name).unwrap();
    assert_eq!(consumer.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(consumer.recv_timeout(short), Err(RecvTimeoutError::Timeout));
    let mut producer = Producer::<u64>::options().open(&name).unwrap();
    producer.send(3).unwrap();
    assert_eq!(consumer.recv(), Ok(3));
}

#[test]
fn a_new_peer_ends_the_disconnect() {
    let name = Name::new("again");
    let mut producer = Producer::<u64>::options().create(&name).unwrap();
    let mut consumer = Consumer::<u64>::options().open(&name).unwrap();
    for n in 0..10 {
        drop(producer);
        assert_eq!(consumer.try_recv(), Err(TryRecvError::Disconnected));
        producer = Producer::<u64>::options().open(&name).unwrap();
        assert_eq!(consumer.try_recv(), Err(TryRecvError::Empty));
        producer.send(n).unwrap();
        assert_eq!(consumer.recv(), Ok(n));
        drop(consumer);
        assert_eq!(producer.try_send(n), Err(TrySendError::Disconnected(n)));
        consumer = Consumer::<u64>::options().open(&name).unwrap();
        assert_eq!(consumer.try_recv(), Err(TryRecvError::Empty));
    }
}

#[test]
fn a_blocked_receiver_wakes_at_once_when_a_value_comes() {
    for wait in WAITS {
        let name = Name::new("wake");
        let (mut producer, mut consumer, view) = sleepy(&name, wait);
        std::thread::scope(|scope| {
            let blocked = scope.spawn(move || consumer.recv());
            asleep(&view, wait, true);
            producer.send(5).unwrap();
            assert_eq!(joined(blocked), Ok(5));
        });
    }
}

#[test]
fn a_blocked_sender_wakes_at_once_when_there_is_room() {
    for wait in WAITS {
        let name = Name::new("wake");
        let (mut producer, mut consumer, view) = sleepy(&name, wait);
        producer.send_batch(&[1, 2]).unwrap();
        std::thread::scope(|scope| {
            let blocked = scope.spawn(move || (producer.send(3), producer));
            asleep(&view, wait, false);
            assert_eq!(consumer.recv(), Ok(1));
            assert_eq!(joined(blocked).0, Ok(()));
            assert_eq!((consumer.recv(), consumer.recv()), (Ok(2), Ok(3)));
        });
    }
}

#[test]
fn a_grant_given_back_wakes_the_sender_and_a_commit_the_receiver() {
    let name = Name::new("wake");
    let (mut producer, mut consumer, view) = sleepy(&name, Wait::Park);
    producer.send_batch(&[1, 2]).unwrap();
    std::thread::scope(|scope| {
        let blocked = scope.spawn(|| producer.send(3));
        asleep(&view, Wait::Park, false);
        consumer.try_peek(2).unwrap().release();
        assert_eq!(joined(blocked), Ok(()));
        assert_eq!(consumer.recv(), Ok(3));
    });
    std::thread::scope(|scope| {
        let blocked = scope.spawn(|| consumer.recv());
        asleep(&view, Wait::Park, true);
        let mut grant = producer.try_reserve(1).unwrap();
        grant[0] = 4;
        grant.commit().unwrap();
        assert_eq!(joined(blocked), Ok(4));
    });
}

#[test]
fn a_blocked_receiver_wakes_at_once_when_the_sender_closes_or_leaves() {
    for wait in WAITS {
        for close in [true, false] {
            let name = Name::new("end");
            let (mut producer, mut consumer, view) = sleepy(&name, wait);
            std::thread::scope(|scope| {
                let blocked = scope.spawn(move || consumer.recv());
                asleep(&view, wait, true);
                if close {
                    producer.close();
                } else {
                    drop(producer);
                }
                let why = if close { RecvError::Closed } else { RecvError::Disconnected };
                assert_eq!(joined(blocked), Err(why), "{wait:?}");
            });
        }
    }
}

#[test]
fn a_blocked_sender_wakes_at_once_when_the_receiver_closes_or_leaves() {
    for wait in WAITS {
        for close in [true, false] {
            let name = Name::new("end");
            let (mut producer, mut consumer, view) = sleepy(&name, wait);
            producer.send_batch(&[1, 2]).unwrap();
            std::thread::scope(|scope| {
                let blocked = scope.spawn(move || producer.send(3));
                asleep(&view, wait, false);
                if close {
                    consumer.close();
                } else {
                    drop(consumer);
                }
                let why = if close { SendError::Closed(3) } else { SendError::Disconnected(3) };
                assert_eq!(joined(blocked), Err(why), "{wait:?}");
            });
        }
    }
}

#[test]
fn a_blocked_batch_says_how_much_of_it_was_sent() {
    let name = Name::new("batch");
    let (mut producer, mut consumer, view) = sleepy(&name, Wait::Park);
    std::thread::scope(|scope| {
        let blocked = scope.spawn(move || producer.send_batch(&[1, 2, 3, 4, 5]));
        asleep(&view, Wait::Park, false);
        consumer.close();
        assert_eq!(joined(blocked), Err(SendError::Closed(2)));
        assert_eq!(consumer.iter().collect::<Vec<_>>(), [1, 2]);
    });
}

#[test]
fn a_wait_that_ran_out_leaves_no_waiter_behind() {
    let name = Name::new("trace");
    let (mut producer, mut consumer, view) = sleepy(&name, Wait::Park);
    let short = Duration::from_millis(5);
    within(PROMPT, || assert!(consumer.recv_timeout(short).is_err()));
    producer.send_batch(&[1, 2]).unwrap();
    within(PROMPT, || assert!(producer.send_timeout(3, short).is_err()));
    assert!(!view.consumer_waits(0) && !view.producer_waits(0));
}

#[test]
fn ends_may_be_dropped_in_any_order_and_the_file_stays() {
    for producer_first in [true, false] {
        let name = Name::new("drop");
        let (producer, consumer, view) = sleepy(&name, Wait::Park);
        if producer_first {
            drop((producer, consumer));
        } else {
            drop((consumer, producer));
        }
        assert!(name.exists());
        assert_eq!((view.u32(view.record(0)), view.u32(view.record(1))), (0, 0));
    }
}
