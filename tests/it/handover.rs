//! Producers that hand a channel over again and again: nothing is lost, and the end is told only at the end.

use std::time::{Duration, Instant};

use ringway::spsc::{Consumer, Producer};
use ringway::{ErrorKind, RecvError, TryRecvError, Wait};

use crate::util::child::{Child, say};
use crate::util::view::{ENDS, View};
use crate::util::{LONG, Name};

pub fn play(role: &str, arguments: &[&str]) {
    let (name, runs) = (arguments[0], arguments[1].parse().unwrap());
    assert_eq!(role, "relay");
    let mut done = 0u64;
    let end = Instant::now() + LONG;
    while done < runs && Instant::now() < end {
        match Producer::<u64>::options().open(name) {
            Ok(mut producer) => {
                let before = producer.len() as u64;
                producer.send(before).unwrap();
                done += 1;
            }
            Err(error) => {
                assert!(matches!(error.kind(), ErrorKind::EndTaken(_)), "{error}");
                std::thread::yield_now();
            }
        }
    }
    say(&done.to_string());
}

#[test]
fn a_receiver_gets_each_value_of_producers_that_come_and_go() {
    let name = Name::new("relay");
    let options = Consumer::<u64>::options().capacity(16);
    let mut consumer = options.recheck(Duration::from_millis(5)).create(&name).unwrap();
    let children = [0; 3].map(|_| Child::spawn("handover::relay", &[&name, "400"]));
    let (mut received, mut gaps) = (0, 0);
    let end = Instant::now() + LONG;
    while received < 1200 {
        assert!(Instant::now() < end, "only {received} values came");
        match consumer.recv() {
            Ok(_) => received += 1,
            Err(error) => {
                assert_eq!(error, RecvError::Disconnected);
                gaps += 1;
                std::thread::yield_now();
            }
        }
    }
    for child in children {
        child.expect("400");
        child.finish();
    }
    assert_eq!(consumer.try_recv(), Err(TryRecvError::Disconnected), "{gaps} gaps before");
}

#[test]
fn a_disconnect_is_told_only_when_nobody_owned_the_end_and_all_was_received() {
    let name = Name::new("relay");
    let mut consumer = Consumer::<u64>::options().capacity(16).create(&name).unwrap();
    let view = View::open(name.path());
    let owners = || view.u64(ENDS) >> 12;
    std::thread::scope(|scope| {
        let relay = scope.spawn(|| {
            for n in 0..1_500 {
                let mut producer = Producer::<u64>::options().open(&name).unwrap();
                producer.send(n).unwrap();
            }
        });
        let mut next = 0;
        while next < 1_500 {
            let before = owners();
            match consumer.try_recv() {
                Ok(n) => {
                    assert_eq!(n, next);
                    next += 1;
                }
                Err(TryRecvError::Empty) => {}
                Err(error) => {
                    assert_eq!(error, TryRecvError::Disconnected);
                    assert!(next >= before, "{before} owners had sent, {next} were received");
                }
            }
        }
        relay.join().unwrap();
    });
}

#[test]
fn a_successor_that_is_there_before_the_wait_ends_is_no_disconnect() {
    let name = Name::new("relay");
    let options = Consumer::<u64>::options().wait(Wait::Park);
    let mut consumer = options.create(&name).unwrap();
    for n in 0..500 {
        let mut first = Producer::<u64>::options().open(&name).unwrap();
        first.send(2 * n).unwrap();
        drop(first);
        let mut second = Producer::<u64>::options().open(&name).unwrap();
        assert_eq!(consumer.recv(), Ok(2 * n));
        assert_eq!(consumer.try_recv(), Err(TryRecvError::Empty), "somebody owns the end");
        second.send(2 * n + 1).unwrap();
        assert_eq!(consumer.recv(), Ok(2 * n + 1));
    }
}

#[test]
fn consumers_that_come_and_go_lose_and_repeat_nothing() {
    let name = Name::new("relay");
    let mut producer = Producer::<u64>::options().capacity(16).create(&name).unwrap();
    std::thread::scope(|scope| {
        let relay = scope.spawn(|| {
            let mut next = 0;
            while next < 20_000 {
                let mut consumer = Consumer::<u64>::options().open(&name).unwrap();
                for _ in 0..=next % 7 {
                    match consumer.recv_timeout(LONG) {
                        Ok(n) => assert_eq!(n, next),
                        Err(error) => panic!("{error} after {next}"),
                    }
                    next += 1;
                }
            }
            next
        });
        let mut n = 0;
        while !relay.is_finished() {
            match producer.try_send(n) {
                Ok(()) => n += 1,
                Err(error) => assert_eq!(error.into_inner(), n),
            }
        }
        assert!(relay.join().unwrap() <= n);
    });
}
