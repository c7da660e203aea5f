//! What the machine is, and what its processors do at the moment.
#![allow(unsafe_code, reason = "sched_getaffinity, sched_setaffinity")]

use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Release},
};
use std::sync::{Barrier, OnceLock};
use std::time::Instant;

/// What this process may run on, as it was before the first pinning.
static ALLOWED: OnceLock<libc::cpu_set_t> = OnceLock::new();

/// Pins this thread to the processor of `side`, 0 or 1: the first or the second that this process may use.
pub fn pin(side: usize) {
    let usable = usable();
    // SAFETY: all zeros is the empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    let cpu = usable[side % usable.len()];
    // SAFETY: the index is below the size of the set, which had it among its own.
    unsafe { libc::CPU_SET(cpu, &mut set) };
    apply(&set);
}

/// Lets this thread run wherever the process could at first. Threads and children inherit a pinning: so
/// this comes before they are made.
pub fn unpin() {
    apply(allowed());
}

/// The processors that this process could use before it pinned itself.
pub fn usable() -> Vec<usize> {
    // SAFETY: the index is below the size of the set.
    let contains = |cpu: &usize| unsafe { libc::CPU_ISSET(*cpu, allowed()) };
    let usable: Vec<usize> =
        (0..usize::try_from(libc::CPU_SETSIZE).unwrap_or(0)).filter(contains).collect();
    if usable.is_empty() { vec![0] } else { usable }
}

fn allowed() -> &'static libc::cpu_set_t {
    ALLOWED.get_or_init(|| {
        // SAFETY: all zeros is the empty set.
        let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
        // SAFETY: zero means this thread; the set is valid for its size.
        unsafe { libc::sched_getaffinity(0, size_of_val(&set), &raw mut set) };
        set
    })
}

fn apply(set: &libc::cpu_set_t) {
    // SAFETY: zero means this thread; the set is valid for its size.
    unsafe { libc::sched_setaffinity(0, size_of_val(set), &raw const *set) };
}

/// Nanoseconds that a cache line takes from the first processor to the second and back: the median of some
/// batches.
pub fn line_round_trip() -> f64 {
    const BATCHES: usize = 21;
    #[repr(align(128))]
    struct Line(AtomicU64);
    let line = Line(AtomicU64::new(0));
    // Two that spin on one processor wait for the scheduler each time.
    let trips = if usable().len() > 1 { 1000 } else { 1 };
    let both_ready = Barrier::new(2);
    let mut batches = std::thread::scope(|scope| {
        scope.spawn(|| {
            pin(1);
            both_ready.wait();
            for trip in 0..BATCHES as u64 * trips {
                while line.0.load(Acquire) != 2 * trip + 1 {
                    std::hint::spin_loop();
                }
                line.0.store(2 * trip + 2, Release);
            }
        });
        pin(0);
        both_ready.wait();
        let mut trip = 0;
        let batch = || {
            let start = Instant::now();
            for _ in 0..trips {
                line.0.store(2 * trip + 1, Release);
                while line.0.load(Acquire) != 2 * trip + 2 {
                    std::hint::spin_loop();
                }
                trip += 1;
            }
            nanos_each(start, trips)
        };
        std::iter::repeat_with(batch).take(BATCHES).collect::<Vec<f64>>()
    });
    batches.sort_by(f64::total_cmp);
    batches[BATCHES / 2]
}

/// Nanoseconds since `start` for each of `count`.
#[allow(clippy::cast_precision_loss, reason = "a figure for people")]
pub fn nanos_each(start: Instant, count: u64) -> f64 {
    start.elapsed().as_nanos() as f64 / count as f64
}

/// One line about the machine.
pub fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
    let cpus = usable();
    let kernel = read("/proc/sys/kernel/osrelease");
    let model = model.trim_start_matches([' ', '\t', ':']);
    format!(
        "{model}, {} usable processors, sides on {} and {}, Linux {}, line round trip {:.0} ns",
        cpus.len(),
        cpus[0],
        cpus[1 % cpus.len()],
        kernel.trim(),
        line_round_trip()
    )
}
