//! Blocks: making one, attaching to one, and copying in and out beside `memcpy`; the same works by Python's `SharedMemory`
//! where Python is there.

#![allow(unsafe_code, reason = "memcpy to and from memory that is nobody else's")]

mod common;

use std::hint::black_box;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use common::unique;
use criterion::{Criterion, Throughput};
use ringway::block::{Block, RawBlock, SharedArray};

const MIB: usize = 1 << 20;

fn main() {
    common::run(
        |_| {},
        |criterion| {
            attach(criterion);
            copy(criterion);
            beside_memcpy();
            attaching();
            words(criterion);
        },
    );
}

/// Times `act` alone, and not what becomes of its result.
fn timed<R>(count: u64, mut act: impl FnMut() -> R, mut then: impl FnMut(R)) -> Duration {
    let mut took = Duration::ZERO;
    for _ in 0..count {
        let start = Instant::now();
        let made = act();
        took += start.elapsed();
        then(made);
    }
    took
}

/// Of 1 MiB each.
fn attach(criterion: &mut Criterion) {
    let name = unique();
    let block = Block::options().len(MIB).remove_when_unused().create(&name).expect("a block");
    let raw = RawBlock::create(&unique(), MIB).expect("a raw block");
    let mut group = criterion.benchmark_group("block 1 MiB");
    let fresh = Block::options().len(MIB).remove_when_unused();
    group.bench_function("create", |bencher| {
        bencher.iter_custom(|count| {
            timed(count, || fresh.anonymous().expect("room for another"), drop)
        });
    });
    group.bench_function("attach", |bencher| {
        bencher.iter_custom(|count| {
            timed(
                count,
                || Block::open(&name).expect("it is there"),
                |other| {
                    assert_eq!(other.len(), block.len());
                },
            )
        });
    });
    group.bench_function("attach raw", |bencher| {
        bencher.iter_custom(|count| {
            timed(count, || RawBlock::open(raw.name()).expect("it is there"), drop)
        });
    });
    if let Some(mut python) = Python::start(raw.name()) {
        group.bench_function("attach python", |bencher| {
            bencher.iter_custom(|count| python.ask("attach", count));
        });
    }
    group.finish();
    raw.unlink().expect("it has its name");
}

fn copy(criterion: &mut Criterion) {
    let raw = RawBlock::create(&unique(), MIB).expect("a raw block");
    for len in [64, 4096, MIB] {
        let block = Block::options().len(len).remove_when_unused().anonymous().expect("a block");
        let (mut here, mut there) = (vec![1_u8; len], vec![2_u8; len]);
        let mut group = criterion.benchmark_group(format!("copy {len} B"));
        group.throughput(Throughput::Bytes(len as u64));
        group.bench_function("memcpy", |bencher| {
            bencher.iter(|| black_box(&mut there).copy_from_slice(black_box(&here)));
        });
        group.bench_function("write", |bencher| {
            bencher.iter(|| block.write_at(0, black_box(&here)).expect("it fits"));
        });
        group.bench_function("read", |bencher| {
            bencher.iter(|| block.read_at(0, black_box(&mut here)).expect("it fits"));
        });
        if len == MIB
            && let Some(mut python) = Python::start(raw.name())
        {
            for work in ["write", "read"] {
                group.bench_function(format!("{work} python"), |bencher| {
                    bencher.iter_custom(|count| python.ask(work, count));
                });
            }
        }
        group.finish();
    }
    raw.unlink().expect("it has its name");
}

/// How long attaching to 1 MiB takes half of the time: a mean is of the machine's other work too.
fn attaching() {
    let block = Block::options().len(MIB).remove_when_unused().anonymous().expect("a block");
    let mut took: Vec<Duration> = (0..2000)
        .map(|_| timed(1, || Block::open(block.name()).expect("it is there"), drop))
        .collect();
    took.sort();
    println!("attach to 1 MiB: median {:?}, p99 {:?} of 2000", took[1000], took[1980]);
}

