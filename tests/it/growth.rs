//! Queues that grow: by what, how far, in what order, and back again.

use std::os::unix::fs::MetadataExt;
use std::thread;
use std::time::Duration;

use ringway::queue::{Growth, Queue};
use ringway::{
    ErrorKind, Fault, Options, RecvError, SendError, SendTimeoutError, TryRecvError, TrySendError,
};

use crate::util::child::{Child, hear, say};
use crate::util::{Directory, LONG, NO_RECHECK, Name, Random, within};

/// A queue `q` of `capacity` in `place` that grows to `limit`.
pub fn options(place: &Directory, capacity: usize, limit: Growth) -> Options<Queue<u64>> {
    let options = Queue::<u64>::options().directory(place.path()).capacity(capacity);
    options.growth(limit).recheck(NO_RECHECK)
}

/// Bytes of memory that all files in `place` take, each counted once.
pub fn bytes_in(place: &Directory) -> u64 {
    let mut files: Vec<(u64, u64)> = std::fs::read_dir(place.path())
        .unwrap()
        .filter_map(|entry| entry.ok()?.metadata().ok())
        .map(|file| (file.ino(), file.blocks() * 512))
        .collect();
    files.sort_unstable();
    files.dedup();
    files.iter().map(|file| file.1).sum()
}

/// Checks that only the first segment is there.
#[track_caller]
pub fn assert_home(place: &Directory) {
    assert_eq!(place.listing(), ["ringway.default.q"]);
}

pub fn play(role: &str, arguments: &[&str]) {
    let options = Queue::<u64>::options().directory(arguments[0]).recheck(NO_RECHECK);
    let queue = options.open("q").unwrap();
    match role {
        "send" => {
            let (sender, first) = (queue.sender(), arguments[1].parse::<u64>().unwrap());
            say("open");
            let mut random = Random(first);
            let mut next = 0;
            while next < COUNT {
                let burst = (1 + random.below(300) as u64).min(COUNT - next);
                for number in next..next + burst {
                    sender.send(first << 32 | number).unwrap();
                }
                next += burst;
                if random.below(3) == 0 {
                    thread::yield_now();
                }
            }
        }
        "hold" => {
            let receiver = queue.receiver();
            let held: Vec<_> = (0..3).map(|_| receiver.recv_guard().unwrap()).collect();
            say("holding");
            hear();
            drop(held);
        }
        "reserve" => {
            let sender = queue.sender();
            let _grant = sender.reserve().unwrap();
            say("holding");
            hear();
        }
        "churn" => {
            let (sender, receiver) = (queue.sender(), queue.receiver());
            say("open");
            for number in 0.. {
                let count = 1 + number % 60;
                for n in 0..count {
                    sender.send(number << 32 | n).unwrap();
                }
                (0..count).for_each(|_| assert!(receiver.recv().is_ok()));
            }
        }
        _ => panic!("no role {role}"),
    }
}

/// What each sender of a stream sends.
const COUNT: u64 = 20_000;

#[test]
fn a_queue_grows_keeps_the_order_and_comes_home() {
    let place = Directory::in_memory("growth");
    let queue = options(&place, 4, Growth::UntilRefused).create("q").unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    for round in 0..3 {
        assert_home(&place);
        (0..1000).for_each(|n| sender.try_send(round + n).unwrap());
        assert_eq!(queue.len(), 1000);
        assert!(queue.capacity() >= 1000 && place.listing().len() > 4);
        for n in 0..500 {
            assert_eq!(receiver.try_recv(), Ok(round + n));
        }
        (1000..1100).for_each(|n| sender.send(round + n).unwrap());
        assert_eq!(
            receiver.try_iter().collect::<Vec<_>>(),
            (500..1100).map(|n| round + n).collect::<Vec<_>>()
        );
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        assert_eq!((queue.len(), queue.capacity()), (0, 4));
    }
    assert_home(&place);
}

