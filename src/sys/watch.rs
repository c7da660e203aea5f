//! Waiting for processes to end.
//!
//! A descriptor of a process (`pidfd_open(2)`, Linux 5.3) becomes readable when the process has ended: all its threads have
//! gone, and before that the kernel has torn down its address space and let go of its files with their locks. It can be
//! waited for from any process, and many of them at once.
#![allow(unsafe_code, reason = "pidfd_open, eventfd, ppoll, signal masks")]

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;
use std::time::Duration;

use super::check;

/// A descriptor that is no file's, so that nothing but its kind tells it from another which took its number after the
/// program had closed it. Then it is left alone.
#[derive(Debug)]
struct Own {
    /// `None` only while dropping.
    descriptor: Option<OwnedFd>,
    kind: &'static str,
}

impl Own {
    fn new(descriptor: RawFd, kind: &'static str) -> Self {
        // SAFETY: every caller passes what a system call has just made for it alone.
        Self { descriptor: Some(unsafe { OwnedFd::from_raw_fd(descriptor) }), kind }
    }

    fn number(&self) -> RawFd {
        self.descriptor.as_ref().expect("present until dropped").as_raw_fd()
    }

    fn is_ours(&self) -> bool {
        let what = std::fs::read_link(format!("/proc/self/fd/{}", self.number()));
        what.is_ok_and(|what| what.to_string_lossy().contains(self.kind))
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        if !self.is_ours() {
            std::mem::forget(self.descriptor.take());
        }
    }
}

/// A process, to be waited for.
#[derive(Debug)]
pub struct Process(Own);

impl Process {
    /// The process that has the number `pid` in this process's namespace now.
    pub fn open(pid: u32) -> io::Result<Self> {
        // SAFETY: it takes two numbers.
        let made = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
        check(i32::try_from(made).unwrap_or(-1)).map(|number| Self(Own::new(number, "pidfd")))
    }
}

/// Ends the wait of whoever waits for processes.
#[derive(Debug)]
pub struct Bell(Own);

impl Bell {
    /// A bell that nobody has rung.
    pub fn new() -> io::Result<Self> {
        // SAFETY: it takes numbers.
        let made = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        check(made).map(|number| Self(Own::new(number, "eventfd")))
    }

    /// Waits at most `time` until one of `processes` has ended or the bell is rung. Of those that have ended nothing is left;
    /// says whether any has.
    ///
    /// # Errors
    ///
    /// When there is no waiting, as after somebody has closed the descriptors: at once.
    pub fn wait<K>(
        &self,
        processes: &mut [(K, Option<Process>)],
        time: Duration,
    ) -> io::Result<bool> {
        let entry = |own: &Own| libc::pollfd { fd: own.number(), events: libc::POLLIN, revents: 0 };
        let of_processes = processes.iter().flat_map(|(_, process)| process).map(|it| entry(&it.0));
        let mut entries: Vec<_> = std::iter::once(entry(&self.0)).chain(of_processes).collect();
        let limit = libc::timespec {
            tv_sec: time.as_secs().min(i64::MAX as u64).cast_signed(),
            tv_nsec: time.subsec_nanos().into(),
        };
        let count = entries.len() as libc::nfds_t;
        // SAFETY: as many entries to read and write, a time limit, no signal mask.
        let ready =
            unsafe { libc::ppoll(entries.as_mut_ptr(), count, &raw const limit, ptr::null()) };
        match check(ready) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        match entries[0].revents {
            0 => {}
            libc::POLLIN if self.0.is_ours() => self.hush(),
            _ => return Err(io::ErrorKind::InvalidInput.into()),
        }
        let mut any = false;
        let waited_for = processes.iter_mut().filter(|(_, process)| process.is_some());
        for ((_, process), entry) in waited_for.zip(&entries[1..]) {
            if ready > 0 && entry.revents != 0 {
                (*process, any) = (None, true);
            }
        }
        Ok(any)
    }

    fn hush(&self) {
        let mut rung = 0u64;
        // SAFETY: room for eight bytes.
        unsafe { libc::read(self.0.number(), ptr::from_mut(&mut rung).cast(), size_of::<u64>()) };
    }

    /// Ends the wait, or the next one.
    pub fn ring(&self) {
        let one = 1u64;
        if self.0.is_ours() {
            // SAFETY: eight bytes to read.
            unsafe { libc::write(self.0.number(), ptr::from_ref(&one).cast(), size_of::<u64>()) };
        }
    }
}

/// Runs `start`, which starts a thread: that takes no signals, which are for the threads of the program, but for those
/// that a thread causes itself.
pub fn without_signals<R>(start: impl FnOnce() -> R) -> R {
    let mut all = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
    let mut before = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: there is room for a set.
    unsafe { libc::sigfillset(all.as_mut_ptr()) };
    for own in [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE] {
        // SAFETY: the set was filled above.
        unsafe { libc::sigdelset(all.as_mut_ptr(), own) };
    }
    // SAFETY: a set to read and room for one to write.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr()) };
    let started = start();
    // SAFETY: the set was written by the call above.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), ptr::null_mut()) };
    started
}
