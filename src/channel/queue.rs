//! Messages from many senders to many receivers, first in first out, between processes and threads.
//!
//! A [`Queue`] is a process's attachment. It gives any number of [`Sender`]s and [`Receiver`]s, which are `Clone` and can be
//! shared by threads. Messages are values of one type, or bytes up to a length that is chosen when the queue is made, or with
//! the feature `serde` values of any type that serde knows: `Postcard`.
//!
//! ```
//! use ringway::queue::Queue;
//!
//! let name = format!("jobs-{}", std::process::id());
//! let queue = Queue::<u64>::options().capacity(256).remove_when_unused().create(&name)?;
//! let sender = queue.sender();
//! let worker = std::thread::spawn(move || {
//!     let queue = Queue::<u64>::options().open(&name).unwrap(); // usually in another process
//!     queue.receiver().iter().sum::<u64>()
//! });
//! for job in 1..=100 {
//!     sender.send(job)?;
//! }
//! queue.close();
//! assert_eq!(worker.join().unwrap(), 5050);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **Order** is that in which senders claimed their places: messages of one sender, or of senders that wait for each other,
//! are received in the order sent. A message is claimed, then written, then committed; while the first in line is claimed
//! and not committed, receivers wait for it.
//!
//! **One receiver gets each message.** [`Receiver::recv`] takes it and acknowledges it at once.
//! [`Receiver::recv_guard`] gives a [`Delivery`], which is acknowledged by [`Delivery::ack`] alone: dropped without, also by
//! a panic, the message is delivered again or dropped, by the queue's [`DeliveryPolicy`]. A message that is held
//! keeps its slot, and one lap later the whole queue waits for it: a queue needs room for what all receivers hold
//! and what is to be sent meanwhile.
//!
//! **Length.** Messages of bytes, and serialised values, may be longer than a slot if the queue was made with
//! [`blocks`](crate::Options::blocks), and for few very long ones with [`attachments`](crate::Options::attachments): they wait in
//! the same line as short ones. To write one where it lies and to read it there copies nothing:
//!
//! ```
//! use ringway::queue::Queue;
//!
//! let options = Queue::<[u8]>::options().capacity(64).message_len(120).blocks(64 << 10, 8);
//! let queue = options.max_message(300 << 20).attachments(2).unnamed()?;
//! let (sender, receiver) = (queue.sender(), queue.receiver());
//! sender.send(b"a command")?;
//! let mut image = sender.reserve(5 << 20)?;
//! image.fill(7);
//! image.commit()?;
//! assert_eq!(receiver.recv()?, b"a command");
//! let image = receiver.recv_guard()?;
//! assert_eq!((image.len(), image[1 << 20]), (5 << 20, 7));
//! image.ack();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **Capacity** is what the queue was made with, unless it [grows](crate::Options::growth): then it gets further segments
//! while it is full, up to a limit, and gives them back once they are drained.
//!
//! **Disconnected** is told while nobody sends (or receives) who once did: to a receiver after everything was received, to
//! a sender at once. A side that nobody has taken yet is waited for. So whoever makes a queue takes its own role before it
//! starts the others: then they learn of its death, too.

#[macro_use]
mod standing;

mod blocks;
mod message;
#[cfg(feature = "serde")]
pub(crate) mod postcard;
mod recv;
mod send;
mod station;

use std::fmt;
use std::sync::Arc;

use bytemuck::Pod;

use super::options::{Options, Party, sealed};
use crate::builder::Attached;
use crate::error::{Error, Failure};
use crate::event::Patience;
use crate::layout::{FEATURE_LONG_MESSAGES, Kind};
use crate::member::Attachment;
use crate::segment::AnchoredQueue;
use station::Station;

pub use super::options::Growth;
pub use crate::ring::reap::DeliveryPolicy;
pub use blocks::BlockUsage;
pub use message::Message;
#[cfg(feature = "serde")]
pub use postcard::Postcard;
pub use recv::{Delivery, Receiver};
pub use send::{Sender, WriteGrant};

/// An attachment to a queue: what senders and receivers are made from.
///
/// Dropping it detaches once its senders, receivers, grants and deliveries are gone too.
pub struct Queue<M: Message + ?Sized> {
    attachment: Arc<Attachment>,
    anchored: AnchoredQueue<M::Carried>,
    dead_letters: Option<AnchoredQueue<M::Carried>>,
    patience: Patience,
    /// Of nobody who sends or receives.
    place: Station<M::Carried>,
}

impl<M: Message + ?Sized> Queue<M> {
    /// A handle that sends.
    pub fn sender(&self) -> Sender<M> {
        Sender::new(Station::of_sender(self))
    }

    /// A handle that receives.
    pub fn receiver(&self) -> Receiver<M> {
        Receiver::new(Station::of_receiver(self))
    }

    /// A handle that receives the dead letters: messages that were delivered as often as the queue allows, and never
    /// acknowledged. `None` if the queue was made without.
    ///
    /// Each is received by one of those who ask, and like any other stays until it is acknowledged. Whoever moved a
    /// message here may have died before it could take it out of the queue, and then it is moved once more: so a dead
    /// letter may come once more for each such death. [`Disconnected`](crate::RecvError::Disconnected) is told while the queue has no receiver, since
    /// it is receivers who move messages here. To close this handle closes the dead letters only.
    pub fn dead_letters(&self) -> Option<Receiver<M>> {
        let anchored = self.dead_letters.as_ref()?;
        Some(Receiver::new(Station::of_dead_letters(self, anchored)))
    }