#[test]
fn batches_and_guards_work_across_segments() {
    let place = Directory::in_memory("growth-batches");
    let queue = options(&place, 4, Growth::UntilRefused).create("q").unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    let values: Vec<u64> = (0..500).collect();
    sender.send_batch(&values).unwrap();
    let mut grant = sender.reserve().unwrap();
    *grant = 500;
    drop(sender.reserve().unwrap());
    grant.commit().unwrap();
    sender.send(501).unwrap();
    let (mut got, mut buffer) = (Vec::new(), [0; 7]);
    while got.len() < 300 {
        let count = receiver.recv_batch(&mut buffer).unwrap();
        got.extend(&buffer[..count]);
    }
    while let Ok(delivery) = receiver.try_recv_guard() {
        got.push(*delivery);
        delivery.ack();
    }
    assert_eq!(got, (0..502).collect::<Vec<_>>());
    assert_home(&place);
}

#[test]
fn bytes_travel_through_segments() {
    let place = Directory::in_memory("growth-bytes");
    let options = Queue::<[u8]>::options().directory(place.path()).capacity(2).message_len(100);
    let queue = options.growth(Growth::UntilRefused).create("q").unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    let message = |n: usize| vec![u8::try_from(n % 251).unwrap(); n % 101];
    (0..300).for_each(|n| sender.send(&message(n)).unwrap());
    assert!(matches!(
        sender.send(&[0; 200]),
        Err(SendError::Failed((), Fault::TooLong { len: 200, max: 112 }))
    ));
    for n in 0..300 {
        let mut short = [0; 4];
        if n % 101 > 4 {
            let needed = n % 101;
            let fault = receiver.try_recv_into(&mut short).unwrap_err().fault();
            assert_eq!(fault, Some(Fault::BufferTooShort { needed, len: 4 }));
        }
        assert_eq!(receiver.try_recv().unwrap(), message(n));
    }
    assert_home(&place);
}

#[test]
fn the_limit_of_messages_is_kept_exactly() {
    for (capacity, limit) in [(4, 4), (4, 5), (4, 100), (64, 1000)] {
        let place = Directory::in_memory("growth-limit");
        let queue = options(&place, capacity, Growth::Messages(limit)).create("q").unwrap();
        let (sender, receiver) = (queue.sender(), queue.receiver());
        for _ in 0..2 {
            (0..limit).for_each(|n| sender.try_send(n).unwrap());
            for _ in 0..3 {
                assert!(matches!(sender.try_send(0), Err(TrySendError::Full(0))));
            }
            let late = sender.send_timeout(7, Duration::from_millis(5));
            assert!(matches!(late, Err(SendTimeoutError::Timeout(7))));
            assert_eq!(receiver.try_iter().collect::<Vec<_>>(), (0..limit).collect::<Vec<_>>());
        }
        assert_home(&place);
    }
}

#[test]
fn the_limit_of_bytes_is_kept() {
    let place = Directory::in_memory("growth-limit-bytes");
    let limit = 1 << 20;
    let queue = options(&place, 16, Growth::Bytes(limit)).create("q").unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    let mut sent = 0;
    while sender.try_send(sent).is_ok() {
        sent += 1;
    }
    // Files are made of whole pages.
    let pages = 4096 * place.listing().len() as u64;
    let bytes = bytes_in(&place);
    assert!(bytes <= limit + pages && bytes > limit / 2, "{bytes} bytes, {sent} messages");
    assert!(sent > 16_000, "{sent}");
    assert_eq!(receiver.try_iter().count() as u64, sent);
    assert_home(&place);
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let place = Directory::in_memory("growth-options");
    let refused = |options: Options<Queue<u64>>| {
        let error = options.create("q").unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::InvalidOption(_)), "{error}");
    };
    refused(options(&place, 8, Growth::Messages(7)));
    refused(options(&place, 8, Growth::Bytes(0)));
    refused(options(&place, 8, Growth::Bytes(1000)));
    refused(options(&place, 8, Growth::UntilRefused).mode(0o660));
    let error = options(&place, 8, Growth::UntilRefused).unnamed().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::InvalidOption(_)), "{error}");
    assert!(place.listing().is_empty());
}

