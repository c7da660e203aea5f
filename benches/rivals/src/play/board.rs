//! What the two sides tell each other outside of the contestant's queue, so that measuring costs it nothing.

use std::io;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

use crate::machine;
use crate::region::{Region, Shared, now};

/// A page that both sides map.
#[derive(Debug)]
pub struct Board(Region);

#[repr(C)]
#[derive(Debug)]
struct Words {
    /// How often somebody came to a meeting.
    arrivals: AtomicU64,
    /// Process and thread that sleep.
    sleeper: [AtomicU32; 2],
    /// When the last thing was sent; apart from what is written meanwhile.
    sent_at: AtomicU64,
    _apart: [AtomicU64; 14],
    /// How many were answered.
    answered: AtomicU64,
}

// SAFETY: it consists of atomics.
#[allow(unsafe_code, reason = "any bytes are a value of atomics")]
unsafe impl Shared for Words {}

/// Longer than anything waits for its other side.
const PATIENCE: u64 = 20_000_000_000;

impl Board {
    pub fn new() -> io::Result<Self> {
        Region::new(4096).map(Self)
    }

    /// The board of the process that started this one.
    pub fn inherited(token: &str) -> io::Result<Self> {
        Region::inherited(token).map(Self)
    }

    pub fn token(&self) -> String {
        self.0.token()
    }

    fn words(&self) -> &Words {
        self.0.at(0)
    }

    /// Waits until `parties` have come to this meeting, the `number`th from 1 on. Each comes to each.
    pub fn meet(&self, number: u64, parties: usize) {
        let (all, arrivals) = (number * parties as u64, &self.words().arrivals);
        arrivals.fetch_add(1, AcqRel);
        patiently("the others come", || {
            std::thread::yield_now();
            arrivals.load(Acquire) >= all
        });
    }

    /// This thread is the one that will sleep.
    pub fn introduce_sleeper(&self) {
        let [process, thread] = &self.words().sleeper;
        process.store(std::process::id(), Relaxed);
        thread.store(machine::thread_id(), Release);
    }

    /// Waits until the sleeper sleeps.
    pub fn await_sleep(&self) {
        let [process, thread] = &self.words().sleeper;
        let (thread, process) = (thread.load(Acquire), process.load(Relaxed));
        patiently("the receiver sleeps", || machine::is_asleep(process, thread));
    }

    /// Something is sent now.
    pub fn mark_sent(&self) {
        self.words().sent_at.store(now(), Relaxed);
    }

    /// That something was sent at `time`.
    pub fn mark(&self, time: u64) {
        self.words().sent_at.store(time, Release);
    }

    /// When what was just received was sent. (The message itself orders this.)
    pub fn sent_at(&self) -> u64 {
        self.words().sent_at.load(Acquire)
    }

    /// The thing numbered `n` has arrived.
    pub fn answer(&self, n: u64) {
        self.words().answered.store(n + 1, Release);
    }

    /// Waits until the thing numbered `n` has arrived.
    pub fn await_answer(&self, n: u64) {
        patiently("an answer comes", || {
            std::hint::spin_loop();
            self.words().answered.load(Acquire) > n
        });
    }
}

fn patiently(what: &str, mut done: impl FnMut() -> bool) {
    let begun = now();
    while !(0..1000).any(|_| done()) {
        assert!(now() - begun < PATIENCE, "waited too long until {what}");
    }
}
