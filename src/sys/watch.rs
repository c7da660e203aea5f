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

/// A process, to be waited for.
#[derive(Debug)]
pub struct Process(OwnedFd);

impl Process {
    /// The process that has the number `pid` in this process's namespace now.
    pub fn open(pid: u32) -> io::Result<Self> {
        // SAFETY: it takes two numbers.
        let made = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
        check(i32::try_from(made).unwrap_or(-1)).map(|descriptor| Self(owned(descriptor)))
    }
}

/// Ends the wait of whoever waits for processes.
#[derive(Debug)]
pub struct Bell(OwnedFd);

fn owned(descriptor: RawFd) -> OwnedFd {
    // SAFETY: every caller passes what a system call has just made for it alone.
    unsafe { OwnedFd::from_raw_fd(descriptor) }
}

impl Bell {
    /// A bell that nobody has rung.
    pub fn new() -> io::Result<Self> {
        // SAFETY: it takes numbers.
        let made = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        Ok(Self(owned(check(made)?)))
    }

    /// Waits at most `time` until one of `processes` has ended or the bell is rung. Of those that have ended nothing is left;
    /// says whether any has.
    pub fn wait<K>(&self, processes: &mut [(K, Option<Process>)], time: Duration) -> bool {
        let entry = |descriptor: &OwnedFd| libc::pollfd {
            fd: descriptor.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        };
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
        if ready > 0 && entries[0].revents != 0 {
            self.hush();
        }
        let mut any = false;
        let waited_for = processes.iter_mut().filter(|(_, process)| process.is_some());
        for ((_, process), entry) in waited_for.zip(&entries[1..]) {
            if ready > 0 && entry.revents != 0 {
                (*process, any) = (None, true);
            }
        }
        any
    }

    fn hush(&self) {
        let mut rung = 0u64;
        // SAFETY: room for eight bytes.
        unsafe {
            libc::read(self.0.as_raw_fd(), ptr::from_mut(&mut rung).cast(), size_of::<u64>())
        };
    }

    /// Ends the wait, or the next one.
    pub fn ring(&self) {
        let one = 1u64;
        // SAFETY: eight bytes to read.
        unsafe { libc::write(self.0.as_raw_fd(), ptr::from_ref(&one).cast(), size_of::<u64>()) };
    }
}

/// Has the calling thread take no signal: they are for the threads of the program.
pub fn refuse_signals() {
    let mut all = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: there is room for a set.
    unsafe { libc::sigfillset(all.as_mut_ptr()) };
    // SAFETY: the set was filled above; what the mask was is not asked for.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), ptr::null_mut()) };
}
