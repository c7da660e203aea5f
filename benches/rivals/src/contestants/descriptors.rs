//! What the kernel's mechanisms have in common: a descriptor to write to and one to read from, each held by one
//! process only, so that the death of one side ends the other's wait.
//!
//! The other process inherits its end by number. Its calls block; nobody polls.
#![allow(unsafe_code, reason = "inherited descriptors, fcntl")]

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use super::prelude::*;
use crate::workload::Shape;

/// The ends of one direction, as far as this process holds them.
#[derive(Debug)]
pub struct Ends {
    reads: Option<File>,
    writes: Option<File>,
    way: Way,
}

/// Why what the kernel keeps and children inherit has no place in some works.
pub fn refuses(workload: &Workload) -> Option<String> {
    match workload.shape {
        Shape::Attach => Some("nothing to attach to: descriptors are inherited".to_owned()),
        Shape::Memory => Some("not measured: its memory is the kernel's".to_owned()),
        _ => None,
    }
}

/// How many bytes `workload` has room for.
pub fn room(workload: &Workload) -> usize {
    workload.capacity * workload.bytes
}

impl Ends {
    /// Of what was just made.
    pub fn made(reads: impl Into<OwnedFd>, writes: impl Into<OwnedFd>, way: Way) -> Self {
        let [reads, writes] = [reads.into(), writes.into()].map(|end| Some(File::from(end)));
        Self { reads, writes, way }
    }

    /// What the process that made them left to this one.
    pub fn inherited(token: &str, way: Way) -> Result<Self, Unable> {
        let no_number = |why| Unable(format!("descriptor {token:?}: {why}"));
        let descriptor: RawFd = token.parse().map_err(no_number)?;
        // SAFETY: the maker left the descriptor open for this process, which opens each token once.
        let end = Some(File::from(unsafe { OwnedFd::from_raw_fd(descriptor) }));
        Ok(match way {
            Way::There => Self { reads: end, writes: None, way },
            Way::Back => Self { reads: None, writes: end, way },
        })
    }

    /// The end that the other process is to have.
    fn other(&mut self) -> &mut Option<File> {
        match self.way {
            Way::There => &mut self.reads,
            Way::Back => &mut self.writes,
        }
    }

    fn again(end: Option<&File>) -> File {
        let end = end.expect("this process has that end");
        end.try_clone().expect("one more descriptor")
    }
}

/// Lets the processes that are started from now on inherit `end`.
pub fn leave_open(end: &impl AsRawFd) -> io::Result<()> {
    // SAFETY: it touches nothing but the flags of a descriptor that is open.
    let answer = unsafe { libc::fcntl(end.as_raw_fd(), libc::F_SETFD, 0) };
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

impl<const W: usize> Hub<W> for Ends {
    type Out = Writer;
    type In = Reader<W>;

    fn token(&self) -> String {
        let end = match self.way {
            Way::There => self.reads.as_ref(),
            Way::Back => self.writes.as_ref(),
        };
        let end = end.expect("the maker has both ends");
        leave_open(end).expect("let it be inherited");
        end.as_raw_fd().to_string()
    }

    fn handed_over(&mut self) {
        *self.other() = None;
    }

    fn sender(&mut self) -> Writer {
        Writer(Self::again(self.writes.as_ref()))
    }

    fn receiver(&mut self) -> Reader<W> {
        Reader(Self::again(self.reads.as_ref()), bytemuck::allocation::zeroed_box())
    }
}

/// Writes each message by one call, if it goes in at once.
#[derive(Debug)]
pub struct Writer(File);

/// Reads exactly one message into a buffer of its own.
#[derive(Debug)]
pub struct Reader<const W: usize>(File, Box<[u64; W]>);

impl<const W: usize> Out<W> for Writer {
    fn try_send(&mut self, _: &[u64; W]) -> bool {
        unreachable!("it does not poll")
    }

    #[inline(always)]
    fn send(&mut self, message: &[u64; W]) {
        self.0.write_all(bytemuck::cast_slice(message)).expect("write to the receiver");
    }
}

impl<const W: usize> In<W> for Reader<W> {
    fn try_recv(&mut self, _: impl FnMut(&[u64; W])) -> bool {
        unreachable!("it does not poll")
    }

    #[inline(always)]
    fn recv(&mut self, mut look: impl FnMut(&[u64; W])) {
        let buffer = bytemuck::cast_slice_mut(&mut self.1[..]);
        self.0.read_exact(buffer).expect("read from the sender");
        look(&self.1);
    }
}
