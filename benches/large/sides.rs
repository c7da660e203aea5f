//! The contestants: how the receiver's side is made, and how the sender's finds it.
#![allow(unsafe_code, reason = "socketpair, descriptors that a child process inherits")]

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;

use ringway::pipe::Connection;
use ringway::queue::Queue;
use ringway::{Options, Wait};

use crate::common::copying::Copying;

/// Messages in flight, and bytes at most that these take.
const WINDOW: usize = 8;
const WINDOW_BYTES: usize = 256 << 20;
/// About so many bytes are sent in a sample.
const SAMPLE_BYTES: usize = 64 << 20;
/// Of these there is one that says which message it is.
const PAGE: usize = 4096;
/// Room in pipes.
const PIPE: usize = 256 << 10;
/// Pieces of bare memory.
const SHORT: usize = 32 << 10;
const LONG: usize = 128 << 10;

/// Where the sender's side finds it, the receiver's side, and what is the sender's from then on.
type Made = (String, Receive, Option<OwnedFd>);
/// Receives the message of that number, into the buffer or in place, and checks it.
pub type Receive = Box<dyn FnMut(&mut Message, u64)>;
/// Sends it.
pub type Send = Box<dyn FnMut(&mut Message, u64)>;

/// One way to send long messages.
pub struct Contestant {
    pub name: &'static str,
    /// The lengths that it is for.
    lengths: (usize, usize),
    /// Makes the receiver's side, by a name that is free.
    pub make: fn(&str, usize) -> Made,
    /// The sender's side.
    pub open: fn(&str, usize) -> Send,
}

const ANY: (usize, usize) = (64, usize::MAX);
/// Those that keep the bounds of messages, for whom one may be empty.
const ANY_AND_NONE: (usize, usize) = (0, usize::MAX);

pub const CONTESTANTS: &[Contestant] = &[
    Contestant { name: "memcpy by 32 KiB", lengths: ANY, make: make_bare, open: open_bare },
    Contestant {
        name: "memcpy by 128 KiB",
        lengths: ANY,
        make: make_bare_long,
        open: open_bare_long,
    },
    Contestant { name: "memcpy, lines kept", lengths: ANY, make: make_kept, open: open_bare },
    Contestant { name: "queue", lengths: ANY_AND_NONE, make: make_copied, open: open_copied },
    Contestant {
        name: "queue in place",
        lengths: ANY_AND_NONE,
        make: make_in_place,
        open: open_in_place,
    },
    Contestant { name: "queue handed over", lengths: ANY, make: make_handed, open: open_handed },
    Contestant {
        name: "attachments",
        lengths: (1 << 20, usize::MAX),
        make: make_attached,
        open: open_copied,
    },
    Contestant { name: "pipe", lengths: ANY_AND_NONE, make: make_pipe, open: open_pipe },
    Contestant { name: "unix stream", lengths: ANY, make: make_stream, open: open_socket },
    Contestant { name: "kernel pipe", lengths: ANY, make: make_kernel_pipe, open: open_file },
    // A packet has to fit the socket's buffer.
    Contestant {
        name: "unix seqpacket",
        lengths: (64, 64 << 10),
        make: make_packets,
        open: open_socket,
    },
];

impl Contestant {
    pub fn takes(&self, len: usize) -> bool {
        (self.lengths.0..=self.lengths.1).contains(&len)
    }

    /// How many messages a sample is.
    pub fn count(&self, len: usize) -> u64 {
        let copied = if self.name == "queue handed over" { PAGE } else { len };
        (SAMPLE_BYTES / copied.max(1)).clamp(4, 20_000) as u64
    }
}

fn window(len: usize) -> usize {
    (WINDOW_BYTES / len.max(1)).clamp(1, WINDOW)
}

/// A message as its side keeps it.
pub struct Message(Vec<u8>);

impl Message {
    pub fn new(len: usize) -> Self {
        Self(vec![7; len])
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }
}

/// What page `page` of message `number` begins with.
fn word(number: u64, page: usize) -> [u8; 8] {
    (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ page as u64).to_le_bytes()
}

