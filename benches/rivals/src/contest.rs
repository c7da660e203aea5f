//! The workloads between one sender and one receiver, and the contestants in them.

use std::process::{Command, Stdio};
use std::thread::JoinHandle;
use std::time::Instant;

use ringway::spsc::{Consumer, Producer};

use crate::probe::{line_round_trip, nanos_each, pin, unpin};
use crate::sample::{Against, Outcome, Series};

/// How messages go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// One call each.
    Stream,
    /// Sixty-four a call.
    Batch,
    /// There and back, one at a time.
    RoundTrip,
}

/// One workload: what is moved and through how large a ring.
#[derive(Clone, Copy, Debug)]
pub struct Cell {
    work: Work,
    words: usize,
    capacity: usize,
}

const BATCH: usize = 64;

impl Cell {
    pub fn all() -> impl Iterator<Item = Cell> {
        let sized = [Work::Stream, Work::Batch].into_iter().flat_map(|work| {
            [(1, 1024), (8, 1024), (1, 65536), (8, 65536)].map(|(words, capacity)| Cell {
                work,
                words,
                capacity,
            })
        });
        sized.chain([Cell { work: Work::RoundTrip, words: 1, capacity: 1024 }])
    }

    pub fn name(&self) -> String {
        let work = match self.work {
            Work::Stream => "stream",
            Work::Batch => "batch64",
            Work::RoundTrip => return "round-trip 8 B".to_owned(),
        };
        format!("{work} {} B cap {}", self.words * 8, self.capacity)
    }
}

/// The value numbered `n`: every word depends on the number and on its place.
fn value<const W: usize>(n: u64) -> [u64; W] {
    std::array::from_fn(|place| n ^ (place as u64) << 56)
}

/// Panics unless `found` is the value numbered `n`.
#[inline(always)]
fn check<const W: usize>(found: &[u64; W], n: u64) {
    assert!(found[0] == n && found[W - 1] == n ^ ((W - 1) as u64) << 56, "message {n} is wrong");
}

/// One end that sends, in a form that every contestant can give.
trait Send<const W: usize> {
    fn one(&mut self, value: [u64; W]) -> bool;
    /// Sends a batch that begins with number `first`; says how many were sent.
    fn batch(&mut self, first: u64, count: usize) -> usize;
}

/// One end that receives.
trait Receive<const W: usize> {
    fn one(&mut self) -> Option<[u64; W]>;
    /// Receives and checks a batch that must begin with number `first`; says how many there were.
    fn batch(&mut self, first: u64) -> usize;
}

impl<const W: usize> Send<W> for Producer<[u64; W]> {
    #[inline(always)]
    fn one(&mut self, value: [u64; W]) -> bool {
        self.try_send(value).is_ok()
    }
    fn batch(&mut self, first: u64, count: usize) -> usize {
        let Ok(mut grant) = self.try_reserve(count) else { return 0 };
        for (slot, n) in grant.iter_mut().zip(first..) {
            *slot = value(n);
        }
        let sent = grant.len();
        if grant.commit().is_ok() { sent } else { 0 }
    }
}

impl<const W: usize> Receive<W> for Consumer<[u64; W]> {
    #[inline(always)]
    fn one(&mut self) -> Option<[u64; W]> {
        self.try_recv().ok()
    }
    fn batch(&mut self, first: u64) -> usize {
        let Ok(grant) = self.try_peek(BATCH) else { return 0 };
        for (slot, n) in grant.iter().zip(first..) {
            check(slot, n);
        }
        let received = grant.len();
        grant.release();
        received
    }
}

impl<const W: usize> Send<W> for rtrb::Producer<[u64; W]> {
    #[inline(always)]
    fn one(&mut self, value: [u64; W]) -> bool {
        self.push(value).is_ok()
    }
    fn batch(&mut self, first: u64, count: usize) -> usize {
        let count = count.min(self.slots());
        let Ok(chunk) = self.write_chunk_uninit(count) else { return 0 };
        chunk.fill_from_iter((first..).map(value))
    }
}

impl<const W: usize> Receive<W> for rtrb::Consumer<[u64; W]> {
    #[inline(always)]
    fn one(&mut self) -> Option<[u64; W]> {
        self.pop().ok()
    }
    fn batch(&mut self, first: u64) -> usize {
        let count = self.slots().min(BATCH);
        let Ok(chunk) = self.read_chunk(count) else { return 0 };
        let (one, two) = chunk.as_slices();
        for (slot, n) in one.iter().chain(two).zip(first..) {
            check(slot, n);
        }
        chunk.commit_all();
        count
    }
}

#[inline(always)]
fn send_one<const W: usize>(out: &mut impl Send<W>, n: u64) {
    while !out.one(value(n)) {
        std::hint::spin_loop();
    }
}

#[inline(always)]
fn receive_one<const W: usize>(from: &mut impl Receive<W>) -> [u64; W] {
    loop {
        if let Some(value) = from.one() {
            return value;
        }
        std::hint::spin_loop();
    }
}

/// The measured side: sends everything and waits for the answer to the last.
fn lead<const W: usize>(
    work: Work,
    count: u64,
    out: &mut impl Send<W>,
    back: &mut impl Receive<W>,
) -> f64 {
    pin(0);
    send_one(out, u64::MAX);
    check(&receive_one(back), u64::MAX);
    let start = Instant::now();
    match work {
        Work::Stream => (0..count).for_each(|n| send_one(out, n)),
        Work::Batch => {
            let mut next = 0;
            while next < count {
                let left = usize::try_from(count - next).unwrap_or(BATCH).min(BATCH);
                next += out.batch(next, left) as u64;
            }
        }
        Work::RoundTrip => {
            for n in 0..count {
                send_one(out, n);
                check(&receive_one(back), n);
            }
        }
    }
    check(&receive_one(back), count);
    nanos_each(start, count)
}

