//! Long records copied in and out, 4 KiB to 64 MiB: through pipes of several capacities, through bare shared memory (the
//! limit that two processors reach), a Unix socket and a pipe of the kernel.
//!
//! One side sends from a buffer of its own, the other receives into one; both keep their buffers. A sample is so many records
//! and an answer, and each record's first and last bytes are checked.
#![allow(unsafe_code, reason = "bare shared memory")]

mod common;

use std::hint::spin_loop;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Release},
};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use common::machine;
use criterion::{Criterion, Throughput};
use memmap2::{MmapOptions, MmapRaw};
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

/// Room for pieces in shared memory, and two counts: the least that copying in and out takes.
struct Bare {
    memory: MmapRaw,
    piece: usize,
    filled: Apart,
    emptied: Apart,
}

/// On lines of its own.
#[repr(align(128))]
struct Apart(AtomicU64);

/// Pieces that there is room for.
const PIECES: u64 = 8;

impl Bare {
    fn at(&self, number: u64) -> *mut u8 {
        let place =
            usize::try_from(number % PIECES).expect("below the number of pieces") * self.piece;
        self.memory.as_mut_ptr().wrapping_add(place)
    }

    fn send(&self, record: &[u8], next: &mut u64) {
        for part in record.chunks(self.piece) {
            while *next - self.emptied.0.load(Acquire) == PIECES {
                spin_loop();
            }
            // SAFETY: a piece lies in the memory, this one was emptied, and there is one sender.
            unsafe { ptr::copy_nonoverlapping(part.as_ptr(), self.at(*next), part.len()) };
            *next += 1;
            self.filled.0.store(*next, Release);
        }
    }

    fn receive(&self, buffer: &mut [u8], next: &mut u64) {
        for part in buffer.chunks_mut(self.piece) {
            while self.filled.0.load(Acquire) == *next {
                spin_loop();
            }
            // SAFETY: a piece lies in the memory, this one was filled, and there is one receiver.
            unsafe { ptr::copy_nonoverlapping(self.at(*next), part.as_mut_ptr(), part.len()) };
            *next += 1;
            self.emptied.0.store(*next, Release);
        }
    }
}

fn bare(piece: usize) -> (Side, Side) {
    // SAFETY: the name is a literal that ends with zero.
    let descriptor = unsafe { libc::memfd_create(c"bare-memcpy".as_ptr(), libc::MFD_CLOEXEC) };
    assert!(descriptor >= 0, "no memory file");
    // SAFETY: it was opened above and belongs to nobody else.
    let file = std::fs::File::from(unsafe {
        <std::os::fd::OwnedFd as std::os::fd::FromRawFd>::from_raw_fd(descriptor)
    });
    let len = usize::try_from(PIECES).expect("few") * piece;
    file.set_len(len as u64).expect("there is memory");
    let memory = MmapOptions::new().len(len).map_raw(&file).expect("a mapping");
    let zero = || Apart(AtomicU64::new(0));
    let bare = Arc::new(Bare { memory, piece, filled: zero(), emptied: zero() });
    let (there, mut sent, mut received) = (Arc::clone(&bare), 0, 0);
    (
        Box::new(move |record| bare.send(record, &mut sent)),
        Box::new(move |buffer| there.receive(buffer, &mut received)),
    )
}
