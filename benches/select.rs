//! One of several queues gets a message, and a thread that sleeps at all of them answers: beside `poll` on as many pipes of the
//! kernel.

mod common;

use std::io::{PipeReader, PipeWriter, Read, Write, pipe};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use criterion::Criterion;
use ringway::queue::Queue;
use ringway::{Selectable, Selector, Wait};

fn main() {
    common::run(|_| {}, bench);
}

fn bench(criterion: &mut Criterion) {
    for count in [1, 8, 64] {
        let mut group = criterion.benchmark_group(format!("select {count}"));
        group.bench_function("selector", |b| b.iter_custom(|rounds| selector(count, rounds)));
        group.bench_function("poll", |b| b.iter_custom(|rounds| poll(count, rounds)));
    }
}

/// There and back `rounds` times, each time by another of `count` queues.
fn selector(count: usize, rounds: u64) -> Duration {
    let options = Queue::<u64>::options().capacity(4).wait(Wait::Park);
    let queues: Vec<_> = (0..count).map(|_| options.unnamed().expect("a queue")).collect();
    let senders: Vec<_> = queues.iter().map(Queue::sender).collect();
    let receivers: Vec<_> = queues.iter().map(Queue::receiver).collect();
    let back = options.unnamed().expect("a queue");
    let (answer, answered) = (back.sender(), back.receiver());
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let mut selector = Selector::waiting(Wait::Park);
            let sources: Vec<&dyn Selectable> = receivers.iter().map(|one| one as _).collect();
            for _ in 0..rounds {
                let ready = selector.wait(&sources).expect("one is ready");
                answer.send(receivers[ready].try_recv().expect("it is there")).expect("room");
            }
        });
        let start = Instant::now();
        for n in 0..rounds {
            senders[which(n, count)].send(n).expect("room");
            assert_eq!(answered.recv(), Ok(n));
        }
        start.elapsed()
    })
}

fn poll(count: usize, rounds: u64) -> Duration {
    let (readers, mut writers): (Vec<PipeReader>, Vec<PipeWriter>) =
        (0..count).map(|_| pipe().expect("a pipe")).unzip();
    let (mut answered, mut answer) = pipe().expect("a pipe");
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let asked = |one: &PipeReader| libc::pollfd {
                fd: one.as_raw_fd(),
                events: libc::POLLIN,
                revents: 0,
            };
            let mut polled: Vec<_> = readers.iter().map(asked).collect();
            for _ in 0..rounds {
                let ready = poll_all(&mut polled);
                let mut word = [0; 8];
                (&readers[ready]).read_exact(&mut word).expect("it is there");
                answer.write_all(&word).expect("room");
            }
        });
        let start = Instant::now();
        for n in 0..rounds {
            writers[which(n, count)].write_all(&n.to_le_bytes()).expect("room");
            let mut word = [0; 8];
            answered.read_exact(&mut word).expect("it is there");
            assert_eq!(u64::from_le_bytes(word), n);
        }
        start.elapsed()
    })
}

/// The first of `polled` that is ready.
#[allow(unsafe_code, reason = "poll")]
fn poll_all(polled: &mut [libc::pollfd]) -> usize {
    let count = libc::nfds_t::try_from(polled.len()).expect("few");
    // SAFETY: the descriptors are open, the array as long as is said.
    let ready = unsafe { libc::poll(polled.as_mut_ptr(), count, -1) };
    assert!(ready > 0, "one is ready");
    polled.iter().position(|one| one.revents != 0).expect("one is ready")
}

/// Each of them, in no order that helps.
fn which(n: u64, count: usize) -> usize {
    usize::try_from(n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33).expect("31 bits") % count
}
