//! The workloads of queues that many use, and the contestants in them.
//!
//! A message's first word says who sent it and as which one; each receiver checks that what it gets of each sender
//! comes in order, and at the end counts and sums must be those of what was sent. A sender that finds no room,
//! and a receiver that finds nothing, spins for a moment and then yields, the same way for all.

mod works;

use std::sync::Arc;

use crossbeam_queue::ArrayQueue;
use ringway::queue::{Queue, Receiver, Sender};

use crate::probe::line_round_trip;
use crate::sample::{Against, Outcome, Series};
use crate::vyukov::Vyukov;
use works::{crowd_of_processes, crowd_of_threads, duel, duellist, pair, round_trip};

pub use works::receive;

/// How messages go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// So many senders and receivers, one call for each message.
    Crowd(usize, usize),
    /// The same in batches of sixty-four, where a contestant has them.
    Batch(usize, usize),
    /// One thread sends and receives in turn.
    Pair,
    /// Two senders and nobody who receives.
    Duel,
    /// There and back between two, one at a time.
    RoundTrip,
}

/// One workload: what is moved and through how large a queue.
#[derive(Clone, Copy, Debug)]
pub struct Cell {
    work: Work,
    words: usize,
    capacity: usize,
}

const BATCH: usize = 64;

impl Cell {
    pub fn all() -> impl Iterator<Item = Cell> {
        let crowds = [(1, 1), (2, 2), (4, 4)].into_iter().flat_map(|(senders, receivers)| {
            [(1, 1024), (8, 1024), (1, 65536), (8, 65536)].map(|(words, capacity)| Cell {
                work: Work::Crowd(senders, receivers),
                words,
                capacity,
            })
        });
        let batches = [(1, 1), (2, 2)].into_iter().flat_map(|(senders, receivers)| {
            [1, 8].map(|words| Cell {
                work: Work::Batch(senders, receivers),
                words,
                capacity: 1024,
            })
        });
        let others = [Work::Pair, Work::Duel, Work::RoundTrip]
            .into_iter()
            .flat_map(|work| [1, 8].map(|words| Cell { work, words, capacity: 1024 }));
        crowds.chain(batches).chain(others)
    }

    pub fn name(&self) -> String {
        let bytes = self.words * 8;
        match self.work {
            Work::Crowd(senders, receivers) => {
                format!("queue {senders}-{receivers} {bytes} B cap {}", self.capacity)
            }
            Work::Batch(senders, receivers) => {
                format!("queue {senders}-{receivers} batch64 {bytes} B cap {}", self.capacity)
            }
            Work::Pair => format!("queue pair {bytes} B"),
            Work::Duel => format!("queue duel {bytes} B"),
            Work::RoundTrip => format!("queue round-trip {bytes} B"),
        }
    }
}

/// The message with `head` in front: every word depends on it and on its place.
#[inline(always)]
fn message<const W: usize>(head: u64) -> [u64; W] {
    std::array::from_fn(|place| head ^ (place as u64) << 40)
}

/// What a message has in front; panics unless its last word fits that.
#[inline(always)]
fn head_of<const W: usize>(found: &[u64; W]) -> u64 {
    let last = (W - 1) as u64;
    assert!(found[W - 1] == found[0] ^ last << 40, "a message is wrong: {found:x?}");
    found[0]
}

/// A handle that sends.
trait Out<const W: usize> {
    fn one(&mut self, message: [u64; W]) -> bool;
    fn batch(&mut self, messages: &[[u64; W]]) -> usize {
        usize::from(self.one(messages[0]))
    }
}

/// A handle that receives.
trait In<const W: usize> {
    fn one(&mut self) -> Option<[u64; W]>;
    fn batch(&mut self, buffer: &mut [[u64; W]; BATCH]) -> usize {
        self.one().map_or(0, |message| {
            buffer[0] = message;
            1
        })
    }
}

impl<const W: usize> Out<W> for Arc<ArrayQueue<[u64; W]>> {
    #[inline(always)]
    fn one(&mut self, message: [u64; W]) -> bool {
        self.push(message).is_ok()
    }
}

impl<const W: usize> In<W> for Arc<ArrayQueue<[u64; W]>> {
    #[inline(always)]
    fn one(&mut self) -> Option<[u64; W]> {
        self.pop()
    }
}

impl<const W: usize> Out<W> for Arc<Vyukov<[u64; W]>>
where
    [u64; W]: Default,
{
    #[inline(always)]
    fn one(&mut self, message: [u64; W]) -> bool {
        self.push(message)
    }
}

impl<const W: usize> In<W> for Arc<Vyukov<[u64; W]>>
where
    [u64; W]: Default,
{
    #[inline(always)]
    fn one(&mut self) -> Option<[u64; W]> {
        self.pop()
    }
}

impl<const W: usize> Out<W> for Sender<[u64; W]> {
    #[inline(always)]
    fn one(&mut self, message: [u64; W]) -> bool {
        self.try_send(message).is_ok()
    }
    fn batch(&mut self, messages: &[[u64; W]]) -> usize {
        self.try_send_batch(messages).unwrap_or(0)
    }
}

