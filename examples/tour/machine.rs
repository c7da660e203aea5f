//! Where the tour runs: processors, what a cache line costs between two of them, and the names of things.
#![allow(unsafe_code, reason = "sched_getaffinity, sched_setaffinity, sched_getcpu, sysconf")]

use std::fs::read_to_string;
use std::sync::Barrier;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::time::Instant;

/// How near the two sides are to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distance {
    Cores,
    OneCore,
    OneProcessor,
}

/// The machine, and the processors that the two sides are pinned to.
#[derive(Debug)]
pub struct Machine {
    pub model: String,
    pub online: usize,
    pub kernel: String,
    /// Average number of running tasks in the minute before the tour.
    pub load: f64,
    pub lead: usize,
    pub follow: usize,
    pub distance: Distance,
    allowed: libc::cpu_set_t,
}

impl Machine {
    /// Looks at the machine and picks two processors that this process may use.
    ///
    /// Threads and children inherit what their maker is pinned to: so this comes before any pinning.
    pub fn look() -> Self {
        let allowed = allowed();
        let usable: Vec<usize> = (0..libc::CPU_SETSIZE.cast_unsigned() as usize)
            .filter(|&cpu| contains(&allowed, cpu))
            .collect();
        let lead = usable.first().copied().unwrap_or(0);
        let others = || usable.iter().copied().filter(|&cpu| cpu != lead);
        let apart = others().find(|&cpu| core_of(cpu) != core_of(lead));
        let (follow, distance) = match (apart, others().next()) {
            (Some(cpu), _) => (cpu, Distance::Cores),
            (None, Some(cpu)) => (cpu, Distance::OneCore),
            (None, None) => (lead, Distance::OneProcessor),
        };
        let cpu_info = read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpu_info
            .lines()
            .find_map(|line| line.strip_prefix("model name"))
            .map_or("unknown processor", |rest| rest.trim_start_matches(['\t', ' ', ':']));
        let averages = read_to_string("/proc/loadavg").unwrap_or_default();
        Self {
            model: model.to_owned(),
            online: online(),
            kernel: read_to_string("/proc/sys/kernel/osrelease")
                .map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned()),
            load: averages.split(' ').next().and_then(|word| word.parse().ok()).unwrap_or(0.0),
            lead,
            follow,
            distance,
            allowed,
        }
    }

    pub fn is_single(&self) -> bool {
        self.distance == Distance::OneProcessor
    }

    /// Lets this thread run wherever it could at first.
    pub fn unpin(&self) {
        set_affinity(&self.allowed);
    }

    /// Nanoseconds that a cache line takes from one side's processor to the other's and back: the median
    /// of some batches. `None` where both are one processor.
    pub fn line_round_trip(&self) -> Option<f64> {
        const BATCHES: u32 = 41;
        const TRIPS: u32 = 500;
        #[repr(align(128))]
        struct Line(AtomicU64);
        if self.is_single() {
            return None;
        }
        let line = Line(AtomicU64::new(0));
        let both_ready = Barrier::new(2);
        let mut batches = std::thread::scope(|scope| {
            scope.spawn(|| {
                pin(self.follow);
                both_ready.wait();
                for trip in 0..u64::from(BATCHES * TRIPS) {
                    wait_for(&line.0, 2 * trip + 1);
                    line.0.store(2 * trip + 2, Release);
                }
            });
            pin(self.lead);
            both_ready.wait();
            let batch = |number: u32| {
                let start = Instant::now();
                for trip in u64::from(number * TRIPS)..u64::from((number + 1) * TRIPS) {
                    line.0.store(2 * trip + 1, Release);
                    wait_for(&line.0, 2 * trip + 2);
                }
                start.elapsed().as_secs_f64() * 1e9 / f64::from(TRIPS)
            };
            (0..BATCHES).map(batch).collect::<Vec<f64>>()
        });
        self.unpin();
        batches.sort_by(f64::total_cmp);
        Some(batches[batches.len() / 2])
    }
}

fn wait_for(line: &AtomicU64, value: u64) {
    while line.load(Acquire) != value {
        std::hint::spin_loop();
    }
}

/// Pins this thread to `cpu`, if the kernel allows it; [`running_on`] tells.
pub fn pin(cpu: usize) {
    let mut set = no_processors();
    // SAFETY: the macro checks the index against the size of the set.
    unsafe { libc::CPU_SET(cpu, &mut set) };
    set_affinity(&set);
}

/// The processor that this thread runs on at the moment.
pub fn running_on() -> usize {
    // SAFETY: it takes nothing.
    usize::try_from(unsafe { libc::sched_getcpu() }).unwrap_or(usize::MAX)
}

/// Which core `cpu` is part of: processors of one core name the same siblings.
fn core_of(cpu: usize) -> String {
    let path = format!("/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list");
    read_to_string(path).unwrap_or_else(|_| cpu.to_string())
}

fn allowed() -> libc::cpu_set_t {
    let mut set = no_processors();
    // SAFETY: zero means this thread; the set is valid for its size.
    unsafe { libc::sched_getaffinity(0, size_of_val(&set), &raw mut set) };
    set
}

fn set_affinity(set: &libc::cpu_set_t) {
    // SAFETY: zero means this thread; the set is valid for its size.
    unsafe { libc::sched_setaffinity(0, size_of_val(set), &raw const *set) };
}

fn no_processors() -> libc::cpu_set_t {
    // SAFETY: all zeros is the empty set.
    unsafe { std::mem::zeroed() }
}

fn contains(set: &libc::cpu_set_t, cpu: usize) -> bool {
    // SAFETY: the macro checks the index against the size of the set.
    unsafe { libc::CPU_ISSET(cpu, set) }
}

/// Processors of the machine, whatever this process may use of them.
fn online() -> usize {
    // SAFETY: it takes a number and answers one.
    let online = unsafe { libc::sysconf(libc::_SC_NPROCESSORS_ONLN) };
    usize::try_from(online).unwrap_or(1)
}
