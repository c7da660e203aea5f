//! What every handle of a queue has: its place in the ring, and how it waits there.

mod blocks;
mod glance;
mod growing;
mod idle;
mod receiving;
mod sending;

use std::fmt;
use std::sync::Arc;

use super::{DeliveryPolicy, Message as Carry, Queue};
use crate::event::{Event, Patience};
use crate::member::{Attachment, Role};
use crate::primitive::Message;
use crate::ring::mpmc::{Ring, Sweeper};
use crate::segment::AnchoredQueue;
use growing::Growth;
use idle::Idle;

pub use growing::At;

/// One handle's place in a queue, shared with its grants or deliveries.
pub struct Station<M: Message + ?Sized> {
    anchored: AnchoredQueue<M>,
    /// Where a receiver puts what was delivered too often.
    dead_letters: Option<AnchoredQueue<M>>,
    attachment: Arc<Attachment>,
    post: Post,
    /// That of a sender: a grant can be committed when its handle has gone, so it counts as one.
    presence: Option<Presence>,
    patience: Patience,
    idle: Idle,
    /// The other segments, of a queue that grows.
    growth: Option<Growth<M>>,
}

/// One sender or receiver, counted among those of its member. Dropping it gives the role up.
pub struct Presence {
    attachment: Arc<Attachment>,
    role: Role,
}

impl Presence {
    /// Counts one more, unless this is a forked child, in which it does nothing.
    fn new(attachment: &Arc<Attachment>, role: Role) -> Self {
        if !attachment.segment().is_inherited() {
            attachment.enter(role);
        }
        Self { attachment: Arc::clone(attachment), role }
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        if !self.attachment.segment().is_inherited() {
            self.attachment.leave(self.role);
        }
    }
}

/// What a handle is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Post {
    /// It sends.
    Sender,
    /// It receives.
    Receiver,
    /// It receives dead letters. Nobody waits for it, so it is not counted.
    DeadLetters,
}

impl Post {
    /// Whose messages a receiver gets: receivers make dead letters.
    fn suppliers(self) -> usize {
        let role = if self == Post::DeadLetters { Role::Receiver } else { Role::Sender };
        role as usize
    }
}

impl<M: Message + ?Sized> Station<M> {
    /// A sender's place in `queue`.
    pub fn of_sender<Q: Carry<Carried = M> + ?Sized>(queue: &Queue<Q>) -> Self {
        let presence = Some(Presence::new(&queue.attachment, Role::Sender));
        Self { presence, ..Self::at(queue, &queue.anchored, Post::Sender) }
    }

    /// A receiver's place in `queue`.
    pub fn of_receiver<Q: Carry<Carried = M> + ?Sized>(queue: &Queue<Q>) -> Self {
        let dead_letters = queue.dead_letters.clone();
        Self { dead_letters, ..Self::at(queue, &queue.anchored, Post::Receiver) }
    }

    /// A place at the dead letters of `queue`, which are at `anchored`.
    pub fn of_dead_letters<Q: Carry<Carried = M> + ?Sized>(
        queue: &Queue<Q>,
        anchored: &AnchoredQueue<M>,
    ) -> Self {
        Self { growth: None, ..Self::at(queue, anchored, Post::DeadLetters) }
    }

    fn at<Q: Carry<Carried = M> + ?Sized>(
        queue: &Queue<Q>,
        anchored: &AnchoredQueue<M>,
        post: Post,
    ) -> Self {
        Self { post, ..Self::of_nobody(&queue.attachment, anchored, queue.patience) }
    }

    /// A place in the ring at `anchored` from which nobody sends or receives.
    pub fn of_nobody(
        attachment: &Arc<Attachment>,
        anchored: &AnchoredQueue<M>,
        patience: Patience,
    ) -> Self {
        Self {
            anchored: anchored.clone(),
            dead_letters: None,
            attachment: Arc::clone(attachment),
            post: Post::Receiver,
            presence: None,
            patience,
            idle: Idle::default(),
            growth: Growth::of(attachment, anchored),
        }
    }

    /// Another place of the same kind.
    pub fn beside(&self) -> Self {
        let another = |presence: &Presence| Presence::new(&self.attachment, presence.role);
        Self {
            anchored: self.anchored.clone(),
            dead_letters: self.dead_letters.clone(),
            attachment: Arc::clone(&self.attachment),
            presence: self.presence.as_ref().map(another),
            idle: Idle::default(),
            growth: self.growth.as_ref().and_then(|_| Growth::of(&self.attachment, &self.anchored)),
            ..*self
        }
    }

    /// That of a receiver, for its handle to have: what was delivered may outlive that, but receives no more. Nobody
    /// waits for those who receive dead letters.
    pub fn presence(&self) -> Option<Presence> {
        let counted = self.post == Post::Receiver;
        counted.then(|| Presence::new(&self.attachment, Role::Receiver))
    }

