//! What every handle of a queue has: its place in the ring, and how it waits there.

use std::fmt;
use std::sync::Arc;

use super::super::lane::{Unreceived, Unsent};
use super::{DeliveryPolicy, Message, Queue};
use crate::error::{Fault, MemberId};
use crate::event::{Attempt, Deadline, Event, Look, Patience, Recheck};
use crate::member::{Attachment, Role};
use crate::primitive::Ordering::Relaxed;
use crate::primitive::{AtomicU32, Mutex, now_ns};
use crate::ring::mpmc::{Dry, Refusal, Ring, Sweeper, Taken};
use crate::segment::AnchoredQueue;

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

/// What a handle remembers of its fruitless attempts, so that one who only ever polls, or waits only briefly, still
/// looks from time to time who died.
#[derive(Debug, Default)]
struct Idle {
    misses: AtomicU32,
    recheck: Mutex<Recheck>,
    stuck: Mutex<Stuck>,
}

/// Who is in the way of a handle that polls.
#[derive(Clone, Copy, Debug, Default)]
struct Stuck {
    /// The member and the position that it has; nobody at first.
    at: Option<(MemberId, u64)>,
    /// Since when it is known to be there, or when it was last asked about, on the monotonic clock.
    since: u64,
}

/// Fruitless attempts between two looks at the clock.
const MISSES: u32 = 256;
/// The part of a recheck interval after which somebody who polls asks whether the member in its way lives.
const STUCK_PART: u64 = 10;

impl<M: Message + ?Sized> Station<M> {
    /// A sender's place in `queue`.
    pub fn of_sender(queue: &Queue<M>) -> Self {
        let presence = Some(Presence::new(&queue.attachment, Role::Sender));
        Self { presence, ..Self::at(queue, &queue.anchored, Post::Sender) }
    }

    /// A receiver's place in `queue`.
    pub fn of_receiver(queue: &Queue<M>) -> Self {
        let dead_letters = queue.dead_letters.clone();
        Self { dead_letters, ..Self::at(queue, &queue.anchored, Post::Receiver) }
    }

    /// A place at the dead letters of `queue`, which are at `anchored`.
    pub fn of_dead_letters(queue: &Queue<M>, anchored: &AnchoredQueue<M>) -> Self {
        Self::at(queue, anchored, Post::DeadLetters)
    }

