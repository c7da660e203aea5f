//! What is moved, how, and through how large a queue: the same for every contestant.

use std::fmt;
use std::time::Duration;

/// How messages go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// One sender, one receiver, one call for each message.
    Stream,
    /// The same in batches of [`BATCH`], by contestants that have batches.
    Batch,
    /// There and back, one at a time; both sides keep looking.
    SpinningTrip,
    /// The same, and each side sleeps until it is woken.
    ParkedTrip,
    /// Many senders and receivers.
    Crowd { senders: usize, receivers: usize },
    /// So many messages as fast as they go, to a receiver that sleeps: until the last one has arrived.
    Burst(u64),
    /// One message to a receiver that sleeps: until it has it.
    Wake,
    /// One message every so often, whatever became of the last: from the moment it was due until it has
    /// arrived. The receiver keeps looking.
    Paced(Duration),
    /// One thread sends and receives in turn.
    Pair,
    /// Two threads send against each other, and nobody receives.
    Duel,
    /// Attaching to a queue that exists, by a process that has attached to one before.
    Attach,
    /// What a queue takes of memory while nobody uses it.
    Memory,
}

/// Messages that small queues and large ones have room for.
const CAPACITIES: [usize; 2] = [1 << 10, 1 << 16];

/// Messages of a batch.
pub const BATCH: usize = 64;

/// One cell of the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Workload {
    pub shape: Shape,
    /// Length of a message.
    pub bytes: usize,
    /// Messages that the queue has room for.
    pub capacity: usize,
}

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Nanoseconds for each message, all taken together: throughput.
    NanosPerMessage,
    /// Nanoseconds that one message, trip or call takes: latency.
    Nanos,
    Bytes,
}

/// How a workload waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// By looking again and again, where a contestant can.
    Poll,
    /// Asleep in the kernel.
    Park,
}

impl Workload {
    const fn new(shape: Shape, bytes: usize, capacity: usize) -> Self {
        Self { shape, bytes, capacity }
    }

    /// Every workload, in the order of the tables.
    pub fn all() -> Vec<Self> {
        use Shape::{
            Attach, Batch, Burst, Crowd, Duel, Memory, Paced, Pair, ParkedTrip, SpinningTrip,
            Stream, Wake,
        };
        let mut all = Vec::new();
        let mut add = |shape, bytes, capacity| all.push(Self::new(shape, bytes, capacity));
        for bytes in [8, 64, 1 << 10] {
            for capacity in CAPACITIES {
                add(Stream, bytes, capacity);
            }
        }
        // What Python's queue is compared at: not a power of two.
        add(Stream, 104, 1 << 10);
        // Room for 65,536 of these would be gigabytes.
        add(Stream, 64 << 10, 16);
        add(Stream, 1 << 20, 4);
        for bytes in [8, 64] {
            for capacity in CAPACITIES {
                add(Batch, bytes, capacity);
            }
        }
        add(SpinningTrip, 8, 1 << 10);
        add(ParkedTrip, 8, 1 << 10);
        for (senders, receivers) in [(2, 2), (4, 4)] {
            for bytes in [8, 64] {
                let crowd = Crowd { senders, receivers };
                for capacity in CAPACITIES {
                    add(crowd, bytes, capacity);
                }
            }
        }
        add(Crowd { senders: 4, receivers: 1 }, 8, 1 << 10);
        add(Crowd { senders: 1, receivers: 4 }, 8, 1 << 10);
        add(Burst(256), 8, 1 << 10);
        add(Wake, 8, 1 << 10);
        add(Paced(Duration::from_micros(5)), 8, 1 << 10);
        add(Pair, 8, 1 << 10);
        add(Duel, 8, 1 << 16);
        add(Attach, 8, 1 << 10);
        add(Memory, 64, 1 << 10);
        all
    }

    /// The few that show most in a short time.
    pub fn is_quick(&self) -> bool {
        let small = self.capacity == 1 << 10;
        match self.shape {
            Shape::Stream => small && matches!(self.bytes, 8 | 64) || self.bytes == 64 << 10,
            Shape::Crowd { senders, receivers } => senders == receivers && small && self.bytes == 8,
            Shape::SpinningTrip | Shape::Wake => true,
            Shape::Batch => small && self.bytes == 8,
            _ => false,
        }
    }

    /// The one that has `name`.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().into_iter().find(|workload| workload.to_string() == name)
    }

    pub fn unit(&self) -> Unit {
        match self.shape {
            Shape::Stream | Shape::Batch | Shape::Crowd { .. } | Shape::Pair | Shape::Duel => {
                Unit::NanosPerMessage
            }
            Shape::Memory => Unit::Bytes,
            _ => Unit::Nanos,
        }
    }

    pub fn waiting(&self) -> Waiting {
        match self.shape {
            Shape::ParkedTrip | Shape::Burst(_) | Shape::Wake => Waiting::Park,
            _ => Waiting::Poll,
        }
    }

    /// How many send and how many receive.
    pub fn parties(&self) -> (usize, usize) {
        match self.shape {
            Shape::Crowd { senders, receivers } => (senders, receivers),
            Shape::Duel => (2, 1),
            _ => (1, 1),
        }
    }

    /// Whether its threads outnumber the processors.
    pub fn is_oversubscribed(&self, processors: usize) -> bool {
        let (senders, receivers) = self.parties();
        matches!(self.shape, Shape::Crowd { .. }) && senders + receivers > processors
    }
}

/// A length with its unit.
pub fn size(bytes: usize) -> String {
    match bytes {
        bytes if bytes >= 1 << 20 => format!("{} MiB", bytes >> 20),
        bytes if bytes >= 1 << 10 => format!("{} KiB", bytes >> 10),
        bytes => format!("{bytes} B"),
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (size, capacity) = (size(self.bytes), self.capacity);
        match self.shape {
            Shape::Stream => write!(f, "stream {size} cap {capacity}"),
            Shape::Batch => write!(f, "batch{BATCH} {size} cap {capacity}"),
            Shape::SpinningTrip => write!(f, "round-trip spinning {size}"),
            Shape::ParkedTrip => write!(f, "round-trip parked {size}"),
            Shape::Crowd { senders, receivers } => {
                write!(f, "crowd {senders}-{receivers} {size} cap {capacity}")
            }
            Shape::Burst(count) => write!(f, "burst {count} after idle {size}"),
            Shape::Wake => write!(f, "wake {size}"),
            Shape::Paced(every) => write!(f, "paced {} µs {size}", every.as_micros()),
            Shape::Pair => write!(f, "pair {size}"),
            Shape::Duel => write!(f, "duel {size}"),
            Shape::Attach => write!(f, "attach {size} cap {capacity}"),
            Shape::Memory => write!(f, "memory {size} cap {capacity}"),
        }
    }
}
