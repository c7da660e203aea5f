//! A barrier that one thread makes all processors pass, so that the others need none of their own.
#![allow(unsafe_code, reason = "membarrier")]

use std::sync::OnceLock;

fn membarrier(command: libc::c_int) -> bool {
    // SAFETY: membarrier takes no pointers.
    unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
}

/// Asks the kernel to include this process in barriers. False where it refuses; the first answer stands.
///
/// The registration belongs to the address space: it survives fork and ends with exec.
pub fn register() -> bool {
    static REGISTERED: OnceLock<bool> = OnceLock::new();
    *REGISTERED
        .get_or_init(|| membarrier(libc::MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED) && everywhere())
}

/// Has every processor that runs a registered process pass a full barrier, before it returns true.
///
/// A processor that runs something else has passed one when it switched away.
pub fn everywhere() -> bool {
    membarrier(libc::MEMBARRIER_CMD_GLOBAL_EXPEDITED)
}
