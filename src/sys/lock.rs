//! Byte locks owned by an open file description.
//!
//! Such a lock goes when the last reference to its *description* goes. A mapping is a reference, a
//! descriptor is another: once the descriptor is closed the mapping alone holds the lock, and the kernel
//! drops it when the address space has been torn down and no store can come any more. (`fcntl(2)`, "Open
//! file description locks"; that a mapping counts is what `member.rs` checks at each attach.)
#![allow(unsafe_code, reason = "fcntl with a lock argument")]

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

use super::retry;

#[allow(clippy::cast_possible_truncation, reason = "the constants are small")]
fn region(kind: i32, byte: u64) -> libc::flock {
    libc::flock {
        l_type: kind as i16,
        l_whence: libc::SEEK_SET as i16,
        l_start: byte.cast_signed(),
        l_len: 1,
        l_pid: 0,
    }
}

fn set(file: &File, kind: i32, byte: u64) -> io::Result<()> {
    let lock = region(kind, byte);
    // SAFETY: the descriptor is open, and F_OFD_SETLK reads one `flock`.
    retry(|| unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_SETLK, &raw const lock) }).map(drop)
}

/// Takes `byte` for `file`'s description alone. `Ok(false)`: another description has it.
pub fn try_exclusive(file: &File, byte: u64) -> io::Result<bool> {
    taken(set(file, libc::F_WRLCK, byte))
}

/// Takes `byte` for `file`'s description and others that share it. `Ok(false)`: somebody has it alone.
pub fn try_shared(file: &File, byte: u64) -> io::Result<bool> {
    taken(set(file, libc::F_RDLCK, byte))
}

fn taken(result: io::Result<()>) -> io::Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(error) if matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::EACCES)) => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// Whether another description than `file`'s holds `byte` alone, when it looked.
///
/// One byte a call: for a range the kernel names the first lock of the first owner, not the lowest byte.
pub fn is_held_elsewhere(file: &File, byte: u64) -> io::Result<bool> {
    let mut lock = region(libc::F_RDLCK, byte);
    // SAFETY: the descriptor is open, and F_OFD_GETLK reads and writes one `flock`.
    retry(|| unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_GETLK, &raw mut lock) })?;
    Ok(i32::from(lock.l_type) != libc::F_UNLCK)
}
