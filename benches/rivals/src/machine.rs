//! Which processors the sides run on.
#![allow(unsafe_code, reason = "sched_getaffinity, sched_setaffinity, gettid")]

use std::sync::OnceLock;

/// What this process may run on, as it was before the first pinning.
static ALLOWED: OnceLock<libc::cpu_set_t> = OnceLock::new();

/// Pins this thread to the processor of `side`: sides take turns on those that this process may use.
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
    // SAFETY: zero means this thread; the set is valid for its size. Where it is refused the thread stays
    // where it was.
    unsafe { libc::sched_setaffinity(0, size_of_val(set), &raw const *set) };
}

/// The kernel's number of this thread.
pub fn thread_id() -> u32 {
    // SAFETY: it has no preconditions.
    unsafe { libc::gettid() }.cast_unsigned()
}

/// Whether thread `tid` of process `pid` sleeps in the kernel and has left its processor.
///
/// The kernel shows state `S` a moment before the sleeper is off its processor, but answers `syscall` only
/// once it is. Where `syscall` may not be read, the state has to do.
pub fn is_asleep(pid: u32, tid: u32) -> bool {
    let read = |what: &str| std::fs::read_to_string(format!("/proc/{pid}/task/{tid}/{what}"));
    let sleeps = read("stat").is_ok_and(|stat| {
        stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('S'))
    });
    let is_in_a_call = |call: String| call.starts_with(|first: char| first.is_ascii_digit());
    sleeps && read("syscall").map_or(true, is_in_a_call)
}
