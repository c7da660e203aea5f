//! What the kernel provides: files in shared memory, byte locks, futexes, barriers, fork handlers, the ends of processes.
//!
//! The only folder that names `libc` or `memmap2`. It knows nothing of rings, members or formats.

pub mod barrier;
pub mod fork;
pub mod futex;
pub mod lock;
pub mod mapping;
pub mod shm;
pub mod watch;

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The user whose files this process makes and owns.
#[allow(unsafe_code, reason = "geteuid")]
pub fn effective_user() -> u32 {
    // SAFETY: it takes nothing and cannot fail.
    unsafe { libc::geteuid() }
}

/// Processors of the machine. A process that is pinned to one still has peers on the others.
#[allow(unsafe_code, reason = "sysconf")]
pub fn processors() -> usize {
    static PROCESSORS: AtomicUsize = AtomicUsize::new(0);
    if PROCESSORS.load(Relaxed) == 0 {
        // SAFETY: it takes a number and answers one.
        let online = unsafe { libc::sysconf(libc::_SC_NPROCESSORS_ONLN) };
        PROCESSORS.store(usize::try_from(online).unwrap_or(1).max(1), Relaxed);
    }
    PROCESSORS.load(Relaxed)
}

/// The result of a C call that answers -1 and sets `errno`.
fn check(result: i32) -> io::Result<i32> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Repeats `call` while a signal interrupts it.
fn retry(mut call: impl FnMut() -> i32) -> io::Result<i32> {
    loop {
        match check(call()) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