    /// Whether what is delivered too often has a place to go to.
    #[cfg(feature = "serde")]
    pub fn has_dead_letters(&self) -> bool {
        self.dead_letters.is_some()
    }

    /// The attachment.
    pub fn attachment(&self) -> &Attachment {
        &self.attachment
    }

    /// The ring for a handle to try first: its own, or of a queue that grows one that answers to nothing.
    pub fn to_try_first(&self) -> AnchoredQueue<M> {
        if self.growth.is_some() { self.anchored.barred() } else { self.anchored.clone() }
    }

    /// The ring that everybody waits at, and all there is of a queue that does not grow.
    #[inline(always)]
    pub fn ring(&self) -> &Ring<'_, M> {
        self.anchored.ring()
    }

    fn anchored_of<'a>(&'a self, at: &'a At<M>) -> &'a AnchoredQueue<M> {
        at.part().unwrap_or(&self.anchored)
    }

    /// The ring of a claim.
    #[inline(always)]
    pub fn ring_of<'a>(&'a self, at: &'a At<M>) -> &'a Ring<'a, M> {
        self.anchored_of(at).ring()
    }

    /// What this process knows of messages to deliver again there.
    pub fn sweeper_of<'a>(&'a self, at: &'a At<M>) -> &'a Arc<Sweeper> {
        self.anchored_of(at).sweeper()
    }

    /// What this process knows of messages to deliver again.
    pub fn sweeper(&self) -> &Arc<Sweeper> {
        self.anchored.sweeper()
    }

    /// Closes the queue and wakes everybody, unless this is a forked child.
    pub fn close(&self) {
        if self.anchored.is_inherited() {
            return;
        }
        match &self.growth {
            Some(growth) => growth.close_all(),
            None => self.ring().close(),
        }
        self.anchored.not_empty().notify_all();
        self.anchored.not_full().notify_all();
    }

    /// Whether anybody has closed it.
    pub fn is_closed(&self) -> bool {
        self.growth.as_ref().map_or_else(|| self.ring().is_closed(), Growth::is_closed)
    }

    /// How many messages it holds at most, as large as it is now.
    pub fn capacity(&self) -> usize {
        self.sum(|anchored| anchored.ring().capacity())
    }

    /// How many messages were waiting when it looked.
    pub fn len(&self) -> usize {
        self.sum(|anchored| anchored.ring().len())
    }

    fn sum(&self, count: impl Fn(&AnchoredQueue<M>) -> u64) -> usize {
        let sum = match &self.growth {
            Some(growth) => growth.sum(count),
            None => count(&self.anchored),
        };
        usize::try_from(sum).unwrap_or(usize::MAX)
    }

    pub fn describe(&self, f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
        let (capacity, len, closed) = (self.capacity(), self.len(), self.is_closed());
        write!(f, "{name} {{ capacity: {capacity}, len: {len}, closed: {closed} }}")
    }

    /// Tells receivers that `count` messages were committed, or put back.
    #[inline(always)]
    pub fn tell_receivers(&self, count: usize) {
        if self.ring().consumers_wait() {
            self.wake_receivers(count);
        }
    }

    /// The same, where they were seen to wait.
    #[cold]
    pub fn wake_receivers(&self, count: usize) {
        self.wake(self.anchored.not_empty(), count);
    }

    /// Tells senders that `count` slots were given back.
    #[inline(always)]
    pub fn tell_senders(&self, count: usize) {
        if self.ring().producers_wait() {
            self.wake_senders(count);
        }
    }

    /// Tells senders that `count` messages, which were `at`, were done with.
    #[inline(always)]
    pub fn done_with(&self, at: &At<M>, count: usize) {
        if self.growth.as_ref().is_none_or(|growth| growth.done_with(at)) {
            self.tell_senders(count);
        }
    }

    /// The same, where they were seen to wait.
    #[cold]
    pub fn wake_senders(&self, count: usize) {
        // Some wait for a slot, and some for a block of one length or another: each finds out for itself.
        let count = if self.ring().slab().is_some() { usize::MAX } else { count };
        self.wake(self.anchored.not_full(), count);
    }

    fn wake(&self, event: &Event<'_>, count: usize) {
        if event.notify(u32::try_from(count).unwrap_or(u32::MAX)) {
            self.attachment.bury_dead();
        }
    }
}

impl<M: Message + ?Sized> fmt::Debug for Station<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.post == Post::Sender { "Sender" } else { "Receiver" };
        self.describe(f, name)
    }
}

pub fn policy(attachment: &Attachment) -> DeliveryPolicy {
    DeliveryPolicy::of(attachment.segment().shape().delivery).expect("checked when it was opened")
}
