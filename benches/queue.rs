//! A queue: what a call costs when nobody is in the way, streams between two processes, and there and back.
//!
//! Beside other queues, and with more than two sides, it is measured by `rivals`.

mod common;

use std::time::{Duration, Instant};

use common::{BATCH, Peer, SLOTS, back_of, check, unique, value};
use criterion::{Criterion, Throughput};
use ringway::queue::{Queue, Receiver, Sender};
use ringway::{RecvTimeoutError, TryRecvError, TrySendError, Wait};

const WAYS: [(&str, Wait); 2] = [("spinning", Wait::Spin), ("parked", Wait::Park)];

fn main() {
    common::run(play, bench);
}

fn bench(criterion: &mut Criterion) {
    alone::<1>(criterion);
    alone::<8>(criterion);
    alone::<128>(criterion);
    bytes(criterion, 8);
    bytes(criterion, 64);
    if common::machine::usable().len() > 1 {
        stream::<1>(criterion);
        stream::<8>(criterion);
    } else {
        println!("not run: two sides that spin need two processors");
    }
    for (how, wait) in WAYS {
        if wait == Wait::Park || common::machine::usable().len() > 1 {
            round_trip(criterion, how, wait);
        }
    }
}

/// One thread at both ends.
fn alone<const W: usize>(criterion: &mut Criterion) {
    let bytes = W * 8;
    let queue = Queue::<[u64; W]>::options().capacity(SLOTS).unnamed().expect("a queue");
    let (out, from) = (queue.sender(), queue.receiver());
    let mut n = 0;
    let mut group = criterion.benchmark_group("queue");
    group.throughput(Throughput::Elements(1));
    group.bench_function(format!("pair {bytes} B"), |bencher| {
        bencher.iter(|| {
            out.try_send(value(n)).expect("room");
            check::<W>(&from.try_recv().expect("a message"), n);
            n += 1;
        });
    });
    group.bench_function(format!("pair in place {bytes} B"), |bencher| {
        bencher.iter(|| {
            let mut grant = out.try_reserve().expect("room");
            *grant = value(n);
            grant.commit().expect("not forked");
            let delivery = from.try_recv_guard().expect("a message");
            check::<W>(&*delivery, n);
            delivery.ack();
            n += 1;
        });
    });
    group.throughput(Throughput::Elements(BATCH as u64));
    let (mut batch, mut buffer) = ([[0; W]; BATCH], [[0; W]; BATCH]);
    group.bench_function(format!("batch64 {bytes} B"), |bencher| {
        bencher.iter(|| {
            batch.iter_mut().zip(n..).for_each(|(slot, n)| *slot = value(n));
            assert_eq!(out.try_send_batch(&batch), Ok(BATCH));
            assert_eq!(from.try_recv_batch(&mut buffer), Ok(BATCH));
            buffer.iter().zip(n..).for_each(|(slot, n)| check::<W>(slot, n));
            n += BATCH as u64;
        });
    });
}

fn bytes(criterion: &mut Criterion, len: usize) {
    let queue = Queue::<[u8]>::options().message_len(len).unnamed().expect("a queue");
    let (out, from) = (queue.sender(), queue.receiver());
    let (mut n, mut buffer) = (0u64, vec![0; len]);
    let mut group = criterion.benchmark_group("queue");
    group.throughput(Throughput::Elements(1));
    group.bench_function(format!("pair of bytes {len} B"), |bencher| {
        bencher.iter(|| {
            let mut message = [0; 64];
            message[..8].copy_from_slice(&n.to_ne_bytes());
            out.try_send(&message[..len]).expect("room");
            assert_eq!(from.try_recv_into(&mut buffer), Ok(len));
            assert_eq!(buffer[..8], n.to_ne_bytes(), "the message is another");
            n += 1;
        });
    });
}

/// A sample is a message that says how many follow, those, and an answer to the last.
fn stream<const W: usize>(criterion: &mut Criterion) {
    let name = unique();
    let mut peer = Peer::none();
    let (out, back) = both_ways::<W>(&name, Wait::default());
    peer.start(&format!("stream {W} {name}"));
    wait_for(&back, &mut peer);
    common::machine::pin(0);
    let mut group = criterion.benchmark_group("stream");
    group.throughput(Throughput::Elements(1));
    group.bench_function(format!("{} B cap {SLOTS}, queue, processes", W * 8), |bencher| {
        bencher.iter_custom(|count| {
            let start = Instant::now();
            send(&out, count);
            (0..count).for_each(|n| send(&out, n));
            assert_eq!(receive(&back), Some([count]), "the answer is another");
            start.elapsed()
        });
    });
}

