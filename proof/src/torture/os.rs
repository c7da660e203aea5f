//! Calls of the operating system that the standard library does not have.
#![allow(unsafe_code, reason = "signals, locks of bytes and the clock of all processes are libc's")]

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use super::Problem;

fn check(result: i32) -> io::Result<i32> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Sends `signal` to a child of this process that was not waited for yet.
pub fn signal(pid: u32, signal: i32) -> Result<(), Problem> {
    let pid = i32::try_from(pid).map_err(|_| "a process id is no process id")?;
    // SAFETY: kill takes numbers.
    check(unsafe { libc::kill(pid, signal) }).map(drop).map_err(|why| Problem(why.to_string()))
}

/// Has the kernel kill this process when the thread that started it ends; false if that has ended already.
pub fn die_with(parent: u32) -> bool {
    // SAFETY: prctl with this option takes a number.
    let asked = check(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) });
    asked.is_ok() && std::os::unix::process::parent_id() == parent
}

/// Nanoseconds of the monotonic clock, which all processes share.
pub fn now() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a place to write to, and the clock exists.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    time.tv_sec.cast_unsigned() * 1_000_000_000 + time.tv_nsec.cast_unsigned()
}

/// A file of zeros in memory that has no name to be left behind.
pub fn nameless_file(len: u64) -> io::Result<File> {
    // SAFETY: the text ends in a zero byte.
    let number = check(unsafe { libc::memfd_create(c"torture".as_ptr(), libc::MFD_CLOEXEC) })?;
    // SAFETY: the descriptor was just made and nobody else has it.
    let file = unsafe { File::from_raw_fd(number) };
    file.set_len(len)?;
    Ok(file)
}

/// Whether another description than `file`'s holds the lock of `byte`.
pub fn is_locked(file: &File, byte: u64) -> io::Result<bool> {
    let mut lock = libc::flock {
        l_type: libc::c_short::try_from(libc::F_WRLCK).expect("a small constant"),
        l_whence: libc::c_short::try_from(libc::SEEK_SET).expect("a small constant"),
        l_start: byte.cast_signed(),
        l_len: 1,
        l_pid: 0,
    };
    // SAFETY: the descriptor is open and `lock` is a place to write to.
    check(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_GETLK, &raw mut lock) })?;
    Ok(i32::from(lock.l_type) != libc::F_UNLCK)
}

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

extern "C" fn interrupted(_: i32) {
    INTERRUPTED.store(true, Relaxed);
}

/// From now on an interrupt from the terminal, or a request to end, is something to ask for.
pub fn catch_interrupts() {
    for number in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
        // SAFETY: the handler stores one flag, which is safe at any time.
        unsafe { libc::signal(number, interrupted as *const () as libc::sighandler_t) };
    }
}

/// Whether the user wants this to end.
pub fn was_interrupted() -> bool {
    INTERRUPTED.load(Relaxed)
}
