//! Locks of the system in shared memory.

use std::cell::UnsafeCell;

/// A POSIX mutex between processes that survives its owner, and what it guards.
#[repr(C)]
pub struct Robust {
    mutex: UnsafeCell<libc::pthread_mutex_t>,
    count: UnsafeCell<u64>,
}

// SAFETY: the count is touched under the mutex alone.
unsafe impl Sync for Robust {}

impl Robust {
    /// Makes one where this is.
    pub fn make(&self) {
        let (shared, robust) = (libc::PTHREAD_PROCESS_SHARED, libc::PTHREAD_MUTEX_ROBUST);
        // SAFETY: plain memory, initialised before it is used.
        let mut attributes: libc::pthread_mutexattr_t = unsafe { std::mem::zeroed() };
        // SAFETY: it is this function's.
        unsafe { libc::pthread_mutexattr_init(&raw mut attributes) };
        // SAFETY: it was initialised.
        unsafe { libc::pthread_mutexattr_setpshared(&raw mut attributes, shared) };
        // SAFETY: as above.
        unsafe { libc::pthread_mutexattr_setrobust(&raw mut attributes, robust) };
        // SAFETY: nobody has the mutex yet.
        unsafe { libc::pthread_mutex_init(self.mutex.get(), &raw const attributes) };
    }

    #[inline]
    pub fn lock(&self) {
        // SAFETY: it was made.
        let result = unsafe { libc::pthread_mutex_lock(self.mutex.get()) };
        assert_eq!(result, 0);
    }

    #[inline]
    pub fn unlock(&self) {
        // SAFETY: the caller has it.
        unsafe { libc::pthread_mutex_unlock(self.mutex.get()) };
    }

    #[inline]
    pub fn add(&self) {
        self.lock();
        // SAFETY: the mutex keeps everybody else away.
        unsafe { *self.count.get() += 1 };
        self.unlock();
    }

    pub fn count(&self) -> u64 {
        self.lock();
        // SAFETY: as above.
        let count = unsafe { *self.count.get() };
        self.unlock();
        count
    }
}

/// A POSIX semaphore between processes.
#[repr(C)]
pub struct PosixSemaphore(UnsafeCell<libc::sem_t>);

// SAFETY: it is made to be shared.
unsafe impl Sync for PosixSemaphore {}

impl PosixSemaphore {
    /// Makes one where this is, with one permit.
    pub fn make(&self) {
        // SAFETY: nobody has it yet.
        unsafe { libc::sem_init(self.0.get(), 1, 1) };
    }

    #[inline]
    pub fn pass(&self) {
        // SAFETY: it was made.
        unsafe { libc::sem_wait(self.0.get()) };
        // SAFETY: as above.
        unsafe { libc::sem_post(self.0.get()) };
    }
}

/// Nanoseconds on the monotonic clock, which all processes share.
pub fn now_ns() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is a valid timespec to write to; this clock always exists.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    now.tv_sec.cast_unsigned() * 1_000_000_000 + now.tv_nsec.cast_unsigned()
}
