//! shmem-ipc: its shared ring between one and one, of messages as they are. Long ones are copied out,
//! as all contestants do it.
//!
//! Who polls uses the ring alone (`sender_mut`, `receiver_mut`), which signals nobody; who sleeps uses the
//! calls that signal by an eventfd. The other process inherits the memory and both signals.
#![allow(unsafe_code, reason = "messages in shared memory, bounds of the crate, descriptors")]

use std::fs::File;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;

use shmem_ipc::sharedring;

use super::copied::Copied;
use super::descriptors::leave_open;
use super::prelude::*;
use crate::workload::{BATCH, Shape};

pub struct Ring;

#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Message<const W: usize>([u64; W]);

// SAFETY: it is an array of integers, without padding.
unsafe impl<const W: usize> zerocopy::AsBytes for Message<W> {
    fn only_derive_is_allowed_to_implement_this_trait() {}
}

// SAFETY: any bytes are integers.
unsafe impl<const W: usize> zerocopy::FromBytes for Message<W> {
    fn only_derive_is_allowed_to_implement_this_trait() {}
}

/// Memory and signals, and the end that came with making them.
pub struct Shared<const W: usize> {
    /// Memory, "no longer empty", "no longer full".
    files: [File; 3],
    capacity: usize,
    sender: Option<Sender<W>>,
    receiver: Option<Receiver<W>>,
}

pub struct Sender<const W: usize>(sharedring::Sender<Message<W>>);

// SAFETY: it points to a mapping of its own, which is the same for all threads.
unsafe impl<const W: usize> Send for Sender<W> {}

pub struct Receiver<const W: usize>(sharedring::Receiver<Message<W>>, Copied<W>);

// SAFETY: as above.
unsafe impl<const W: usize> Send for Receiver<W> {}

fn refused(why: impl std::fmt::Display) -> Unable {
    Unable(format!("shmem-ipc: {why}"))
}

fn clones(files: [&File; 3]) -> [File; 3] {
    files.map(|file| file.try_clone().expect("one more descriptor"))
}

impl Contestant for Ring {
    const NAME: &'static str = "shmem-ipc";
    const KIND: Kind = Kind::Rival;
    const BETWEEN: Between = Between::Processes;
    const BLOCKS: bool = true;
    const BATCHES: bool = true;
    const LONGEST: usize = 1 << 20;
    const PARTIES: (usize, usize) = (1, 1);
    type Hub<const W: usize> = Shared<W>;

    fn refuses(workload: &Workload) -> Option<String> {
        let attaches = workload.shape == Shape::Attach;
        attaches.then(|| "nothing to attach to: descriptors are inherited".to_owned())
    }

    fn create<const W: usize>(workload: &Workload, _: &str, way: Way) -> Result<Shared<W>, Unable> {
        let capacity = workload.capacity;
        Ok(match way {
            Way::There => {
                let made = sharedring::Sender::new(capacity).map_err(refused)?;
                let files =
                    clones([made.memfd().as_file(), made.empty_signal(), made.full_signal()]);
                Shared { files, capacity, sender: Some(Sender(made)), receiver: None }
            }
            Way::Back => {
                let made = sharedring::Receiver::new(capacity).map_err(refused)?;
                let files =
                    clones([made.memfd().as_file(), made.empty_signal(), made.full_signal()]);
                Shared {
                    files,
                    capacity,
                    sender: None,
                    receiver: Some(Receiver(made, Copied::new())),
                }
            }
        })
    }

    fn join<const W: usize>(workload: &Workload, token: &str, _: Way) -> Result<Shared<W>, Unable> {
        let inherited = |number: &str| -> Result<File, Unable> {
            let no_number = |why| Unable(format!("descriptor {number:?}: {why}"));
            let descriptor: RawFd = number.parse().map_err(no_number)?;
            // SAFETY: the maker left the descriptor open for this process, which opens each token once.
            Ok(File::from(unsafe { OwnedFd::from_raw_fd(descriptor) }))
        };
        let files = token.split(',').map(inherited).collect::<Result<Vec<_>, _>>()?;
        let files = files.try_into().map_err(|_| Unable(format!("not three: {token:?}")))?;
        Ok(Shared { files, capacity: workload.capacity, sender: None, receiver: None })
    }
}