    standing!(self, self.place);

    /// What becomes of a message that is not acknowledged.
    pub fn delivery(&self) -> DeliveryPolicy {
        station::policy(&self.attachment)
    }

    observe!(self, Kind::Queue, self.attachment);
}

impl<T: Pod> Queue<T> {
    /// Options for making or opening a queue of values.
    pub fn options() -> Options<Self> {
        Options::default()
    }
}

impl Queue<[u8]> {
    /// Options for making or opening a queue of bytes.
    pub fn options() -> Options<Self> {
        Options::default()
    }
}

impl<M: Message<Carried = [u8]> + ?Sized> Queue<M> {
    /// The longest message, in bytes.
    pub fn max_len(&self) -> usize {
        self.anchored.ring().longest()
    }
}

/// What only queues have.
impl<M: Message + ?Sized> Options<Queue<M>> {
    /// What becomes of a message of a new queue whose receiver does not acknowledge it. Openers take it from the
    /// queue.
    pub fn delivery(mut self, policy: DeliveryPolicy) -> Self {
        self.delivery = policy;
        self
    }

    /// Gives a new queue a place for messages that nobody can deal with: with room for `capacity` of them, rounded up to
    /// a power of two. A message goes there when it would be delivered once more after `deliveries` of them, 1 to 15,
    /// without being acknowledged. [`Queue::dead_letters`] receives them.
    ///
    /// While there is no room for another, such a message is delivered as before. The queue must deliver
    /// [at least once](DeliveryPolicy::AtLeastOnce).
    pub fn dead_letters(mut self, deliveries: u32, capacity: usize) -> Self {
        self.dead_letters = Some((deliveries, capacity));
        self
    }

    /// Lets a new queue grow: when there is no room for a message it gets another segment, twice as large as the last, up to a
    /// limit; at the limit it is full as any other. Drained segments are given back, and an idle queue has its first one only,
    /// which has room for [`capacity`](Self::capacity) messages. Openers take it from the queue.
    ///
    /// What is promised of messages holds across segments: order, delivery, and what happens when somebody dies. Where a
    /// segment cannot be had for want of memory, sending fails with [`Fault::CannotGrow`](crate::Fault::CannotGrow). Once the queue's name is removed it gets
    /// no more segments, unless it had some just then. A queue that grows has a name and mode `0o600`; its operations take
    /// longer than those of one that does not, also while it has one segment.
    pub fn growth(mut self, limit: Growth) -> Self {
        self.growth = Some(limit);
        self
    }

    /// A new queue without a name, for the threads of this process.
    ///
    /// # Errors
    ///
    /// As [`Options::create`].
    pub fn unnamed(&self) -> Result<Queue<M>, Error> {
        self.build_unnamed()
    }
}

impl<M: Message<Carried = [u8]> + ?Sized> Options<Queue<M>> {
    /// The longest message of a new queue that lies in its slot, in bytes, rounded up to a multiple of 16; by default 240.
    /// Every message takes a slot of that size and 16 bytes. Openers take it from the queue. There are none longer, unless the
    /// queue has [`blocks`](Self::blocks).
    pub fn message_len(mut self, bytes: usize) -> Self {
        self.message_len = bytes.checked_next_multiple_of(16).unwrap_or(usize::MAX);
        self
    }
}

fn attached<M: Message + ?Sized>(attachment: Attachment, patience: Patience) -> Queue<M> {
    // Whoever died before is out of the way first, so that what it held comes again before anything new.
    attachment.bury_dead();
    let anchored = |ring| AnchoredQueue::new(attachment.segment(), ring, attachment.id());
    let has_dead_letters = attachment.segment().shape().dead_letters > 0;
    let (dead_letters, anchored) = (has_dead_letters.then(|| anchored(1)), anchored(0));
    let attachment = Arc::new(attachment);
    let place = Station::of_nobody(&attachment, &anchored, patience);
    Queue { attachment, anchored, dead_letters, patience, place }
}

impl<M: Message + ?Sized> Attached for Queue<M> {
    fn attachment(&self) -> &Attachment {
        &self.attachment
    }
}

impl<M: Message + ?Sized> sealed::Channel for Queue<M> {
    type Item = M::Item;
    const IN_PLACE: bool = M::IN_PLACE;
    const NEEDS_TYPE: bool = M::NEEDS_TYPE;
    const KIND: Kind = M::KIND;
    const DEFAULT_CAPACITY: usize = 1024;
    const ELEMENT: Option<(usize, usize)> = M::ELEMENT;

    fn features(options: &Options<Self>) -> u32 {
        if options.blocks.any() { FEATURE_LONG_MESSAGES } else { 0 }
    }

    fn attach(attachment: Attachment, _: Party, patience: Patience) -> Result<Self, Failure> {
        Ok(attached(attachment, patience))
    }
}

impl<M: Message + ?Sized> fmt::Debug for Queue<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.place.describe(f, "Queue")
    }
}