impl<const W: usize> In<W> for Receiver<[u64; W]> {
    #[inline(always)]
    fn one(&mut self) -> Option<[u64; W]> {
        self.try_recv().ok()
    }
    fn batch(&mut self, buffer: &mut [[u64; W]; BATCH]) -> usize {
        self.try_recv_batch(buffer).unwrap_or(0)
    }
}

fn ringway<const W: usize>(capacity: usize) -> Queue<[u64; W]> {
    Queue::<[u64; W]>::options().capacity(capacity).unnamed().expect("a queue")
}

fn sample<const W: usize>(contestant: &str, cell: &Cell, count: u64) -> f64
where
    [u64; W]: Default,
{
    let capacity = cell.capacity;
    let duel_capacity = usize::try_from(count).unwrap_or(usize::MAX).next_power_of_two();
    match (cell.work, contestant) {
        (Work::Crowd(senders, receivers) | Work::Batch(senders, receivers), contestant) => {
            let batches = matches!(cell.work, Work::Batch(..));
            let (many, each) = ((senders, receivers, batches), count / senders as u64);
            match contestant {
                ARRAY_QUEUE => {
                    let queue = Arc::new(ArrayQueue::new(capacity));
                    crowd_of_threads::<W, _, _>(many, each, || queue.clone(), || queue.clone())
                }
                VYUKOV => {
                    let queue = Arc::new(Vyukov::new(capacity));
                    crowd_of_threads::<W, _, _>(many, each, || queue.clone(), || queue.clone())
                }
                THREADS => {
                    let queue = ringway(capacity);
                    let (out, from) = (|| queue.sender(), || queue.receiver());
                    crowd_of_threads::<W, _, _>(many, each, out, from)
                }
                _ => crowd_of_processes::<W>(many, each, capacity),
            }
        }
        (Work::Pair, ARRAY_QUEUE) => {
            let queue = Arc::new(ArrayQueue::new(capacity));
            pair::<W>(count, queue.clone(), queue)
        }
        (Work::Pair, VYUKOV) => {
            let queue = Arc::new(Vyukov::new(capacity));
            pair::<W>(count, queue.clone(), queue)
        }
        (Work::Pair, _) => {
            let queue = ringway::<W>(capacity);
            pair::<W>(count, queue.sender(), queue.receiver())
        }
        (Work::Duel, ARRAY_QUEUE) => {
            let queue = Arc::new(ArrayQueue::new(duel_capacity));
            let each = count / 2;
            let out = || duellist::<W>(each, queue.clone());
            duel::<W>(each, out, &mut queue.clone(), &mut queue.clone())
        }
        (Work::Duel, VYUKOV) => {
            let queue = Arc::new(Vyukov::new(duel_capacity));
            let each = count / 2;
            let out = || duellist::<W>(each, queue.clone());
            duel::<W>(each, out, &mut queue.clone(), &mut queue.clone())
        }
        (Work::Duel, _) => {
            let queue = ringway::<W>(duel_capacity);
            let each = count / 2;
            let out = || duellist::<W>(each, queue.sender());
            duel::<W>(each, out, &mut queue.receiver(), &mut queue.sender())
        }
        (Work::RoundTrip, ARRAY_QUEUE) => {
            let queues = [(); 2].map(|()| Arc::new(ArrayQueue::new(capacity)));
            let [there, back] = queues.map(|queue| (queue.clone(), queue));
            round_trip::<W>(count, there, back)
        }
        (Work::RoundTrip, VYUKOV) => {
            let queues = [(); 2].map(|()| Arc::new(Vyukov::new(capacity)));
            let [there, back] = queues.map(|queue| (queue.clone(), queue));
            round_trip::<W>(count, there, back)
        }
        (Work::RoundTrip, _) => {
            let queues = [(); 2].map(|()| ringway::<W>(capacity));
            let [there, back] = queues.map(|queue| (queue.sender(), queue.receiver()));
            round_trip::<W>(count, there, back)
        }
    }
}

const ARRAY_QUEUE: &str = "ArrayQueue, threads";
const VYUKOV: &str = "plain Vyukov, threads";
const THREADS: &str = "ringway, threads";
const PROCESSES: &str = "ringway, processes";

/// Runs a cell: every contestant once in each round.
pub fn run(cell: &Cell, rounds: usize, count: u64) -> Outcome {
    let (count, processes) = match cell.work {
        Work::Crowd(..) | Work::Batch(..) => (count, true),
        Work::Pair => (count, false),
        Work::Duel => (count / 4, false),
        Work::RoundTrip => (count / 8, false),
    };
    let mut names = vec![ARRAY_QUEUE, VYUKOV, THREADS];
    names.extend(processes.then_some(PROCESSES));
    let new = |name| Series { name, samples: Vec::new() };
    let mut series: Vec<Series> = names.into_iter().map(new).collect();
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