impl<const W: usize> Hub<W> for Shared<W> {
    type Out = Sender<W>;
    type In = Receiver<W>;

    fn token(&self) -> String {
        let numbers = self.files.each_ref().map(|file| {
            leave_open(file).expect("let it be inherited");
            file.as_raw_fd().to_string()
        });
        numbers.join(",")
    }

    fn sender(&mut self) -> Sender<W> {
        self.sender.take().unwrap_or_else(|| {
            let [memory, empty, full] = clones(self.files.each_ref());
            let opened = sharedring::Sender::open(self.capacity, memory, empty, full);
            Sender(opened.expect("open the ring to send"))
        })
    }

    fn receiver(&mut self) -> Receiver<W> {
        self.receiver.take().unwrap_or_else(|| {
            let [memory, empty, full] = clones(self.files.each_ref());
            let opened = sharedring::Receiver::open(self.capacity, memory, empty, full);
            Receiver(opened.expect("open the ring to receive"), Copied::new())
        })
    }
}

/// Copies as many of `batch` as there are places, the first of which is `first`.
#[inline(always)]
fn fill<const W: usize>(batch: &[[u64; W]], first: *mut Message<W>, places: usize) -> usize {
    let count = batch.len().min(places);
    // SAFETY: so many places follow, which are the sender's.
    unsafe { ptr::copy_nonoverlapping(batch.as_ptr(), first.cast(), count) };
    count
}

/// Shows as many messages as there are, `most` at most, the first of which is `first`.
#[inline(always)]
fn show<const W: usize>(
    most: usize,
    first: *const Message<W>,
    there: usize,
    look: impl FnMut(&[u64; W]),
) -> usize {
    let count = there.min(most);
    // SAFETY: so many messages follow, and are the receiver's until it says that it has them.
    let messages = unsafe { std::slice::from_raw_parts(first.cast::<[u64; W]>(), count) };
    messages.iter().for_each(look);
    count
}

impl<const W: usize> Out<W> for Sender<W> {
    #[inline(always)]
    fn try_send(&mut self, message: &[u64; W]) -> bool {
        self.try_send_batch(std::slice::from_ref(message)) == 1
    }

    fn send(&mut self, message: &[u64; W]) {
        self.0.block_until_writable().expect("wait for room");
        let message = std::slice::from_ref(message);
        self.0.send_raw(|first, places| fill(message, first, places)).expect("send a message");
    }

    #[inline(always)]
    fn try_send_batch(&mut self, batch: &[[u64; W]]) -> usize {
        let mut count = 0;
        let sent = self.0.sender_mut().send(|first, places| {
            count = fill(batch, first, places);
            count
        });
        sent.expect("the ring is sound");
        count
    }
}

impl<const W: usize> In<W> for Receiver<W> {
    #[inline(always)]
    fn try_recv(&mut self, mut look: impl FnMut(&[u64; W])) -> bool {
        let (ring, copy, mut count) = (self.0.receiver_mut(), &mut self.1, 0);
        let received = ring.recv(|first, there| {
            count = show(1, first, there, |message| copy.of(message, &mut look));
            count
        });
        received.expect("the ring is sound");
        count == 1
    }

    fn recv(&mut self, mut look: impl FnMut(&[u64; W])) {
        self.0.block_until_readable().expect("wait for a message");
        let (ring, copy) = (&mut self.0, &mut self.1);
        let received = ring.receive_raw(|first, there| {
            show(1, first, there, |message| copy.of(message, &mut look))
        });
        received.expect("receive a message");
    }

    #[inline(always)]
    fn try_recv_batch(&mut self, look: impl FnMut(&[u64; W])) -> usize {
        let mut count = 0;
        let received = self.0.receiver_mut().recv(|first, there| {
            count = show(BATCH, first, there, look);
            count
        });
        received.expect("the ring is sound");
        count
    }
}