    fn at(queue: &Queue<M>, anchored: &AnchoredQueue<M>, post: Post) -> Self {
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

    /// Counts a fruitless attempt.
    #[inline(always)]
    fn missed(&self) {
        // Not exact where threads share the handle: then they look a little less often.
        let misses = self.idle.misses.load(Relaxed).wrapping_add(1);
        self.idle.misses.store(misses, Relaxed);
        if misses.is_multiple_of(MISSES) {
            self.look_around();
        }
    }

    #[cold]
    fn look_around(&self) {
        if self.anchored.is_inherited() {
            return;
        }
        if let Some(member) = self.at_work() {
            self.is_freed_of(member);
        }
        if self.idle.recheck.try_lock().is_ok_and(|mut next| next.is_due(self.patience)) {
            self.attachment.bury_dead();
        }
    }

    /// Who is in the middle of what this side waits for, although its next slot does not say so.
    fn at_work(&self) -> Option<MemberId> {
        match self.post {
            Post::Sender => self.ring().consumer_at_work(),
            Post::Receiver | Post::DeadLetters => self.ring().producer_at_work(),
        }
    }

    /// An attempt failed because `member` is in the middle of something. Once that has lasted for a while, asks whether
    /// it lives. True if not, and what it held was taken back: try again.
    #[cold]
    fn is_freed_of(&self, member: MemberId) -> bool {
        let Ok(mut stuck) = self.idle.stuck.try_lock() else { return false };
        let (now, at) = (now_ns(), Some((member, self.ring().turn(self.post == Post::Sender))));
        if stuck.at != at {
            *stuck = Stuck { at, since: now };
            return false;
        }
        if now.saturating_sub(stuck.since) < self.patience.recheck_ns / STUCK_PART {
            return false;
        }
        stuck.since = now;
        self.attachment.bury(member)
    }

    /// Waits at one of the two events.
    fn wait_until<R>(
        &self,
        deadline: Deadline,
        mut attempt: impl FnMut(Look) -> Attempt<R>,
    ) -> Option<R> {
        let attempt = |look: Look| {
            if look.overdue {
                self.attachment.bury_dead();
            }
            let outcome = attempt(look);
            let in_the_way = match outcome {
                Attempt::Held(member) if look.last => Some(member),
                Attempt::Idle if look.last => self.at_work(),
                outcome => return outcome,
            };
            // It costs a question to the kernel, where a sleep is about to cost a system call anyway.
            match in_the_way {
                Some(member) if self.attachment.bury(member) => attempt(look),
                Some(member) => Attempt::Held(member),
                None => Attempt::Idle,
            }
        };
        let known = || self.idle.recheck.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut recheck = *known();
        let (ring, patience) = (self.ring(), self.patience);
        let waited = match self.post {
            Post::Sender => {
                let (event, more) = (self.anchored.not_full(), || ring.has_room());
                event.wait_until(patience, &mut recheck, deadline, attempt, more)
            }
            Post::Receiver | Post::DeadLetters => {
                let (event, more) = (self.anchored.not_empty(), || ring.has_more());
                event.wait_until(patience, &mut recheck, deadline, attempt, more)
            }
        };
        *known() = recheck;
        waited
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
        self.wake(self.anchored.not_full(), count);
    }

    fn wake(&self, event: &Event<'_>, count: usize) {
        if event.notify(u32::try_from(count).unwrap_or(u32::MAX)) {
            self.attachment.bury_dead();
        }
    }

    /// Runs one operation of a sender.
    pub fn try_to_send<R>(
        &self,
        mut operation: impl FnMut(&Ring<'_, M>) -> Result<R, Refusal>,
    ) -> Result<R, Unsent> {
        let (entered, deserted) = self.anchored.sides(Role::Receiver as usize);
        if entered == deserted {
            self.check_alone(entered)?;
        }
        let done = match operation(self.ring()) {
            Err(Refusal::Held(member)) if self.is_freed_of(member) => operation(self.ring()),
            done => done,
        };
        done.map_err(|refusal| {
            self.missed();
            Unsent::from(refusal)
        })
    }

    /// Nobody receives, or this process was forked: whether to send all the same. Who comes first may fill
    /// the queue.
    #[cold]
    fn check_alone(&self, entered: u64) -> Result<(), Unsent> {
        match () {
            () if self.anchored.is_inherited() => Err(Unsent::Failed(Fault::Forked)),
            () if self.ring().is_closed() => Err(Unsent::Closed),
            () if entered != 0 => Err(Unsent::Disconnected),
            () => Ok(()),
        }
    }

    /// Runs one operation of a sender, waiting until `deadline` for it to find room: then `Full`.
    pub fn send_until<R>(
        &self,
        deadline: Deadline,
        mut operation: impl FnMut(&Ring<'_, M>) -> Result<R, Refusal>,
    ) -> Result<R, Unsent> {
        let attempt = |look: Look| match self.try_to_send(&mut operation) {
            Err(Unsent::Full | Unsent::Held(_)) if look.overdue && self.attachment.is_blind() => {
                Attempt::Ready(Err(Unsent::Failed(Fault::Blind)))
            }
            Err(Unsent::Full) => Attempt::Idle,
            Err(Unsent::Held(member)) => Attempt::Held(member),
            done => Attempt::Ready(done),
        };
        self.wait_until(deadline, attempt).unwrap_or(Err(Unsent::Full))
    }

    /// Runs one operation of a receiver.
    ///
    /// In a forked child the segment's place reads as zeros, which is an empty ring that nobody sends to: so the
    /// check for a fork costs nothing where there is a message.
    pub fn try_to_receive<R>(
        &self,
        mut operation: impl FnMut(&Ring<'_, M>) -> Result<R, Dry>,
    ) -> Result<R, Unreceived> {
        match operation(self.ring()) {
            Ok(done) => Ok(done),
            Err(Dry::Empty) if self.has_senders() => {
                self.missed();
                Err(Unreceived::Empty)
            }
            Err(dry) => self.look_closer(dry, operation),
        }
    }

    fn has_senders(&self) -> bool {
        let (entered, deserted) = self.anchored.sides(self.post.suppliers());
        entered != deserted
    }

    /// An attempt came to nothing, and not merely because there is no message yet.
    #[cold]
    fn look_closer<R>(
        &self,
        mut dry: Dry,
        mut operation: impl FnMut(&Ring<'_, M>) -> Result<R, Dry>,
    ) -> Result<R, Unreceived> {
        let mut deserted_at = None;
        loop {
            match dry {
                Dry::Skipped => self.tell_senders(1),
                Dry::Busy(member) if self.is_freed_of(member) => {}
                Dry::Busy(member) => {
                    self.missed();
                    return Err(Unreceived::Busy(member));
                }
                Dry::Drained => return Err(Unreceived::Closed),
                Dry::Corrupt(what) => return Err(Unreceived::Failed(Fault::Corrupt(what.text()))),
                Dry::Empty => {
                    let (entered, deserted) = self.anchored.sides(self.post.suppliers());
                    match () {
                        () if self.anchored.is_inherited() => {
                            return Err(Unreceived::Failed(Fault::Forked));
                        }
                        () if entered != deserted || entered == 0 => {
                            self.missed();
                            return Err(Unreceived::Empty);
                        }
                        // Empty after all had left, and nobody came since.
                        () if deserted_at == Some(entered) => return Err(Unreceived::Disconnected),
                        () => deserted_at = Some(entered),
                    }
                }
            }
            dry = match operation(self.ring()) {
                Ok(done) => return Ok(done),
                Err(dry) => dry,
            };
        }
    }

    /// How often a message was delivered elsewhere before it came here.
    pub fn deliveries_before(&self) -> u32 {
        let limit = self.attachment.segment().shape().delivery_limit;
        if self.post == Post::DeadLetters { limit } else { 0 }
    }

    /// Decides what becomes of a message that was claimed again: it is received, or goes to the dead letters.
    ///
    /// It is in the one ring until it is committed in the other, so a death between leaves it in both: in the queue it is
    /// delivered once more, to whoever then moves it again.
    #[cold]
    pub fn examine(&self, claim: Taken) -> Result<Taken, Dry> {
        let counters = self.attachment.counters();
        if let Some(dead_letters) = &self.dead_letters
            && claim.tries() >= self.attachment.segment().shape().delivery_limit
            && self.ring().copy_to(&claim, dead_letters.ring(), self.attachment.id()).is_ok()
        {
            if dead_letters.ring().consumers_wait() {
                dead_letters.not_empty().notify(1);
            }
            counters.dead_letters.fetch_add(1, Relaxed);
            self.ring().acknowledge(claim);
            return Err(Dry::Skipped);
        }
        counters.redeliveries.fetch_add(1, Relaxed);
        Ok(claim)
    }

    /// Runs one operation of a receiver, waiting until `deadline` for it to find something: then `Empty`.
    pub fn receive_until<R>(
        &self,
        deadline: Deadline,
        mut operation: impl FnMut(&Ring<'_, M>) -> Result<R, Dry>,
    ) -> Result<R, Unreceived> {
        let attempt = |look: Look| match self.try_to_receive(&mut operation) {
            Err(Unreceived::Empty | Unreceived::Busy(_))
                if look.overdue && self.attachment.is_blind() =>
            {
                Attempt::Ready(Err(Unreceived::Failed(Fault::Blind)))
            }
            Err(Unreceived::Empty) => Attempt::Idle,
            Err(Unreceived::Busy(member)) => Attempt::Held(member),
            done => Attempt::Ready(done),
        };
        self.wait_until(deadline, attempt).unwrap_or(Err(Unreceived::Empty))
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
