//! pipe(2), with room for as many bytes as the work's messages have, or as many as the system allows.
//!
//! Several may write and read at once: what is not longer than `PIPE_BUF` goes in whole (pipe(7)); and as all
//! messages are of one length, and a read takes what it asked for under the pipe's lock, it comes out whole.
//! Every message is checked for that.
#![allow(unsafe_code, reason = "fcntl")]

use std::fs;
use std::io::{self, PipeWriter};
use std::os::fd::AsRawFd;

use super::descriptors::{self, Ends};
use super::prelude::*;

pub struct Pipe;

impl Contestant for Pipe {
    const NAME: &'static str = "pipe";
    const KIND: Kind = Kind::Rival;
    const BETWEEN: Between = Between::Processes;
    const POLLS: bool = false;
    const BLOCKS: bool = true;
    const LONGEST: usize = 1 << 20;
    const PARTIES: (usize, usize) = (64, 64);
    type Hub<const W: usize> = Ends;

    fn refuses(workload: &Workload) -> Option<String> {
        let torn = workload.parties() != (1, 1) && workload.bytes > libc::PIPE_BUF;
        let torn = torn.then(|| "several would tear messages above PIPE_BUF".to_owned());
        torn.or_else(|| descriptors::refuses(workload))
    }

    fn create<const W: usize>(workload: &Workload, _: &str, way: Way) -> Result<Ends, Unable> {
        let (reads, writes) = io::pipe().map_err(Unable::because("make a pipe"))?;
        resize(&writes, descriptors::room(workload)).map_err(Unable::because("size a pipe"))?;
        Ok(Ends::made(reads, writes, way))
    }

    fn join<const W: usize>(_: &Workload, token: &str, way: Way) -> Result<Ends, Unable> {
        Ends::inherited(token, way)
    }
}

fn resize(pipe: &PipeWriter, bytes: usize) -> io::Result<()> {
    let most = fs::read_to_string("/proc/sys/fs/pipe-max-size")?;
    let bytes = bytes.min(most.trim().parse().map_err(io::Error::other)?);
    let bytes = libc::c_int::try_from(bytes).map_err(io::Error::other)?;
    // SAFETY: it touches nothing but the pipe.
    let size = unsafe { libc::fcntl(pipe.as_raw_fd(), libc::F_SETPIPE_SZ, bytes) };
    if size < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