/// Makes `bytes` message `number`.
fn mark(bytes: &mut [u8], number: u64) {
    for (page, bytes) in bytes.chunks_mut(PAGE).enumerate() {
        bytes[..8].copy_from_slice(&word(number, page));
    }
}

/// Panics unless `bytes` are message `number`.
fn check(bytes: &[u8], number: u64) {
    for (page, bytes) in bytes.chunks(PAGE).enumerate() {
        assert!(bytes[..8] == word(number, page), "message {number}, page {page}");
    }
}

fn make_bare(_: &str, _: usize) -> Made {
    bare(SHORT, false)
}

fn make_kept(_: &str, _: usize) -> Made {
    bare(SHORT, true)
}

fn open_bare(path: &str, _: usize) -> Send {
    copy_in(path, SHORT)
}

fn make_bare_long(_: &str, _: usize) -> Made {
    bare(LONG, false)
}

fn open_bare_long(path: &str, _: usize) -> Send {
    copy_in(path, LONG)
}

fn bare(piece: usize, keeps: bool) -> Made {
    let here = Copying::create(piece, keeps).expect("there is memory");
    let (path, mut next) = (here.path(), 0);
    let receive = move |message: &mut Message, number| {
        here.receive(&mut message.0, &mut next);
        check(&message.0, number);
    };
    (path, Box::new(receive), None)
}

fn copy_in(path: &str, piece: usize) -> Send {
    let (there, mut next) = (Copying::open(path, piece).expect("it is there"), 0);
    Box::new(move |message, number| {
        mark(&mut message.0, number);
        there.send(&message.0, &mut next);
    })
}

type Bytes = Queue<[u8]>;

fn queue(name: &str, options: &Options<Bytes>) -> Bytes {
    let options = options.clone().wait(Wait::Spin).capacity(2 * WINDOW).prefault();
    options.remove_when_unused().create(name).expect("room for the queue")
}

fn blocks(name: &str, len: usize) -> Bytes {
    let options = Bytes::options();
    let options = if len > 240 { options.blocks(len, window(len)) } else { options };
    queue(name, &options)
}

fn make_copied(name: &str, len: usize) -> Made {
    copied(name, &blocks(name, len))
}

fn make_attached(name: &str, len: usize) -> Made {
    copied(name, &queue(name, &Bytes::options().max_message(len).attachments(window(len))))
}

fn copied(name: &str, queue: &Bytes) -> Made {
    let receiver = queue.receiver();
    let receive = move |message: &mut Message, number| {
        assert_eq!(receiver.recv_into(&mut message.0), Ok(message.len()));
        check(&message.0, number);
    };
    (name.to_owned(), Box::new(receive), None)
}

fn open(name: &str) -> Bytes {
    Bytes::options().wait(Wait::Spin).open(name).expect("the queue")
}

fn open_copied(name: &str, _: usize) -> Send {
    let sender = open(name).sender();
    Box::new(move |message, number| {
        mark(&mut message.0, number);
        sender.send(&message.0).expect("the receiver is there");
    })
}

/// Written from end to end where it lies, and looked at there.
fn make_in_place(name: &str, len: usize) -> Made {
    let receiver = blocks(name, len).receiver();
    let receive = move |_: &mut Message, number| {
        let delivery = receiver.recv_guard().expect("the sender is there");
        check(&delivery, number);
        delivery.ack();
    };
    (name.to_owned(), Box::new(receive), None)
}

fn open_in_place(name: &str, len: usize) -> Send {
    let sender = open(name).sender();
    Box::new(move |_, number| {
        let mut grant = sender.reserve(len).expect("the receiver is there");
        grant.fill(number.to_le_bytes()[0]);
        mark(&mut grant, number);
        grant.commit().expect("not forked");
    })
}

/// What a message costs that is filled already: its first and last words are written and read.
fn make_handed(name: &str, len: usize) -> Made {
    let receiver = blocks(name, len).receiver();
    let receive = move |message: &mut Message, number| {
        let delivery = receiver.recv_guard().expect("the sender is there");
        assert_eq!(delivery.len(), message.len());
        assert!(delivery[..8] == word(number, 0) && delivery[len - 8..] == word(number, 1));
        delivery.ack();
    };
    (name.to_owned(), Box::new(receive), None)
}

