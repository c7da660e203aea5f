//! Waiting until somebody lets go of a file.
//!
//! The kernel reports it (`inotify(7)`, `IN_CLOSE_WRITE`) when the last reference to a description goes that was open
//! for writing: a descriptor that is closed, or the mapping of a process that has ended. One watch serves whatever
//! number of others. The report comes just before the description's locks are released, so whoever is
//! interested in those looks more than once.
#![allow(unsafe_code, reason = "inotify, eventfd, ppoll, signal masks")]

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;
use std::time::Duration;

use super::check;

/// Reports about one file, and a way to stop who waits for them.
#[derive(Debug)]
pub struct Watch {
    reports: OwnedFd,
    stop: OwnedFd,
}

/// What ended a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// Somebody let go of the file.
    LetGo,
    /// The time is over.
    Nothing,
    /// [`Watch::stop`] was called, or nothing will be reported any more.
    Stopped,
}

fn owned(descriptor: RawFd) -> OwnedFd {
    // SAFETY: every caller passes what a system call has just made for it alone.
    unsafe { OwnedFd::from_raw_fd(descriptor) }
}

impl Watch {
    /// Watches the file that `file` has open, whatever becomes of its name.
    pub fn new(file: &File) -> io::Result<Self> {
        // SAFETY: it takes a number.
        let made = unsafe { libc::inotify_init1(libc::IN_CLOEXEC | libc::IN_NONBLOCK) };
        let reports = owned(check(made)?);
        let path = CString::new(format!("/proc/self/fd/{}", file.as_raw_fd()))?;
        // SAFETY: the path ends in a zero byte and outlives the call.
        let added = unsafe {
            libc::inotify_add_watch(reports.as_raw_fd(), path.as_ptr(), libc::IN_CLOSE_WRITE)
        };
        check(added)?;
        // SAFETY: it takes numbers.
        let made = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        Ok(Self { reports, stop: owned(check(made)?) })
    }

    /// Waits for a report, at most for `time` if that is given.
    pub fn wait(&self, time: Option<Duration>) -> Report {
        let entry = |descriptor: &OwnedFd| libc::pollfd {
            fd: descriptor.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        };
        let mut entries = [entry(&self.stop), entry(&self.reports)];
        let limit = time.map(|time| libc::timespec {
            tv_sec: time.as_secs().min(i64::MAX as u64).cast_signed(),
            tv_nsec: time.subsec_nanos().into(),
        });
        let limit = limit.as_ref().map_or(ptr::null(), ptr::from_ref);
        // SAFETY: two entries to read and write, a time limit or none, no signal mask.
        let ready = unsafe { libc::ppoll(entries.as_mut_ptr(), 2, limit, ptr::null()) };
        match entries.map(|entry| entry.revents) {
            _ if ready == 0 => Report::Nothing,
            _ if ready < 0 => Report::LetGo,
            [0, libc::POLLIN] => {
                self.forget_reports();
                Report::LetGo
            }
            _ => Report::Stopped,
        }
    }

    /// Takes what was reported: that there was something is all there is to know.
    fn forget_reports(&self) {
        let mut reports = [0u64; 128];
        let room = size_of_val(&reports);
        let read = |into: &mut [u64]| {
            // SAFETY: there is room for as many bytes.
            unsafe { libc::read(self.reports.as_raw_fd(), into.as_mut_ptr().cast(), room) }
        };
        while read(&mut reports) > 0 {}
    }

    /// Ends every wait, now and later.
    pub fn stop(&self) {
        let one = 1u64;
        // SAFETY: eight bytes to read.
        unsafe { libc::write(self.stop.as_raw_fd(), ptr::from_ref(&one).cast(), size_of::<u64>()) };
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
