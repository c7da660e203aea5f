//! What the kernel provides: files in shared memory, byte locks, futexes, barriers, fork handlers.
//!
//! The only folder that names `libc` or `memmap2`. It knows nothing of rings, members or formats.

pub mod barrier;
pub mod fork;
pub mod futex;
pub mod lock;
pub mod shm;

use std::io;

/// The user whose files this process makes and owns.
#[allow(unsafe_code, reason = "geteuid")]
pub fn effective_user() -> u32 {
    // SAFETY: it takes nothing and cannot fail.
    unsafe { libc::geteuid() }
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
