//! What the machine is, and what its processors do at the moment.
#![allow(unsafe_code, reason = "sched_setaffinity, sysconf")]

use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Release},
};
use std::time::Instant;

/// Pins this thread to processor `cpu`, if there is one.
pub fn pin(cpu: usize) {
    // SAFETY: all zeros is the empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    let cpu = cpu % processors();
    // SAFETY: the index is far below the size of the set.
    unsafe { libc::CPU_SET(cpu, &mut set) };
    // SAFETY: zero means this thread; the set is valid for its size.
    unsafe { libc::sched_setaffinity(0, size_of_val(&set), &raw const set) };
}

/// Processors of the machine, whatever this thread is pinned to.
fn processors() -> usize {
    // SAFETY: it takes a number and answers one.
    let online = unsafe { libc::sysconf(libc::_SC_NPROCESSORS_ONLN) };
    usize::try_from(online).unwrap_or(1).max(1)
}

/// Nanoseconds that a cache line takes from processor 0 to processor 1 and back, the median of some.
pub fn line_round_trip() -> f64 {
    const TRIPS: u64 = 20_000;
    #[repr(align(128))]
    struct Line(AtomicU64);
    let line = Line(AtomicU64::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            pin(1);
            for trip in 0..TRIPS {
                while line.0.load(Acquire) != 2 * trip + 1 {
                    std::hint::spin_loop();
                }
                line.0.store(2 * trip + 2, Release);
            }
        });
        pin(0);
        let start = Instant::now();
        for trip in 0..TRIPS {
            line.0.store(2 * trip + 1, Release);
            while line.0.load(Acquire) != 2 * trip + 2 {
                std::hint::spin_loop();
            }
        }
        nanos_each(start, TRIPS)
    })
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
    let cpus = processors();
    let kernel = read("/proc/sys/kernel/osrelease");
    let model = model.trim_start_matches([' ', '\t', ':']);
    format!(
        "{model}, {cpus} processors, Linux {}, line round trip {:.0} ns",
        kernel.trim(),
        line_round_trip()
    )
}
