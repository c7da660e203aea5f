//! A barrier that one thread makes all processors pass, so that the others need none of their own.
#![allow(unsafe_code, reason = "membarrier")]

use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

fn membarrier(command: libc::c_int) -> bool {
    // SAFETY: membarrier takes no pointers.
    unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
}

/// Asks the kernel to include this process in barriers. False where it refuses; the first answer stands.
///
/// The registration belongs to the address space: it survives fork and ends with exec. Doing it twice does
/// no harm, so that no lock is needed that a fork could leave held.
pub fn register() -> bool {
    const UNKNOWN: u8 = 0;
    const REFUSED: u8 = 1;
    const REGISTERED: u8 = 2;
    static ANSWER: AtomicU8 = AtomicU8::new(UNKNOWN);
    if ANSWER.load(Relaxed) == UNKNOWN {
        let done = membarrier(libc::MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED) && everywhere();
        ANSWER.store(if done { REGISTERED } else { REFUSED }, Relaxed);
    }
    ANSWER.load(Relaxed) == REGISTERED
}

/// Has every processor that runs a registered process pass a full barrier, before it returns true.
///
/// A processor that runs something else has passed one when it switched away.
pub fn everywhere() -> bool {
    membarrier(libc::MEMBARRIER_CMD_GLOBAL_EXPEDITED)
}
