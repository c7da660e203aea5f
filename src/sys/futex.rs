//! Futexes shared between processes, and the clock they are timed by.
#![allow(unsafe_code, reason = "futex and clock_gettime")]

use std::ptr;
use std::sync::atomic::AtomicU32;

use libc::{CLOCK_MONOTONIC, FUTEX_BITSET_MATCH_ANY, FUTEX_WAIT_BITSET, FUTEX_WAKE, SYS_futex};

const NANOS: u64 = 1_000_000_000;

/// Nanoseconds on the monotonic clock.
pub fn now_ns() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is a valid timespec to write to; this clock always exists.
    unsafe { libc::clock_gettime(CLOCK_MONOTONIC, &raw mut now) };
    now.tv_sec.cast_unsigned() * NANOS + now.tv_nsec.cast_unsigned()
}

/// Sleeps while `word` is `expected`, until a wake or `until_ns` on the monotonic clock.
///
/// May return for any other reason too, a signal for one: the time limit is absolute, so a caller that
/// comes back waits no longer for it.
pub fn wait(word: &AtomicU32, expected: u32, until_ns: u64) {
    let until = libc::timespec {
        tv_sec: (until_ns / NANOS).min(i64::MAX as u64).cast_signed(),
        tv_nsec: (until_ns % NANOS).cast_signed(),
    };
    // SAFETY: the word outlives the call, the timespec too; without FUTEX_PRIVATE_FLAG the kernel finds
    // sleepers by the page that the word lies in, in whichever process.
    unsafe {
        libc::syscall(
            SYS_futex,
            word.as_ptr(),
            FUTEX_WAIT_BITSET,
            expected,
            &raw const until,
            ptr::null::<u32>(),
            FUTEX_BITSET_MATCH_ANY,
        )
    };
}

/// Wakes up to `count` sleepers on `word`. Says how many there were; none where the call fails.
pub fn wake(word: &AtomicU32, count: u32) -> u32 {
    let count = count.min(i32::MAX as u32);
    // SAFETY: waking reads nothing but the address.
    let woken = unsafe { libc::syscall(SYS_futex, word.as_ptr(), FUTEX_WAKE, count) };
    u32::try_from(woken).unwrap_or(0)
}
