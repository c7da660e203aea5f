//! Streams at full speed: single values, batches and records, between processes and between threads.
//!
//! A sample is a header that says how many messages follow, the messages, and an answer by the receiver,
//! who checks each. The clock stops when the answer is there. Both sides spin.

mod common;

use std::time::{Duration, Instant};

use common::{BATCH, Peer, SLOTS, back_of, check, first, receive_one, send_one, unique, value};
use criterion::{Criterion, Throughput};
use ringway::pipe::Connection;
use ringway::spsc::{self, Consumer, Producer};
use ringway::{TryRecvError, TrySendError};

/// What is streamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    Stream,
    Batch,
    Record,
}

impl Work {
    fn name(self) -> &'static str {
        match self {
            Work::Stream => "stream",
            Work::Batch => "batch64",
            Work::Record => "record",
        }
    }
}

/// The way back: how many messages of the sample arrived.
type Answers = Producer<[u64; 1]>;
/// The same, seen by the sender.
type Answered = Consumer<[u64; 1]>;

fn main() {
    common::run(play, bench);
}

fn bench(criterion: &mut Criterion) {
    if common::machine::usable().len() < 2 {
        println!("not run: two sides that spin need two processors");
        return;
    }
    for work in [Work::Stream, Work::Batch] {
        values::<1>(criterion, work);
        values::<8>(criterion, work);
        values::<128>(criterion, work);
    }
    records::<1>(criterion);
    records::<8>(criterion);
    records::<128>(criterion);
}

fn values<const W: usize>(criterion: &mut Criterion, work: Work) {
    let label = format!("{} {} B cap {SLOTS}", work.name(), W * 8);
    {
        let name = unique();
        let mut peer = Peer::none();
        let out = Producer::<[u64; W]>::options().capacity(SLOTS).remove_when_unused();
        let mut out = out.create(&name).expect("create the channel");
        let mut back = answers_to(&name);
        peer.start(&format!("{work:?} {W} {name}"));
        check::<1>(&first(&mut back, &mut peer), u64::MAX);
        measure(criterion, &format!("{label}, processes"), |count| {
            stream_values(work, count, &mut out, &mut back)
        });
    }
    let (mut out, from) = spsc::pair::<[u64; W]>(SLOTS).expect("a pair");
    let (answers, mut back) = spsc::pair(SLOTS).expect("a pair");
    common::machine::unpin();
    let follower = std::thread::spawn(move || follow_values(work, from, answers));
    check::<1>(&first(&mut back, &mut Peer::none()), u64::MAX);
    measure(criterion, &format!("{label}, threads"), |count| {
        stream_values(work, count, &mut out, &mut back)
    });
    drop((out, back));
    follower.join().expect("every message was right");
}

fn records<const W: usize>(criterion: &mut Criterion) {
    let bytes = W * 8;
    let name = unique();
    let mut peer = Peer::none();
    let out = Connection::options().capacity(SLOTS * (bytes + 8)).remove_when_unused();
    let mut out = out.create(&name).expect("create the pipe");
    let mut back = answers_to(&name);
    peer.start(&format!("{:?} {W} {name}", Work::Record));
    check::<1>(&first(&mut back, &mut peer), u64::MAX);
    measure(criterion, &format!("record {bytes} B pipe, processes"), |count| {
        let start = Instant::now();
        send_record(&mut out, &[count]);
        for n in 0..count {
            send_record::<W>(&mut out, &value(n));
        }
        answered(count, &mut back);
        start.elapsed()
    });
}

fn measure(criterion: &mut Criterion, label: &str, mut sample: impl FnMut(u64) -> Duration) {
    common::machine::pin(0);
    let mut group = criterion.benchmark_group("stream");
    group.throughput(Throughput::Elements(1));
    group.bench_function(label, |bencher| bencher.iter_custom(&mut sample));
    group.finish();
}

/// The channel on which the receiver answers.
fn answers_to(name: &str) -> Answered {
    let options = Consumer::options().remove_when_unused();
    options.create(&back_of(name)).expect("create the channel back")
}

