//! Pairs of Unix sockets: a stream of bytes, of which each read takes exactly one message's; and
//! `SOCK_SEQPACKET`, which keeps messages apart.
//!
//! Both have room for as many messages as the work says, or as many as the system allows (`wmem_max`). The
//! kernel counts what it spends on each message, too.
#![allow(unsafe_code, reason = "socketpair, setsockopt")]

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use super::descriptors::{self, Ends};
use super::prelude::*;

pub struct Stream;

pub struct Packets;

macro_rules! constants {
    ($name:literal) => {
        const NAME: &'static str = $name;
        const KIND: Kind = Kind::Rival;
        const BETWEEN: Between = Between::Processes;
        const POLLS: bool = false;
        const BLOCKS: bool = true;
        const LONGEST: usize = 1 << 20;
        type Hub<const W: usize> = Ends;
    };
}

impl Contestant for Stream {
    constants!("unix-stream");
    /// A stream keeps no message together for several.
    const PARTIES: (usize, usize) = (1, 1);

    fn refuses(workload: &Workload) -> Option<String> {
        descriptors::refuses(workload)
    }

    fn create<const W: usize>(workload: &Workload, _: &str, way: Way) -> Result<Ends, Unable> {
        let (reads, writes) = pair(libc::SOCK_STREAM, workload)?;
        Ok(Ends::made(reads, writes, way))
    }

    fn join<const W: usize>(_: &Workload, token: &str, way: Way) -> Result<Ends, Unable> {
        Ends::inherited(token, way)
    }
}

impl Contestant for Packets {
    constants!("unix-seqpacket");
    const PARTIES: (usize, usize) = (64, 64);

    fn refuses(workload: &Workload) -> Option<String> {
        descriptors::refuses(workload)
    }

    fn create<const W: usize>(workload: &Workload, _: &str, way: Way) -> Result<Ends, Unable> {
        let (reads, writes) = pair(libc::SOCK_SEQPACKET, workload)?;
        carries(&reads, &writes, workload.bytes)
            .map_err(Unable::because("send a packet of that length"))?;
        Ok(Ends::made(reads, writes, way))
    }

    fn join<const W: usize>(_: &Workload, token: &str, way: Way) -> Result<Ends, Unable> {
        Ends::inherited(token, way)
    }
}

/// One to read from and one to write to.
fn pair(kind: libc::c_int, workload: &Workload) -> Result<(OwnedFd, OwnedFd), Unable> {
    let mut ends = [-1; 2];
    let kind = kind | libc::SOCK_CLOEXEC;
    // SAFETY: there is room for two descriptors.
    let answer = unsafe { libc::socketpair(libc::AF_UNIX, kind, 0, ends.as_mut_ptr()) };
    if answer < 0 {
        return Err(Unable::because("make sockets")(io::Error::last_os_error()));
    }
    // SAFETY: it was opened above and belongs to nobody else.
    let reads = unsafe { OwnedFd::from_raw_fd(ends[0]) };
    // SAFETY: as above.
    let writes = unsafe { OwnedFd::from_raw_fd(ends[1]) };
    give_room(&writes, workload).map_err(Unable::because("size a socket's buffer"))?;
    Ok((reads, writes))
}

/// What the kernel spends on each message beside its bytes, about: it charges that to the sender, and doubles
/// the figure that it is given.
const OVERHEAD: usize = 384;

fn give_room(socket: &OwnedFd, workload: &Workload) -> io::Result<()> {
    let bytes = descriptors::room(workload) + workload.capacity * OVERHEAD;
    let bytes = libc::c_int::try_from(bytes).map_err(io::Error::other)?;
    let (level, option) = (libc::SOL_SOCKET, libc::SO_SNDBUF);
    let len = libc::socklen_t::try_from(size_of_val(&bytes)).map_err(io::Error::other)?;
    let value = (&raw const bytes).cast();
    // SAFETY: the value is valid for its length. What is too much the kernel cuts to what it allows.
    let answer = unsafe { libc::setsockopt(socket.as_raw_fd(), level, option, value, len) };
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Whether a packet of so many bytes goes through: it must fit into the buffer as a whole.
fn carries(reads: &OwnedFd, writes: &OwnedFd, bytes: usize) -> io::Result<()> {
    let mut packet = vec![0; bytes];
    let sent = File::from(writes.try_clone()?).write(&packet)?;
    let received = File::from(reads.try_clone()?).read(&mut packet)?;
    let whole = sent == bytes && received == bytes;
    if whole { Ok(()) } else { Err(io::Error::other("it does not arrive whole")) }
}
