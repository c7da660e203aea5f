//! The least that waking a process can cost: a word in shared memory and a futex, nothing else.
//!
//! The yardstick for ringway's own wake-ups: same processes, same processors, same clock.
#![allow(unsafe_code, reason = "memfd_create, a shared mapping, futex, clock_gettime")]

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::process::parent_id;
use std::ptr;
use std::sync::atomic::{
    AtomicU32, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

use memmap2::{MmapOptions, MmapRaw};

/// What both processes map. All zeros is a fresh one.
#[repr(C)]
struct Words {
    /// Number of the last hand-over; what the receiver sleeps on.
    number: AtomicU32,
    /// When it was handed over. On the same line, so that the receiver fetches one line.
    sent_at: AtomicU64,
    apart: [u64; 14],
    /// Number of the last hand-over that was answered, and how long it took.
    answered: AtomicU32,
    took: AtomicU64,
}

/// One side of a hand-over.
pub struct Handover {
    mapping: MmapRaw,
    file: File,
}

/// The number that ends it.
const CLOSED: u32 = u32::MAX;

impl Handover {
    /// A new one, in memory that a child process can open by [`path`](Self::path).
    pub fn create() -> io::Result<Self> {
        // SAFETY: the name is a literal that ends with zero.
        let descriptor = unsafe { libc::memfd_create(c"bare-futex".as_ptr(), libc::MFD_CLOEXEC) };
        if descriptor < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: it was opened above and belongs to nobody else.
        let file = File::from(unsafe { OwnedFd::from_raw_fd(descriptor) });
        file.set_len(4096)?;
        Self::map(file)
    }

    /// The one that another process, which still has it, calls `path`.
    pub fn open(path: &str) -> io::Result<Self> {
        Self::map(OpenOptions::new().read(true).write(true).open(path)?)
    }

    fn map(file: File) -> io::Result<Self> {
        let mapping = MmapOptions::new().len(4096).map_raw(&file)?;
        Ok(Self { mapping, file })
    }

    /// How another process of this user opens it.
    pub fn path(&self) -> String {
        format!("/proc/{}/fd/{}", std::process::id(), self.file.as_raw_fd())
    }

    #[allow(clippy::cast_ptr_alignment, reason = "a mapping begins on a page")]
    fn words(&self) -> &Words {
        // SAFETY: the mapping is a page, aligned and larger than `Words`, lives as long as `self`, and
        // every bit pattern is a value of its atomics.
        unsafe { &*self.mapping.as_ptr().cast::<Words>() }
    }

    /// Hands over number `n`, which is one more than the last, and wakes the receiver.
    pub fn send(&self, n: u32) {
        let words = self.words();
        words.sent_at.store(now_ns(), Relaxed);
        words.number.store(n, Release);
        wake(&words.number);
    }

    /// Has the receiver end.
    pub fn close(&self) {
        self.words().number.store(CLOSED, Release);
        wake(&self.words().number);
    }

    /// Sleeps until number `n` is handed over. Says how many nanoseconds after it was sent, or `None` when
    /// the sender has closed or is no longer this process's parent `sender`.
    pub fn receive(&self, n: u32, sender: u32) -> Option<u64> {
        let words = self.words();
        loop {
            match words.number.load(Acquire) {
                found if found == n => break,
                CLOSED => return None,
                found => wait(&words.number, found),
            }
            if words.number.load(Relaxed) != n && parent_id() != sender {
                return None;
            }
        }
        Some(now_ns().saturating_sub(words.sent_at.load(Relaxed)))
    }

    /// Tells the sender how long number `n` took.
    pub fn answer(&self, n: u32, took: u64) {
        self.words().took.store(took, Relaxed);
        self.words().answered.store(n, Release);
    }

    /// How long number `n` took, once the receiver has told.
    pub fn answer_to(&self, n: u32) -> Option<u64> {
        let answered = self.words().answered.load(Acquire) == n;
        answered.then(|| self.words().took.load(Relaxed))
    }
}

/// Nanoseconds on the monotonic clock, which all processes share.
pub fn now_ns() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is a valid timespec to write to; this clock always exists.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    now.tv_sec.cast_unsigned() * 1_000_000_000 + now.tv_nsec.cast_unsigned()
}

/// Sleeps while `word` is `expected`, at most a second.
fn wait(word: &AtomicU32, expected: u32) {
    let limit = libc::timespec { tv_sec: 1, tv_nsec: 0 };
    // SAFETY: the word and the timespec outlive the call.
    unsafe {
        libc::syscall(
            libc::SYS_futex,
            word.as_ptr(),
            libc::FUTEX_WAIT,
            expected,
            &raw const limit,
            ptr::null::<u32>(),
            0,
        )
    };
}

fn wake(word: &AtomicU32) {
    // SAFETY: waking reads nothing but the address.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE, 1) };
}

/// Whether process `pid`, which has one thread, sleeps on a futex and has left its processor.
///
/// The kernel shows state `S` a moment before the sleeper is off its processor, but answers `syscall` only
/// once it is. Where `syscall` may not be read, the state has to do.
pub fn is_asleep(pid: u32) -> bool {
    let read = |what: &str| std::fs::read_to_string(format!("/proc/{pid}/{what}"));
    let sleeps = read("stat").is_ok_and(|stat| {
        stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('S'))
    });
    let number = libc::SYS_futex.to_string();
    sleeps && read("syscall").map_or(true, |call| call.split(' ').next() == Some(&number))
}
