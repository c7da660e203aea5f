//! POSIX message queues, with room for as many messages as the work says, all of one priority. Where one
//! message is under way at a time, there is room for one: that much every system allows.
//!
//! The system's limits decide what works there are: `msg_max` and `msgsize_max` in `/proc/sys/fs/mqueue`,
//! unless the process is privileged, and the bytes of `RLIMIT_MSGQUEUE`, which is raised here as far as that
//! is allowed. What they forbid is refused: a queue with less room would do another work.
#![allow(unsafe_code, reason = "mq_open and what follows, setrlimit")]

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;

use super::descriptors::{self, leave_open};
use super::prelude::*;
use crate::workload::Shape;

pub struct Posix;

/// A queue, which its descriptor is enough for: the name is gone.
#[derive(Debug)]
pub struct Descriptor(OwnedFd);

impl Contestant for Posix {
    const NAME: &'static str = "posix-mq";
    const KIND: Kind = Kind::Rival;
    const BETWEEN: Between = Between::Processes;
    const POLLS: bool = false;
    const BLOCKS: bool = true;
    const LONGEST: usize = 1 << 20;
    const PARTIES: (usize, usize) = (64, 64);
    type Hub<const W: usize> = Descriptor;

    fn refuses(workload: &Workload) -> Option<String> {
        descriptors::refuses(workload)
    }

    fn create<const W: usize>(
        workload: &Workload,
        name: &str,
        _: Way,
    ) -> Result<Descriptor, Unable> {
        raise_limit(workload);
        open(workload, name).map(Descriptor).map_err(|why| {
            let limit = |file: &str| {
                let text = fs::read_to_string(format!("/proc/sys/fs/mqueue/{file}"));
                text.map_or("unknown".to_owned(), |text| text.trim().to_owned())
            };
            let (messages, bytes) = (limit("msg_max"), limit("msgsize_max"));
            Unable(format!(
                "not allowed here: {why} (msg_max {messages}, msgsize_max {bytes}, RLIMIT_MSGQUEUE)"
            ))
        })
    }

    fn join<const W: usize>(_: &Workload, token: &str, _: Way) -> Result<Descriptor, Unable> {
        let no_number = |why| Unable(format!("descriptor {token:?}: {why}"));
        let descriptor: RawFd = token.parse().map_err(no_number)?;
        // SAFETY: the maker left the descriptor open for this process, which opens each token once.
        Ok(Descriptor(unsafe { OwnedFd::from_raw_fd(descriptor) }))
    }
}

fn open(workload: &Workload, name: &str) -> io::Result<OwnedFd> {
    let name = CString::new(format!("/{name}"))?;
    // SAFETY: all zeros is a value of it.
    let mut attributes: libc::mq_attr = unsafe { std::mem::zeroed() };
    attributes.mq_maxmsg = room(workload).try_into().map_err(io::Error::other)?;
    attributes.mq_msgsize = workload.bytes.try_into().map_err(io::Error::other)?;
    let (flags, mode): (_, libc::mode_t) = (libc::O_CREAT | libc::O_EXCL | libc::O_RDWR, 0o600);
    // SAFETY: the name ends with zero, and the attributes are valid to read.
    let queue = unsafe { libc::mq_open(name.as_ptr(), flags, mode, &raw const attributes) };
    if queue < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the name ends with zero.
    unsafe { libc::mq_unlink(name.as_ptr()) };
    // SAFETY: it was opened above and belongs to nobody else; of this system it is a descriptor.
    Ok(unsafe { OwnedFd::from_raw_fd(queue) })
}

/// How many messages the work may have under way.
fn room(workload: &Workload) -> usize {
    match workload.shape {
        Shape::SpinningTrip | Shape::ParkedTrip | Shape::Wake => 1,
        _ => workload.capacity,
    }
}

/// Asks for as many bytes of queues as two of the work's need, with what the kernel keeps beside each message.
/// If it is refused, opening says so.
fn raise_limit(workload: &Workload) {
    const BESIDE: usize = 128;
    let bytes = 2 * room(workload) * (workload.bytes + BESIDE) + (1 << 20);
    let limit = libc::rlimit { rlim_cur: bytes as u64, rlim_max: bytes as u64 };
    // SAFETY: the limit is valid to read.
    unsafe { libc::setrlimit(libc::RLIMIT_MSGQUEUE, &raw const limit) };
}

#[derive(Debug)]
pub struct Sender(OwnedFd);

#[derive(Debug)]
pub struct Receiver<const W: usize>(OwnedFd, Box<[u64; W]>);

impl<const W: usize> Hub<W> for Descriptor {
    type Out = Sender;
    type In = Receiver<W>;

    fn token(&self) -> String {
        leave_open(&self.0).expect("let it be inherited");
        self.0.as_raw_fd().to_string()
    }

    fn sender(&mut self) -> Sender {
        Sender(self.0.try_clone().expect("one more descriptor"))
    }

    fn receiver(&mut self) -> Receiver<W> {
        let descriptor = self.0.try_clone().expect("one more descriptor");
        Receiver(descriptor, bytemuck::allocation::zeroed_box())
    }
}

impl<const W: usize> Out<W> for Sender {
    fn try_send(&mut self, _: &[u64; W]) -> bool {
        unreachable!("it does not poll")
    }

    #[inline(always)]
    fn send(&mut self, message: &[u64; W]) {
        let (queue, bytes) = (self.0.as_raw_fd(), message.as_ptr().cast());
        // SAFETY: the message is valid to read.
        let answer = unsafe { libc::mq_send(queue, bytes, size_of_val(message), 0) };
        assert_eq!(answer, 0, "send: {}", io::Error::last_os_error());
    }
}

impl<const W: usize> In<W> for Receiver<W> {
    fn try_recv(&mut self, _: impl FnMut(&[u64; W])) -> bool {
        unreachable!("it does not poll")
    }

    #[inline(always)]
    fn recv(&mut self, mut look: impl FnMut(&[u64; W])) {
        let (queue, len) = (self.0.as_raw_fd(), size_of::<[u64; W]>());
        let buffer = self.1.as_mut_ptr().cast();
        // SAFETY: the buffer is valid to write as many bytes to.
        let answer = unsafe { libc::mq_receive(queue, buffer, len, ptr::null_mut()) };
        assert_eq!(answer, len.cast_signed(), "receive: {}", io::Error::last_os_error());
        look(&self.1);
    }
}
