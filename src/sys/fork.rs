//! What happens to this process's mappings when it forks.
//!
//! A child does not get the mappings (`MADV_DONTFORK`): otherwise a dead parent's lock would live on in it.
//! That leaves holes in the child's address space which its next `mmap` would fill, and a stale handle
//! would then write into something else. So a fork handler plugs each hole with blank private pages, closes
//! the descriptors that belong to the mappings, and raises the generation by which handles know that they
//! were inherited. Handles of an older generation do nothing, not even when dropped. That the pages are
//! blank lets a hot path ask a word of the segment first (zero: nobody there) and the generation only then,
//! and makes what a child does to a slice granted before the fork harmless.
//!
//! [`guard`] keeps forks out while descriptors exist that a child must not inherit. A process made by
//! `vfork` or raw `clone` does not run the handlers and must not touch handles before it calls exec.
#![allow(unsafe_code, reason = "pthread_atfork, and what its child handler may call")]

use std::cell::UnsafeCell;
use std::os::fd::RawFd;
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::shm::{self, Identity};

static GENERATION: AtomicU64 = AtomicU64::new(0);
static TABLE: Table = Table {
    mutex: UnsafeCell::new(libc::PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP),
    attachments: UnsafeCell::new(Vec::new()),
};

/// How many forks lie between this process and the one that loaded the library.
#[inline(always)]
pub fn generation() -> u64 {
    GENERATION.load(Relaxed)
}

/// One mapping and the descriptor that goes with it.
#[derive(Clone, Copy, Debug)]
pub struct Attached {
    /// Where the mapping begins.
    pub start: usize,
    /// Bytes mapped.
    pub len: usize,
    /// The descriptor to close in a child, if it is still of `identity`.
    pub descriptor: RawFd,
    /// Which file the descriptor was of.
    pub identity: Identity,
}

struct Table {
    mutex: UnsafeCell<libc::pthread_mutex_t>,
    attachments: UnsafeCell<Vec<Attached>>,
}

// SAFETY: the list is touched only with the mutex held, by a `Guard` or between the fork handlers.
unsafe impl Sync for Table {}

/// While it lives this process does not fork.
#[derive(Debug)]
pub struct Guard(());

/// Keeps forks out until the guard is dropped; a fork waits meanwhile. A thread may hold several.
pub fn guard() -> Guard {
    static HANDLERS: Once = Once::new();
    HANDLERS.call_once(|| {
        // SAFETY: the three handlers are functions for the whole life of the process.
        let result = unsafe { libc::pthread_atfork(Some(before), Some(parent), Some(child)) };
        assert_eq!(result, 0, "pthread_atfork has no memory for three pointers");
    });
    before();
    Guard(())
}

impl Guard {
    /// Has the child handler take care of `attached`.
    pub fn register(&self, attached: Attached) {
        self.list().push(attached);
    }

    /// Takes back a registration.
    pub fn unregister(&self, start: usize) {
        self.list().retain(|attached| attached.start != start);
    }

    #[allow(
        clippy::mut_from_ref,
        clippy::unused_self,
        reason = "the guard is the right to the list"
    )]
    fn list(&self) -> &mut Vec<Attached> {
        // SAFETY: the mutex is held while a guard exists, and each caller uses the list for one statement.
        unsafe { &mut *TABLE.attachments.get() }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        parent();
    }
}

extern "C" fn before() {
    // SAFETY: a statically initialised mutex.
    unsafe { libc::pthread_mutex_lock(TABLE.mutex.get()) };
}

extern "C" fn parent() {
    // SAFETY: `before` locked it in this thread.
    unsafe { libc::pthread_mutex_unlock(TABLE.mutex.get()) };
}

extern "C" fn child() {
    GENERATION.fetch_add(1, Relaxed);
    // SAFETY: `before` locked the mutex in the thread that forked, which is the only one here.
    let attachments = unsafe { &mut *TABLE.attachments.get() };
    for attached in attachments.iter() {
        plug(*attached);
    }
    // Truncating neither allocates nor frees.
    attachments.clear();
    // Made anew instead of unlocked: its owner was the parent's thread, which has another id here.
    let fresh = libc::PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
    // SAFETY: nobody else exists in this process yet.
    unsafe { TABLE.mutex.get().write(fresh) };
}

/// Takes the hole of one mapping before the child's next `mmap` does.
///
/// Writable blank pages if they can be had; where memory is accounted strictly, blank pages that cannot be
/// written are not charged for. A child that can have neither must not go on: its handles would reach into
/// whatever comes there next.
fn plug(attached: Attached) {
    let fill = |access| {
        let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        let flags = libc::MAP_FIXED_NOREPLACE | kind;
        let start = attached.start as *mut libc::c_void;
        // SAFETY: the range was a mapping of the parent that the child did not get; if something else took
        // it since, the call fails instead of replacing it.
        start == unsafe { libc::mmap(start, attached.len, access, flags, -1, 0) }
    };
    if !fill(libc::PROT_READ | libc::PROT_WRITE) && !fill(libc::PROT_READ) {
        // SAFETY: it does not return.
        unsafe { libc::abort() };
    }
    if shm::identity_of(attached.descriptor) == Some(attached.identity) {
        // SAFETY: the descriptor belongs to the attachment, whose Drop does nothing in a child.
        unsafe { libc::close(attached.descriptor) };
    }
}

/// Whether `act` says yes in a forked child, within seconds: for tests of what a child may ask.
#[cfg(test)]
pub fn child_says(act: impl FnOnce() -> bool) -> bool {
    // SAFETY: the child runs `act`, of which the caller knows that it needs no other thread, and ends.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let code = i32::from(!act());
        // SAFETY: it takes no pointers and does not return.
        unsafe { libc::_exit(code) };
    }
    let (mut status, start) = (0, std::time::Instant::now());
    loop {
        // SAFETY: `status` is a place to write to.
        let ended = unsafe { libc::waitpid(child, &raw mut status, libc::WNOHANG) };
        if ended != 0 {
            return ended == child && status == 0;
        }
        if start.elapsed().as_secs() >= 5 {
            // SAFETY: it is a child that was not waited for yet; it takes no pointers.
            unsafe { libc::kill(child, libc::SIGKILL) };
        }
        std::thread::yield_now();
    }
}
