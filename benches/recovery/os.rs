//! The clock of all processes, locks of bytes, and sleeping threads.
#![allow(
    unsafe_code,
    reason = "locks that are waited for and the clock of all processes are libc's"
)]

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::time::{Duration, Instant};

/// The byte of a segment's file that member 0 holds the lock of while it lives; others come after it.
const LIVENESS_BYTE: u64 = 1 << 40;

/// Nanoseconds of the monotonic clock.
pub fn now() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a place to write to, and the clock exists.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    time.tv_sec.cast_unsigned() * 1_000_000_000 + time.tv_nsec.cast_unsigned()
}

/// Has the kernel kill this process when the thread that started it ends.
pub fn die_with_parent() {
    // SAFETY: prctl with this option takes a number.
    let asked = unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
    assert_eq!(asked, 0, "a known option");
}

/// The number of the calling thread.
pub fn thread_number() -> i32 {
    // SAFETY: it takes nothing.
    unsafe { libc::gettid() }
}

/// Waits until thread `number` of this process sleeps, and goes on sleeping.
pub fn wait_until_asleep(number: i32) {
    let began = Instant::now();
    let mut seen = 0;
    while seen < 3 {
        let stat = std::fs::read_to_string(format!("/proc/self/task/{number}/stat"));
        let stat = stat.expect("a thread of this process");
        let sleeps = stat.rsplit_once(')').is_some_and(|(_, rest)| rest.starts_with(" S"));
        seen = if sleeps { seen + 1 } else { 0 };
        assert!(
            began.elapsed() < Duration::from_secs(10),
            "thread {number} does not sleep: {stat}"
        );
        // Between two looks; what is waited for shows in them.
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// Waits until the kernel has released the lock of `member` in `segment`, and says when that was.
///
/// Through a description of its own, which lets go at once: nobody is kept from the number.
pub fn wait_for_release(segment: &Path, member: u64) -> io::Result<u64> {
    let file = OpenOptions::new().read(true).open(segment)?;
    lock(&file, LIVENESS_BYTE + member, libc::F_RDLCK)?;
    let released = now();
    lock(&file, LIVENESS_BYTE + member, libc::F_UNLCK)?;
    Ok(released)
}

fn lock(file: &File, byte: u64, kind: i32) -> io::Result<()> {
    let lock = libc::flock {
        l_type: libc::c_short::try_from(kind).expect("a small constant"),
        l_whence: libc::c_short::try_from(libc::SEEK_SET).expect("a small constant"),
        l_start: byte.cast_signed(),
        l_len: 1,
        l_pid: 0,
    };
    // SAFETY: the descriptor is open and `lock` is valid.
    let done = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_SETLKW, &raw const lock) };
    if done == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