/// Copies of 1 MiB and `memcpy` to and from the very same memory, in turn: medians of the ratios within rounds.
fn beside_memcpy() {
    const ROUNDS: usize = 301;
    let block = Block::options().len(MIB).remove_when_unused().anonymous().expect("a block");
    let mut here = vec![1_u8; MIB];
    // SAFETY: nobody else has the block, and it lasts until the end of this function.
    let shared = unsafe { block.as_ptr() }.as_ptr();
    let mut ratios = [Vec::new(), Vec::new()];
    let timed = |act: &mut dyn FnMut()| {
        let start = Instant::now();
        (0..4).for_each(|_| act());
        start.elapsed().as_secs_f64()
    };
    for _ in 0..ROUNDS {
        let private = here.as_mut_ptr();
        // SAFETY: both are so long, apart, and nobody else's.
        let out =
            timed(&mut || unsafe { private.copy_from_nonoverlapping(black_box(shared), MIB) });
        // SAFETY: as above.
        let into =
            timed(&mut || unsafe { shared.copy_from_nonoverlapping(black_box(private), MIB) });
        let read = timed(&mut || block.read_at(0, black_box(&mut here)).expect("it fits"));
        let write = timed(&mut || block.write_at(0, black_box(&here)).expect("it fits"));
        ratios[0].push(out / read);
        ratios[1].push(into / write);
    }
    for (what, ratios) in ["read", "write"].into_iter().zip(&mut ratios) {
        ratios.sort_by(f64::total_cmp);
        let (median, tenth, last) = (ROUNDS / 2, ROUNDS / 10, ROUNDS - 1 - ROUNDS / 10);
        println!(
            "{what} of 1 MiB at {:.2} of the rate of memcpy ({:.2} to {:.2} but for a tenth each)",
            ratios[median], ratios[tenth], ratios[last]
        );
    }
}

/// One number at a time.
fn words(criterion: &mut Criterion) {
    let options = SharedArray::<u64>::options().len(1000).remove_when_unused();
    let array = options.anonymous().expect("an array");
    let mut group = criterion.benchmark_group("one of 1000 numbers");
    group.bench_function("set", |bencher| {
        bencher.iter(|| array.set(black_box(500), 7).expect("it is there"));
    });
    group.bench_function("get", |bencher| {
        bencher.iter(|| array.get(black_box(500)).expect("it is there"));
    });
    group.bench_function("add, atomic", |bencher| {
        bencher.iter(|| array.atomics()[black_box(500)].fetch_add(1, Relaxed));
    });
}

/// A process that does the same with Python's `SharedMemory`.
struct Python {
    child: Child,
    asked: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// Does what it is told as often as it is told, and answers with the nanoseconds that it took.
const PROGRAM: &str = "
import sys, time
from multiprocessing import shared_memory, resource_tracker
resource_tracker.register = resource_tracker.unregister = lambda *arguments: None
name = sys.argv[1]
block = shared_memory.SharedMemory(name=name)
data = bytes([1]) * block.size
for line in sys.stdin:
    work, count = line.split()
    took = 0
    for _ in range(int(count)):
        start = time.perf_counter_ns()
        if work == 'attach':
            other = shared_memory.SharedMemory(name=name)
        elif work == 'write':
            block.buf[:] = data
        else:
            found = bytes(block.buf)
        took += time.perf_counter_ns() - start
        if work == 'attach':
            other.close()
    print(took, flush=True)
block.close()
";

impl Python {
    /// `None` where there is no Python.
    fn start(name: &str) -> Option<Self> {
        let mut command = Command::new("python3");
        command.args(["-c", PROGRAM, name]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().ok()?;
        let (asked, answers) = (child.stdin.take()?, BufReader::new(child.stdout.take()?));
        Some(Self { child, asked, answers })
    }

    fn ask(&mut self, work: &str, count: u64) -> Duration {
        writeln!(self.asked, "{work} {count}").expect("it listens");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("it answers");
        Duration::from_nanos(line.trim().parse().expect("a number"))
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