fn answered(count: u64, back: &mut Answered) {
    check::<1>(&receive_one(back).expect("the receiver is there"), count);
}

fn stream_values<const W: usize>(
    work: Work,
    count: u64,
    out: &mut Producer<[u64; W]>,
    back: &mut Answered,
) -> Duration {
    let start = Instant::now();
    send_one(out, count);
    if work == Work::Stream {
        (0..count).for_each(|n| send_one(out, n));
    } else {
        let mut next = 0;
        while next < count {
            let wanted = usize::try_from(count - next).unwrap_or(BATCH).min(BATCH);
            match out.try_reserve(wanted) {
                Ok(mut room) => {
                    room.iter_mut().zip(next..).for_each(|(slot, n)| *slot = value(n));
                    next += room.len() as u64;
                    room.commit().expect("open");
                }
                Err(TrySendError::Full(())) => std::hint::spin_loop(),
                Err(why) => panic!("send {next}: {why}"),
            }
        }
    }
    answered(count, back);
    start.elapsed()
}

/// Receives samples until the sender leaves.
fn follow_values<const W: usize>(work: Work, mut from: Consumer<[u64; W]>, mut answers: Answers) {
    common::machine::pin(1);
    send_one(&mut answers, u64::MAX);
    while let Some(header) = receive_one(&mut from) {
        let count = header[0];
        let mut next = 0;
        while next < count {
            if work == Work::Stream {
                check::<W>(&receive_one(&mut from).expect("the sender is there"), next);
                next += 1;
                continue;
            }
            match from.try_peek(BATCH) {
                Ok(there) => {
                    there.iter().zip(next..).for_each(|(slot, n)| check::<W>(slot, n));
                    next += there.len() as u64;
                    there.release();
                }
                Err(TryRecvError::Empty) => std::hint::spin_loop(),
                Err(why) => panic!("receive {next}: {why}"),
            }
        }
        send_one(&mut answers, count);
    }
}

fn send_record<const W: usize>(out: &mut Connection, message: &[u64; W]) {
    while let Err(why) = out.try_send(bytemuck::cast_slice(message)) {
        assert_eq!(why, TrySendError::Full(()), "send a record");
        std::hint::spin_loop();
    }
}

/// Receives a record of words into `buffer`. Says how many there are; `None` once the sender has left.
fn receive_record(from: &mut Connection, buffer: &mut [u64]) -> Option<usize> {
    loop {
        match from.try_recv_into(bytemuck::cast_slice_mut(buffer)) {
            Ok(bytes) => return Some(bytes / size_of::<u64>()),
            Err(TryRecvError::Empty) => std::hint::spin_loop(),
            Err(TryRecvError::Disconnected) => return None,
            Err(why) => panic!("receive a record: {why}"),
        }
    }
}

fn follow_records<const W: usize>(mut from: Connection, mut answers: Answers) {
    common::machine::pin(1);
    send_one(&mut answers, u64::MAX);
    let mut buffer = [0; W];
    while receive_record(&mut from, &mut buffer) == Some(1) {
        let count = buffer[0];
        for n in 0..count {
            let words = receive_record(&mut from, &mut buffer).expect("the sender is there");
            check::<W>(&buffer[..words], n);
        }
        send_one(&mut answers, count);
    }
}

/// The other process.
fn play(role: &[&str]) {
    let [work, words, name] = *role else { panic!("no role {role:?}") };
    let known = [Work::Stream, Work::Batch, Work::Record];
    let work = known.into_iter().find(|known| format!("{known:?}") == work).expect("a known work");
    match words {
        "1" => play_words::<1>(work, name),
        "8" => play_words::<8>(work, name),
        _ => play_words::<128>(work, name),
    }
}

fn play_words<const W: usize>(work: Work, name: &str) {
    let answers = Producer::options().open(&back_of(name)).expect("open the channel back");
    if work == Work::Record {
        let from = Connection::options().open(name).expect("open the pipe");
        return follow_records::<W>(from, answers);
    }
    let from = Consumer::<[u64; W]>::options().open(name).expect("open the channel");
    follow_values(work, from, answers);
}