/// The other side: receives and checks everything, answers where the work wants it and at the end.
fn follow<const W: usize>(
    work: Work,
    count: u64,
    from: &mut impl Receive<W>,
    back: &mut impl Send<W>,
) {
    pin(1);
    check(&receive_one(from), u64::MAX);
    send_one(back, u64::MAX);
    match work {
        Work::Stream => (0..count).for_each(|n| check(&receive_one(from), n)),
        Work::Batch => {
            let mut next = 0;
            while next < count {
                next += from.batch(next) as u64;
            }
        }
        Work::RoundTrip => {
            for n in 0..count {
                check(&receive_one(from), n);
                send_one(back, n);
            }
        }
    }
    send_one(back, count);
}

fn ringway_processes<const W: usize>(cell: &Cell, count: u64) -> f64 {
    let name = format!("rivals-{}", std::process::id());
    let back_name = format!("{name}-back");
    let mut out = Producer::<[u64; W]>::options()
        .capacity(cell.capacity)
        .remove_when_unused()
        .create(&name)
        .expect("create the channel");
    let mut back = Consumer::<[u64; W]>::options()
        .capacity(cell.capacity)
        .remove_when_unused()
        .create(&back_name)
        .expect("create the channel back");
    let task = format!("{:?} {W} {count} {name} {back_name}", cell.work);
    let receiver = spawn(&task, [name, back_name]);
    let result = lead(cell.work, count, &mut out, &mut back);
    receiver.join().expect("a thread that only waits");
    result
}

/// Starts the receiving side. The sending side spins and would spin forever if that failed: so a thread
/// waits for it, and ends the program then.
fn spawn(task: &str, names: [String; 2]) -> JoinHandle<()> {
    unpin();
    let exe = std::env::current_exe().expect("the program's own path");
    let mut command = Command::new(exe);
    command.args(["--receive", task]).stdin(Stdio::null());
    let mut child = command.spawn().expect("start itself");
    std::thread::spawn(move || {
        if !child.wait().is_ok_and(|status| status.success()) {
            for name in &names {
                let _ = Producer::<u64>::options().unlink(name);
            }
            eprintln!("the receiver failed");
            std::process::exit(1);
        }
    })
}

/// Plays the receiving side that another process asked for.
pub fn receive(task: &str) {
    let words: Vec<&str> = task.split(' ').collect();
    let [work, width, count, name, back_name] = words[..] else { panic!("task {task:?}") };
    let work = [Work::Stream, Work::Batch, Work::RoundTrip]
        .into_iter()
        .find(|known| format!("{known:?}") == work)
        .expect("a known workload");
    let count = count.parse().expect("a count");
    match width {
        "1" => receive_values::<1>(work, count, name, back_name),
        "8" => receive_values::<8>(work, count, name, back_name),
        _ => panic!("no such width: {width}"),
    }
}

fn receive_values<const W: usize>(work: Work, count: u64, name: &str, back_name: &str) {
    let mut from = Consumer::<[u64; W]>::options().open(name).expect("open the channel");
    let mut back = Producer::<[u64; W]>::options().open(back_name).expect("open the channel back");
    follow(work, count, &mut from, &mut back);
}

fn between_threads<const W: usize>(
    work: Work,
    count: u64,
    (mut out, mut from): (impl Send<W>, impl Receive<W> + std::marker::Send),
    (mut answer, mut back): (impl Send<W> + std::marker::Send, impl Receive<W>),
) -> f64 {
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let _end = EndTogether;
            follow(work, count, &mut from, &mut answer);
        });
        lead(work, count, &mut out, &mut back)
    })
}

/// Ends the program when its thread panics: the other side would spin forever.
struct EndTogether;

impl Drop for EndTogether {
    fn drop(&mut self) {
        if std::thread::panicking() {
            std::process::exit(1);
        }
    }
}

fn sample<const W: usize>(contestant: &str, cell: &Cell, count: u64) -> f64 {
    let capacity = cell.capacity;
    match contestant {
        "rtrb, threads" => between_threads::<W>(
            cell.work,
            count,
            rtrb::RingBuffer::new(capacity),
            rtrb::RingBuffer::new(capacity),
        ),
        "ringway, threads" => between_threads::<W>(
            cell.work,
            count,
            ringway::spsc::pair(capacity).expect("a pair"),
            ringway::spsc::pair(capacity).expect("a pair"),
        ),
        _ => ringway_processes::<W>(cell, count),
    }
}

/// Runs a cell: every contestant once in each round.
pub fn run(cell: &Cell, rounds: usize, count: u64) -> Outcome {
    let count = if cell.work == Work::RoundTrip { count / 8 } else { count };
    let mut series: Vec<Series> = ["rtrb, threads", "ringway, processes", "ringway, threads"]
        .map(|name| Series { name, samples: Vec::new() })
        .into();
    let mut regime = Vec::new();
    for _ in 0..rounds {
        regime.push(line_round_trip());
        for contestant in &mut series {
            contestant.samples.push(match cell.words {
                1 => sample::<1>(contestant.name, cell, count),
                _ => sample::<8>(contestant.name, cell, count),
            });
        }
    }
    Outcome { cell: cell.name(), against: Against::Rate, series, regime }
}