fn round_trip(criterion: &mut Criterion, how: &str, wait: Wait) {
    let name = unique();
    let mut peer = Peer::none();
    let (out, back) = both_ways::<1>(&name, wait);
    peer.start(&format!("{how} 1 {name}"));
    wait_for(&back, &mut peer);
    common::machine::pin(0);
    let mut group = criterion.benchmark_group(format!("round-trip {how} 8 B"));
    group.bench_function("queue, processes", |bencher| {
        bencher.iter_custom(|count| {
            let start = Instant::now();
            for n in 0..count {
                out.send(value(n)).expect("send");
                check::<1>(&back.recv().expect("receive"), n);
            }
            start.elapsed()
        });
    });
}

/// A queue there and one back, made here.
fn both_ways<const W: usize>(name: &str, wait: Wait) -> (Sender<[u64; W]>, Receiver<[u64; 1]>) {
    let out = Queue::<[u64; W]>::options().capacity(SLOTS).wait(wait).remove_when_unused();
    let back = Queue::<[u64; 1]>::options().capacity(SLOTS).wait(wait).remove_when_unused();
    let out = out.create(name).expect("create the queue");
    let back = back.create(&back_of(name)).expect("create the queue back");
    (out.sender(), back.receiver())
}

/// The other side's first word, while looking whether it still lives.
fn wait_for(back: &Receiver<[u64; 1]>, peer: &mut Peer) {
    loop {
        match back.recv_timeout(Duration::from_millis(100)) {
            Ok(word) => return assert_eq!(word, [u64::MAX], "it is ready"),
            Err(RecvTimeoutError::Timeout) => peer.check_alive(),
            Err(why) => panic!("the other side: {why}"),
        }
    }
}

/// Sends, spinning while there is no room.
#[inline(always)]
fn send<const W: usize>(out: &Sender<[u64; W]>, n: u64) {
    while let Err(why) = out.try_send(value(n)) {
        assert!(matches!(why, TrySendError::Full(_)), "send {n}: {why}");
        std::hint::spin_loop();
    }
}

/// Receives, spinning while there is nothing. `None` once the sender has left.
#[inline(always)]
fn receive<const W: usize>(from: &Receiver<[u64; W]>) -> Option<[u64; W]> {
    loop {
        match from.try_recv() {
            Ok(message) => return Some(message),
            Err(TryRecvError::Empty | TryRecvError::Busy(_)) => std::hint::spin_loop(),
            Err(TryRecvError::Disconnected) => return None,
            Err(why) => panic!("receive: {why}"),
        }
    }
}

/// The other process.
fn play(role: &[&str]) {
    let [work, words, name] = *role else { panic!("no role {role:?}") };
    let wait = WAYS.into_iter().find(|(how, _)| *how == work).map(|(_, wait)| wait);
    match (wait, words) {
        (Some(wait), _) => echo(wait, name),
        (None, "1") => follow::<1>(name),
        (None, _) => follow::<8>(name),
    }
}

fn opened<const W: usize>(name: &str, wait: Wait) -> (Receiver<[u64; W]>, Sender<[u64; 1]>) {
    let from = Queue::<[u64; W]>::options().wait(wait).open(name).expect("open the queue");
    let back = Queue::<[u64; 1]>::options().wait(wait).open(&back_of(name));
    let back = back.expect("open the queue back").sender();
    common::machine::pin(1);
    back.send([u64::MAX]).expect("the maker is there");
    (from.receiver(), back)
}

fn follow<const W: usize>(name: &str) {
    let (from, back) = opened::<W>(name, Wait::default());
    while let Some(header) = receive(&from) {
        let count = header[0];
        for n in 0..count {
            check::<W>(&receive(&from).expect("the sender is there"), n);
        }
        send(&back, count);
    }
}

fn echo(wait: Wait, name: &str) {
    let (from, back) = opened::<1>(name, wait);
    while let Ok(message) = from.recv() {
        back.send(message).expect("the maker is there");
    }
}
