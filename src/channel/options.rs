//! How a channel is made, found and removed: one builder for every kind.

use std::marker::PhantomData;
use std::sync::Arc;

use crate::builder::{Attached, Basics, basic_setters};
use crate::error::Failure;
use crate::event::Patience;
use crate::fingerprint::{Description, Fingerprint};
use crate::layout::{Kind, type_fingerprint};
use crate::member::Attachment;
use crate::ring::reap::DeliveryPolicy;

use super::lane::End;
use slab::Blocks;

mod making;
mod plan;
mod slab;

pub(super) use making::claim;

/// The longest message of a queue of bytes, where nobody says: slots of 256 bytes.
const DEFAULT_MESSAGE_LEN: usize = 240;

/// How two sides keep a store from passing a later load, chosen when a channel is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum BarrierChoice {
    /// No fence on the frequent side; a waiter makes the kernel run one everywhere (`membarrier`). Where
    /// this process may not use that, as [`Fence`](Self::Fence).
    ///
    /// A process that may not use it cannot open such a channel.
    #[default]
    Auto,
    /// A fence in every send and receive: a few nanoseconds each, and nothing asked of the kernel.
    Fence,
}

/// How far a queue may grow beyond its first segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Growth {
    /// Until all its segments together hold so many messages.
    Messages(u64),
    /// Until all its segments together take so many bytes of shared memory.
    Bytes(u64),
    /// Until there is no memory for another segment: then sending fails.
    UntilRefused,
}

/// Who attaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    /// Who makes the channel.
    Maker,
    /// Who opens it.
    Opener,
}

/// One side of a channel as the builder makes it. Implemented by this crate's handles only.
pub trait Channel: sealed::Channel {}

impl<C: sealed::Channel> Channel for C {}

pub(crate) mod sealed {
    use super::{Arc, Attached, Attachment, End, Failure, Kind, Options, Party, Patience};

    pub trait Channel: Attached + Sized {
        const KIND: Kind;
        const DEFAULT_CAPACITY: usize;
        /// Size and alignment of a ring's elements; `None` where options choose them and openers take them.
        const ELEMENT: Option<(usize, usize)>;
        /// What it carries, as its users know it.
        type Item: ?Sized;
        /// Whether that lies in memory as it is.
        const IN_PLACE: bool = true;
        /// Whether nobody may attach without saying what the type is.
        const NEEDS_TYPE: bool = false;
        /// Ring elements for a capacity as the user gives it, before rounding up.
        fn elements(capacity: usize) -> usize {
            capacity
        }
        /// `FLAG_` bits that this kind adds.
        fn flags(_options: &Options<Self>) -> u32 {
            0
        }
        /// `FEATURE_` bits of a new segment.
        fn features(_options: &Options<Self>) -> u32 {
            0
        }
        /// The handle of an attachment that was just made.
        fn attach(
            attachment: Attachment,
            party: Party,
            patience: Patience,
        ) -> Result<Self, Failure>;
    }

    /// A handle that owns an end of a channel of two.
    pub trait Ended: Channel {
        /// The handle of an end that was just claimed.
        fn take(end: Arc<End>, patience: Patience) -> Result<Self, Failure>;
    }
}

/// Builds, opens and removes channels whose handle is `C`.
///
/// ```
/// use ringway::spsc::Producer;
///
/// let name = format!("orders-{}", std::process::id());
/// let producer = Producer::<u64>::options().capacity(1024).remove_when_unused().create(&name)?;
/// assert_eq!(producer.capacity(), 1024);
/// # Ok::<(), ringway::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "options do nothing until one of create, open, open_or_create, replace, pair or unlink"]
pub struct Options<C> {
    basics: Basics,
    capacity: usize,
    barrier: BarrierChoice,
    pub(super) direction: super::pipe::Direction,
    /// Of a new pipe.
    pub(super) records: super::pipe::Records,
    pub(super) delivery: DeliveryPolicy,
    pub(super) message_len: usize,
    /// After how many deliveries, and room for how many; of new queues.
    pub(super) dead_letters: Option<(u32, usize)>,
    pub(super) blocks: Blocks,
    /// How far new queues may grow.
    pub(super) growth: Option<Growth>,
    handle: PhantomData<fn() -> C>,
}

/// By hand, because a handle that options make need not be `Clone` for them to be.
impl<C> Clone for Options<C> {
    fn clone(&self) -> Self {
        Self { basics: self.basics.clone(), ..*self }
    }
}

impl<C: Channel> Default for Options<C> {
    fn default() -> Self {
        Self {
            basics: Basics::new(C::KIND),
            capacity: C::DEFAULT_CAPACITY,
            barrier: BarrierChoice::default(),
            direction: super::pipe::Direction::Both,
            records: super::pipe::Records::Any,
            delivery: DeliveryPolicy::default(),
            message_len: DEFAULT_MESSAGE_LEN,
            dead_letters: None,
            blocks: Blocks::default(),
            growth: None,
            handle: PhantomData,
        }
    }
}

/// What a channel is like and who may use it, fixed when it is made; openers take these from the channel. And what each handle
/// chooses for itself, and where it looks.
impl<C: Channel> Options<C> {
    /// How much a new channel holds: values in a ring of values, messages in a queue, bytes in each direction of
    /// a pipe. Rounded up to a power of two.
    pub fn capacity(mut self, capacity: usize) -> Self {
        self.capacity = capacity;
        self
    }

    /// How many members a new channel has room for.
    ///
    /// With two ends: 2 to 63, by default 63. Two use it; the others are room for successors of members that
    /// died and that nobody has cleaned up after yet. A queue: 2 to 512, by default 64, each of them an attached
    /// [`Queue`](super::queue::Queue) with any number of senders and receivers.
    pub fn max_members(mut self, members: u32) -> Self {
        self.basics.max_members = members;
        self
    }

    /// How the sides of a new channel see each other. A queue needs no barrier: its claims are some.
    pub fn barrier(mut self, barrier: BarrierChoice) -> Self {
        self.barrier = barrier;
        self
    }

    /// Compares what the element type tells of itself: names, types and offsets of fields. Who opens a channel must do so, too,
    /// and mean the same, or both do not. Beside an agreed name both are compared.
    ///
    /// ```
    /// use ringway::spsc::{Consumer, Producer};
    ///
    /// let name = format!("prices-{}", std::process::id());
    /// let mut producer = Producer::<[u32; 2]>::options().checked().remove_when_unused().create(&name)?;
    /// let meant_otherwise = Consumer::<[f32; 2]>::options().checked().open(&name);
    /// assert!(matches!(meant_otherwise.unwrap_err().kind(), ringway::ErrorKind::WrongType(_)));
    /// # Ok::<(), ringway::Error>(())
    /// ```
    pub fn checked(mut self) -> Self
    where
        C::Item: Fingerprint,
    {
        let told = Description::of::<C::Item>(C::IN_PLACE);
        self.basics.fingerprint = type_fingerprint(told.as_str().as_bytes());
        self
    }

    basic_setters!("channel");
}