fn open_handed(name: &str, len: usize) -> Send {
    let sender = open(name).sender();
    Box::new(move |_, number| {
        let mut grant = sender.reserve(len).expect("the receiver is there");
        grant[..8].copy_from_slice(&word(number, 0));
        grant[len - 8..].copy_from_slice(&word(number, 1));
        grant.commit().expect("not forked");
    })
}

fn make_pipe(name: &str, _: usize) -> Made {
    let options = Connection::options().capacity(PIPE).wait(Wait::Spin).prefault();
    let mut here = options.remove_when_unused().create(name).expect("room for the pipe");
    let receive = move |message: &mut Message, number| {
        assert_eq!(here.recv_into(&mut message.0), Ok(message.len()));
        check(&message.0, number);
    };
    (name.to_owned(), Box::new(receive), None)
}

fn open_pipe(name: &str, _: usize) -> Send {
    let mut there = Connection::options().wait(Wait::Spin).open(name).expect("the pipe");
    Box::new(move |message, number| {
        mark(&mut message.0, number);
        there.send(&message.0).expect("the receiver is there");
    })
}

fn make_stream(_: &str, _: usize) -> Made {
    socket(libc::SOCK_STREAM)
}

fn make_packets(_: &str, _: usize) -> Made {
    socket(libc::SOCK_SEQPACKET)
}

/// A pair of sockets, one for the process that is started next.
fn socket(kind: libc::c_int) -> Made {
    let mut ends = [-1; 2];
    // SAFETY: there is room for two descriptors.
    let made = unsafe { libc::socketpair(libc::AF_UNIX, kind, 0, ends.as_mut_ptr()) };
    assert_eq!(made, 0, "no sockets");
    // SAFETY: both were just made and belong to nobody else.
    let [here, there] = ends.map(|end| unsafe { OwnedFd::from_raw_fd(end) });
    // SAFETY: it is open; the child is to inherit the other one only.
    unsafe { libc::fcntl(here.as_raw_fd(), libc::F_SETFD, libc::FD_CLOEXEC) };
    let mut here = UnixStream::from(here);
    let receive = move |message: &mut Message, number| {
        here.read_exact(&mut message.0).expect("the sender is there");
        check(&message.0, number);
    };
    (there.as_raw_fd().to_string(), Box::new(receive), Some(there))
}

/// A pipe of the kernel, as wide as it lets everybody have it.
fn make_kernel_pipe(_: &str, _: usize) -> Made {
    let (from, there) = std::io::pipe().expect("a pipe");
    let there = OwnedFd::from(there);
    // SAFETY: both are open; the child is to inherit the one that is written to.
    unsafe { libc::fcntl(there.as_raw_fd(), libc::F_SETFD, 0) };
    // SAFETY: it is open. Where the limit is lower it stays as it is.
    unsafe { libc::fcntl(there.as_raw_fd(), libc::F_SETPIPE_SZ, 1 << 20) };
    let mut here = File::from(OwnedFd::from(from));
    let receive = move |message: &mut Message, number| {
        here.read_exact(&mut message.0).expect("the sender is there");
        check(&message.0, number);
    };
    (there.as_raw_fd().to_string(), Box::new(receive), Some(there))
}

fn open_socket(descriptor: &str, _: usize) -> Send {
    inherited(UnixStream::from(descriptor_of(descriptor)))
}

fn open_file(descriptor: &str, _: usize) -> Send {
    inherited(File::from(descriptor_of(descriptor)))
}

fn descriptor_of(number: &str) -> OwnedFd {
    // SAFETY: it was inherited for this, and nobody else in this process knows of it.
    unsafe { OwnedFd::from_raw_fd(number.parse().expect("a descriptor")) }
}

fn inherited(mut there: impl Write + 'static) -> Send {
    Box::new(move |message, number| {
        mark(&mut message.0, number);
        there.write_all(&message.0).expect("the receiver is there");
    })
}
