//! What every handle of a queue has: its place in the ring, and how it waits there.

mod blocks;
mod glance;
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
use idle::Idle;

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
        Self::at(queue, anchored, Post::DeadLetters)
    }

    fn at<Q: Carry<Carried = M> + ?Sized>(
        queue: &Queue<Q>,
        anchored: &AnchoredQueue<M>,
        post: Post,
    ) -> Self {
        Self {
            anchored: anchored.clone(),
            dead_letters: None,
            attachment: Arc::clone(&queue.attachment),
            post,
            presence: None,
            patience: queue.patience,
            idle: Idle::default(),
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

    /// The ring with its events.
    #[inline(always)]
    pub fn anchored(&self) -> &AnchoredQueue<M> {
        &self.anchored
    }

    /// The ring.
    #[inline(always)]
    pub fn ring(&self) -> &Ring<'_, M> {
        self.anchored.ring()
    }

    /// What this process knows of messages to deliver again.
    pub fn sweeper(&self) -> &Arc<Sweeper> {
        self.anchored.sweeper()
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
        describe(f, name, &self.anchored)
    }
}

/// Closes the queue and wakes everybody, unless this is a forked child.
pub fn close<M: Message + ?Sized>(anchored: &AnchoredQueue<M>) {
    if !anchored.is_inherited() {
        anchored.ring().close();
        anchored.not_empty().notify_all();
        anchored.not_full().notify_all();
    }
}

pub fn capacity<M: Message + ?Sized>(anchored: &AnchoredQueue<M>) -> usize {
    usize::try_from(anchored.ring().capacity()).unwrap_or(usize::MAX)
}

pub fn len<M: Message + ?Sized>(anchored: &AnchoredQueue<M>) -> usize {
    usize::try_from(anchored.ring().len()).unwrap_or(usize::MAX)
}

pub fn policy(attachment: &Attachment) -> DeliveryPolicy {
    DeliveryPolicy::of(attachment.segment().shape().delivery).expect("checked when it was opened")
}

pub fn describe<M: Message + ?Sized>(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    anchored: &AnchoredQueue<M>,
) -> fmt::Result {
    let (capacity, len) = (capacity(anchored), len(anchored));
    let closed = anchored.ring().is_closed();
    write!(f, "{name} {{ capacity: {capacity}, len: {len}, closed: {closed} }}")
}