#[test]
fn what_is_held_keeps_its_segment_and_comes_again() {
    let place = Directory::in_memory("growth-held");
    let queue = options(&place, 2, Growth::UntilRefused).create("q").unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    (0..20).for_each(|n| sender.send(n).unwrap());
    let (first, second) = (receiver.recv_guard().unwrap(), receiver.recv_guard().unwrap());
    let third = receiver.recv_guard().unwrap();
    assert_eq!((*first, *second, *third), (0, 1, 2));
    assert_eq!(receiver.try_recv(), Ok(3));
    drop(first);
    // It comes before all others.
    let again = receiver.recv_guard().unwrap();
    assert_eq!((*again, again.redelivered()), (0, true));
    drop(third);
    assert_eq!(receiver.try_recv(), Ok(2));
    let rest: Vec<_> = receiver.try_iter().collect();
    assert_eq!(rest, (4..20).collect::<Vec<_>>());
    assert!(place.listing().len() > 1, "the first segments are in use");
    // The queue goes on while they are held.
    for round in 0..3 {
        (0..50).for_each(|n| sender.send(round * 50 + n).unwrap());
        assert_eq!(receiver.try_iter().count(), 50);
    }
    again.ack();
    second.ack();
    sender.send(1).unwrap();
    assert_eq!(receiver.try_recv(), Ok(1));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    assert_home(&place);
}

#[test]
fn a_closed_queue_gives_all_of_its_segments() {
    let place = Directory::in_memory("growth-close");
    let queue = options(&place, 2, Growth::UntilRefused).create("q").unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    (0..20).for_each(|n| sender.send(n).unwrap());
    queue.close();
    assert!(queue.is_closed() && sender.is_closed() && receiver.is_closed());
    assert!(matches!(sender.try_send(1), Err(TrySendError::Closed(1))));
    assert_eq!(receiver.iter().collect::<Vec<_>>(), (0..20).collect::<Vec<_>>());
    assert_eq!(receiver.recv(), Err(RecvError::Closed));
    drop((queue, sender, receiver));
    let options = Queue::<u64>::options().directory(place.path());
    assert_eq!(options.open("q").unwrap().receiver().try_recv(), Err(TryRecvError::Closed));
    options.unlink("q").unwrap();
    assert!(place.listing().is_empty());
}

#[test]
fn many_send_and_receive_while_it_grows_and_shrinks() {
    let place = Directory::in_memory("growth-streams");
    let queue = options(&place, 8, Growth::UntilRefused).create("q").unwrap();
    let path = place.path().to_str().unwrap();
    let children: Vec<Child> =
        (0..3).map(|n: u64| Child::spawn("growth::send", &[path, &n.to_string()])).collect();
    let received: Vec<Vec<u64>> = thread::scope(|scope| {
        let receivers: Vec<_> = (0..2).map(|_| queue.receiver()).collect();
        let threads: Vec<_> = receivers
            .into_iter()
            .map(|receiver| scope.spawn(move || receiver.iter().collect::<Vec<u64>>()))
            .collect();
        for child in &children {
            child.expect("open");
        }
        children.into_iter().for_each(Child::finish);
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for sender in 0..3 {
        let mut all = Vec::new();
        for values in &received {
            let of: Vec<u64> =
                values.iter().filter(|v| *v >> 32 == sender).map(|v| v & 0xffff_ffff).collect();
            assert!(of.is_sorted_by(|a, b| a < b), "each receiver gets them in order");
            all.extend(of);
        }
        all.sort_unstable();
        assert_eq!(all, (0..COUNT).collect::<Vec<_>>());
    }
    assert_home(&place);
}

#[test]
fn a_queue_of_a_million_takes_little_more_than_its_messages() {
    const COUNT: u64 = 1_000_000;
    let place = Directory::in_memory("growth-million");
    let options = Queue::<[u64; 8]>::options().directory(place.path());
    let queue = options.growth(Growth::Messages(COUNT)).create("q").unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    (0..COUNT).for_each(|n| sender.try_send([n; 8]).unwrap());
    let (taken, messages) = (bytes_in(&place), 64 * COUNT);
    assert!(taken * 2 <= messages * 3 + (2 << 20), "{taken} bytes for {messages}");
    (0..COUNT).for_each(|n| assert_eq!(receiver.try_recv(), Ok([n; 8])));
    assert_home(&place);
    assert!(bytes_in(&place) < 1 << 20);
}

#[test]
fn a_queue_that_does_not_grow_has_no_such_thing() {
    let name = Name::new("no-growth");
    let queue = Queue::<u64>::options().capacity(2).create(&name).unwrap();
    let sender = queue.sender();
    (0..2).for_each(|n| sender.try_send(n).unwrap());
    assert!(matches!(sender.try_send(2), Err(TrySendError::Full(2))));
    assert!(within(LONG, || sender.send_timeout(2, Duration::ZERO)).is_err());
}
