//! Long records copied in and out, 4 KiB to 64 MiB: through pipes of several capacities, through bare shared memory (the
//! limit that two processors reach), a Unix socket and a pipe of the kernel.
//!
//! One side sends from a buffer of its own, the other receives into one; both keep their buffers. A sample is so many records
//! and an answer, and each record's first and last bytes are checked.

mod common;

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use common::copying::Copying;
use common::machine;
use criterion::{Criterion, Throughput};
use ringway::Wait;
use ringway::pipe::Connection;

const LENGTHS: [(usize, &str); 5] = [
    (4 << 10, "4 KiB"),
    (64 << 10, "64 KiB"),
    (1 << 20, "1 MiB"),
    (16 << 20, "16 MiB"),
    (64 << 20, "64 MiB"),
];
const CAPACITIES: [(usize, &str); 3] =
    [(64 << 10, "64 KiB"), (256 << 10, "256 KiB"), (1 << 20, "1 MiB")];

/// Sends a record, or receives one into the buffer, which is as long.
type Side = Box<dyn FnMut(&mut [u8]) + Send>;
/// Makes both sides.
type Make = Box<dyn Fn() -> (Side, Side)>;

fn main() {
    common::run(|_| {}, bench);
}

fn bench(criterion: &mut Criterion) {
    if machine::usable().len() < 2 {
        println!("not run: two sides that copy need two processors");
        return;
    }
    for (len, length) in LENGTHS {
        let mut group = criterion.benchmark_group(format!("long records {length}"));
        group.throughput(Throughput::Bytes(len as u64));
        for (name, sides) in contestants() {
            let (out, from) = sides();
            let mut works = Works::start(out, from, len);
            group.bench_function(name, |bencher| bencher.iter_custom(|count| works.sample(count)));
        }
        group.finish();
    }
}

/// Those who are compared, each with how its two sides are made.
fn contestants() -> Vec<(String, Make)> {
    let mut all: Vec<(String, Make)> = Vec::new();
    for (capacity, name) in CAPACITIES {
        all.push((format!("ringway-pipe of {name}"), Box::new(move || ringway(capacity))));
    }
    for (piece, name) in [(32 << 10, "32 KiB"), (128 << 10, "128 KiB")] {
        all.push((format!("memcpy by {name}"), Box::new(move || bare(piece))));
    }
    all.push(("unix-stream".to_owned(), Box::new(socket)));
    all.push(("kernel-pipe".to_owned(), Box::new(kernel_pipe)));
    all
}

/// Two sides at work, the receiver on a thread of its own.
struct Works {
    out: Side,
    buffer: Vec<u8>,
    counts: Option<Sender<u64>>,
    answers: Receiver<u64>,
    receiver: Option<thread::JoinHandle<()>>,
}

impl Works {
    fn start(out: Side, mut from: Side, len: usize) -> Self {
        let (counts, orders) = channel::<u64>();
        let (answer, answers) = channel();
        machine::unpin();
        let receiver = thread::spawn(move || {
            machine::pin(1);
            let mut buffer = vec![1; len];
            for count in orders {
                for number in 0..count {
                    from(&mut buffer);
                    let mark = number.to_le_bytes()[0];
                    assert!(buffer[0] == mark && buffer[len - 1] == mark, "record {number}");
                }
                answer.send(count).expect("the sender waits");
            }
        });
        machine::pin(0);
        let (counts, receiver) = (Some(counts), Some(receiver));
        Self { out, buffer: vec![1; len], counts, answers, receiver }
    }

    fn sample(&mut self, count: u64) -> Duration {
        let last = self.buffer.len() - 1;
        let started = Instant::now();
        self.counts.as_ref().expect("not over").send(count).expect("the receiver waits");
        for number in 0..count {
            let mark = number.to_le_bytes()[0];
            (self.buffer[0], self.buffer[last]) = (mark, mark);
            (self.out)(&mut self.buffer);
        }
        assert_eq!(self.answers.recv(), Ok(count));
        started.elapsed()
    }
}

impl Drop for Works {
    fn drop(&mut self) {
        drop(self.counts.take());
        self.receiver.take().expect("once").join().expect("every record was right");
    }
}

fn ringway(capacity: usize) -> (Side, Side) {
    let options = Connection::options().capacity(capacity).wait(Wait::Spin);
    let (mut here, mut there) = options.pair().expect("a pair");
    (
        Box::new(move |record| here.send(record).expect("the receiver is there")),
        Box::new(move |buffer| {
            assert_eq!(there.recv_into(buffer), Ok(buffer.len()));
        }),
    )
}

fn socket() -> (Side, Side) {
    let (mut here, mut there) = UnixStream::pair().expect("a pair");
    (
        Box::new(move |record| here.write_all(record).expect("the receiver is there")),
        Box::new(move |buffer| there.read_exact(buffer).expect("the sender is there")),
    )
}

fn kernel_pipe() -> (Side, Side) {
    let (mut from, mut out) = std::io::pipe().expect("a pipe");
    (
        Box::new(move |record| out.write_all(record).expect("the receiver is there")),
        Box::new(move |buffer| from.read_exact(buffer).expect("the sender is there")),
    )
}

/// The least that copying in and out takes.
fn bare(piece: usize) -> (Side, Side) {
    let here = Arc::new(Copying::create(piece, false).expect("there is memory"));
    let (there, mut sent, mut received) = (Arc::clone(&here), 0, 0);
    (
        Box::new(move |record| here.send(record, &mut sent)),
        Box::new(move |buffer| there.receive(buffer, &mut received)),
    )
}
