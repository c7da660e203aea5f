//! Futexes shared between processes, and the clock they are timed by.
#![allow(unsafe_code, reason = "futex and clock_gettime")]

use std::ptr;
use std::sync::atomic::{AtomicU32, AtomicU64};

use libc::{CLOCK_MONOTONIC, FUTEX_BITSET_MATCH_ANY, FUTEX_WAIT_BITSET, FUTEX_WAKE, SYS_futex};

const NANOS: u64 = 1_000_000_000;

/// Nanoseconds on the monotonic clock.
pub fn now_ns() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is a valid timespec to write to; this clock always exists.
    unsafe { libc::clock_gettime(CLOCK_MONOTONIC, &raw mut now) };
    now.tv_sec.cast_unsigned() * NANOS + now.tv_nsec.cast_unsigned()
}

fn timespec(ns: u64) -> libc::timespec {
    libc::timespec {
        tv_sec: (ns / NANOS).min(i64::MAX as u64).cast_signed(),
        tv_nsec: (ns % NANOS).cast_signed(),
    }
}

/// Sleeps while `word` is `expected`, until a wake or `until_ns` on the monotonic clock.
///
/// May return for any other reason too, a signal for one: the time limit is absolute, so a caller that
/// comes back waits no longer for it.
pub fn wait(word: &AtomicU32, expected: u32, until_ns: u64) {
    let until = timespec(until_ns);
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

/// The lower half of `word`, for the kernel alone: it knows futexes of 32 bits only, and what changes the word changes all
/// of it at once.
pub fn half(word: &AtomicU64) -> &AtomicU32 {
    const { assert!(cfg!(target_endian = "little")) }
    let lower = word.as_ptr().cast::<u32>();
    // SAFETY: it lies in the word, which lives as long; nothing in this process reads or writes through the reference, of
    // which only the address is used.
    unsafe { AtomicU32::from_ptr(lower) }
}

/// As many words a thread may sleep on at once (`FUTEX_WAITV_MAX` of the kernel).
pub const MOST_WORDS: usize = 128;

/// One word as the kernel takes it: `struct futex_waitv`.
#[repr(C)]
struct Word {
    expected: u64,
    address: u64,
    flags: u32,
    reserved: u32,
}

/// Sleeps while each of `words` is what is expected of it, until a wake of one or `until_ns` on the monotonic clock.
///
/// May return for any other reason too. False where the kernel has no such wait (before Linux 5.16) or refuses this
/// process: then it did not sleep.
pub fn wait_any<'a>(words: impl Iterator<Item = (&'a AtomicU32, u32)>, until_ns: u64) -> bool {
    let words: Vec<Word> = words
        .take(MOST_WORDS)
        .map(|(word, expected)| Word {
            expected: expected.into(),
            address: word.as_ptr().addr() as u64,
            // Not FUTEX2_PRIVATE: as for `wait`.
            flags: libc::FUTEX2_SIZE_U32.cast_unsigned(),
            reserved: 0,
        })
        .collect();
    let until = timespec(until_ns);
    // SAFETY: the words outlive the call, so do the array and the timespec; each word is aligned and of the size that
    // its flags say.
    let woken = unsafe {
        libc::syscall(
            libc::SYS_futex_waitv,
            words.as_ptr(),
            words.len(),
            0,
            &raw const until,
            CLOCK_MONOTONIC,
        )
    };
    woken >= 0 || !is_missing(std::io::Error::last_os_error().raw_os_error())
}

/// Whether an error says that there is no such call for this process; others mean that it need not or must not sleep any
/// more.
fn is_missing(error: Option<i32>) -> bool {
    !matches!(error, Some(libc::EAGAIN | libc::EINTR | libc::ETIMEDOUT))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering::SeqCst;

    use super::*;

    /// Long enough that nothing here runs into it.
    const LONG_NS: u64 = 20 * NANOS;

    #[test]
    fn a_wait_on_several_words_ends_by_a_wake_of_any_or_does_not_begin() {
        let words = [const { AtomicU32::new(0) }; MOST_WORDS];
        let on_all = |until| wait_any(words.iter().map(|word| (word, 0)), until);
        if !on_all(now_ns()) {
            println!("not run: this kernel has no wait on several words");
            return;
        }
        for at in [0, 1, MOST_WORDS - 1] {
            words[at].store(1, SeqCst);
            let start = now_ns();
            assert!(on_all(start + LONG_NS), "one word is another already");
            words[at].store(0, SeqCst);
            std::thread::scope(|scope| {
                let sleeper = scope.spawn(|| on_all(now_ns() + LONG_NS));
                while wake(&words[at], 1) == 0 && !sleeper.is_finished() {}
                assert!(sleeper.join().unwrap());
            });
            assert!(now_ns() - start < LONG_NS, "it was woken at {at}");
        }
    }

    #[test]
    fn only_what_says_that_there_is_no_such_call_counts_as_that() {
        assert!([libc::ENOSYS, libc::EPERM].iter().all(|error| is_missing(Some(*error))));
        let woken = [libc::EAGAIN, libc::EINTR, libc::ETIMEDOUT];
        assert!(!woken.iter().any(|error| is_missing(Some(*error))));
    }
}
