//! Receiving from whichever of several channels has something.
//!
//! A [`Selector`] only looks and waits. The handle that it points at is then received from as always, and whoever shares a queue may
//! have been faster.

use std::fmt;
use std::time::Duration;

use bytemuck::Pod;

use crate::channel::{pipe, queue, spsc};
use crate::error::Fault;
use crate::event::{Attempt, Deadline, Event, Look, Patience, Recheck, Wait, wait_at_several};
use crate::primitive::{MOST_WORDS, processors};

/// A handle that receives, as a [`Selector`] sees it: [`queue::Receiver`], [`spsc::Consumer`], [`pipe::Connection`] and
/// [`pipe::Receiver`]. Nobody else can be one.
pub trait Selectable: sealed::Source {}

impl<S: sealed::Source + ?Sized> Selectable for S {}

mod sealed {
    use super::{Attempt, Event, Look, Patience};

    /// Where a receiver waits, and what it would find.
    pub trait Source {
        /// `None` for one that never waits.
        fn event(&self) -> Option<&Event<'_>>;
        fn patience(&self) -> Option<Patience>;
        /// Ready unless there is nothing yet.
        fn glance(&self, look: Look) -> Attempt<()>;
        /// Whether another waiter would find something.
        fn has_more(&self) -> bool;
        /// Whether this process cannot see any more who lives.
        fn is_blind(&self) -> bool;
    }
}

/// Waits until one of several channels has something to receive.
///
/// ```
/// use ringway::Selector;
/// use ringway::queue::Queue;
/// use ringway::spsc;
///
/// let (mut producer, mut consumer) = spsc::pair::<u32>(16)?;
/// let queue = Queue::<u64>::options().unnamed()?;
/// let (sender, receiver) = (queue.sender(), queue.receiver());
/// let mut selector = Selector::new();
///
/// sender.send(5)?;
/// assert_eq!(selector.wait(&[&consumer, &receiver])?, 1);
/// assert_eq!(receiver.try_recv()?, 5);
/// producer.send(7)?;
/// assert_eq!(selector.wait(&[&consumer, &receiver])?, 0);
/// assert_eq!(consumer.try_recv()?, 7);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A channel is ready if receiving from it would not wait: there is a message, or it is closed, its other side has gone, or it is
/// damaged. What is ready may be gone when it is received, where others receive from the same queue too, and in a queue a message
/// may turn out to be one that was given up: so receive by `try_recv`, and wait again where it says `Empty`.
///
/// Of several that are ready they get their turn: each look begins behind the one that it last pointed at. A channel that stays
/// ready because it has ended is to be left out from then on.
///
/// Asleep, it is woken by each of them at once (Linux 5.16); where the kernel has no wait for several words, or refuses it, within a millisecond
/// for each channel. It learns of deaths as a blocked call does, by the shortest recheck among the handles.
#[derive(Debug, Default)]
pub struct Selector {
    wait: Wait,
    /// Where the next look begins.
    next: usize,
    recheck: Recheck,
}

/// Waiting on several channels failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SelectError {
    /// There was nothing to select from.
    Nothing,
    /// Too many to select on.
    TooMany {
        /// How many there were.
        count: usize,
        /// How many there may be.
        limit: usize,
    },
    /// Waiting for that one, by its place among them, is impossible.
    Failed(usize, Fault),
}

impl fmt::Display for SelectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => write!(f, "there is nothing to select from"),
            Self::TooMany { count, limit } => {
                write!(f, "too many to select on: {count}, at most {limit}")
            }
            Self::Failed(index, fault) => write!(f, "cannot wait for number {index}: {fault}"),
        }
    }
}

impl std::error::Error for SelectError {}

impl Selector {
    /// One that spins for a moment before it sleeps.
    pub fn new() -> Self {
        Self::default()
    }

    /// One that waits so. How the handles themselves wait does not matter to it.
    pub fn waiting(wait: Wait) -> Self {
        Self { wait, ..Self::default() }
    }

    /// The place of one of `sources` that is ready now, if any is.
    ///
    /// # Errors
    ///
    /// [`SelectError::Nothing`] if there are none, [`SelectError::TooMany`] if there are more than 128.
    pub fn try_wait(&mut self, sources: &[&dyn Selectable]) -> Result<Option<usize>, SelectError> {
        self.wait_until(sources, Deadline::after(Duration::ZERO))
    }

    /// The place of one of `sources` that is ready, waiting until one is.
    ///
    /// # Errors
    ///
    /// [`SelectError::Nothing`] if there are none, [`SelectError::TooMany`] if there are more than 128;
    /// [`SelectError::Failed`] with [`Fault::Blind`].
    pub fn wait(&mut self, sources: &[&dyn Selectable]) -> Result<usize, SelectError> {
        self.wait_until(sources, Deadline::NEVER).map(|found| found.expect("it has no deadline"))
    }

    /// The place of one of `sources` that is ready, waiting at most `timeout`. Zero looks once. `None` if time ran out.
    ///
    /// # Errors
    ///
    /// As [`wait`](Self::wait).
    pub fn wait_timeout(
        &mut self,
        sources: &[&dyn Selectable],
        timeout: Duration,
    ) -> Result<Option<usize>, SelectError> {
        self.wait_until(sources, Deadline::after(timeout))
    }

    fn wait_until(
        &mut self,
        sources: &[&dyn Selectable],
        deadline: Deadline,
    ) -> Result<Option<usize>, SelectError> {
        let count = sources.len();
        if count > MOST_WORDS {
            return Err(SelectError::TooMany { count, limit: MOST_WORDS });
        }
        let from = self.next.checked_rem(count).ok_or(SelectError::Nothing)?;
        let attempt = |look| look_at_each(sources, from, look);
        let first = Look { overdue: false, last: false };
        let found = match attempt(first) {
            Attempt::Ready(found) => Some(found),
            _ => self.wait_longer(sources, deadline, attempt),
        };
        let Some(found) = found else { return Ok(None) };
        let index = found?;
        self.next = index + 1;
        Ok(Some(index))
    }

    /// As [`wait_until`](Self::wait_until), after a first look that found nothing.
    #[cold]
    fn wait_longer(
        &mut self,
        sources: &[&dyn Selectable],
        deadline: Deadline,
        attempt: impl FnMut(Look) -> Attempt<Found>,
    ) -> Option<Found> {
        let rechecks = sources.iter().filter_map(|source| Some(source.patience()?.recheck_ns));
        let recheck_ns = rechecks.min()?;
        let patience = Patience { wait: self.wait, recheck_ns, alone: processors() == 1 };
        // One without an event is always ready, so no place moves.
        let events: Vec<Event<'_>> =
            sources.iter().filter_map(|source| source.event().copied()).collect();
        let more = |at: usize| sources[at].has_more();
        wait_at_several(&events, patience, &mut self.recheck, deadline, attempt, more)
    }
}

/// The place of one that is ready, or why there is no waiting for it.
type Found = Result<usize, SelectError>;

/// Looks at each of `sources`, beginning at `from`.
fn look_at_each(sources: &[&dyn Selectable], from: usize, look: Look) -> Attempt<Found> {
    let mut outcome = Attempt::Idle;
    for index in (from..sources.len()).chain(0..from) {
        match sources[index].glance(look) {
            Attempt::Ready(()) => return Attempt::Ready(Ok(index)),
            _ if look.overdue && sources[index].is_blind() => {
                return Attempt::Ready(Err(SelectError::Failed(index, Fault::Blind)));
            }
            Attempt::Held(member) => outcome = Attempt::Held(member),
            Attempt::Idle => {}
        }
    }
    outcome
}

impl<M: queue::Message + ?Sized> sealed::Source for queue::Receiver<M> {
    fn event(&self) -> Option<&Event<'_>> {
        Some(self.station().event())
    }

    fn patience(&self) -> Option<Patience> {
        Some(self.station().patience())
    }

    fn glance(&self, look: Look) -> Attempt<()> {
        self.station().glance(look)
    }

    fn has_more(&self) -> bool {
        self.station().has_more()
    }

    fn is_blind(&self) -> bool {
        self.station().attachment().is_blind()
    }
}

/// The receiving lane of each handle of two ends, if it has one: what has none answers at once. And whether the handle itself
/// has something that came by it.
macro_rules! by_lane {
    ($(($($parameter:ident)?) $handle:ty: $it:ident, $lane:expr, $has_more:expr;)+) => {$(
        impl$(<$parameter: Pod>)? sealed::Source for $handle {
            fn event(&self) -> Option<&Event<'_>> {
                let $it = self;
                Some($lane?.event())
            }

            fn patience(&self) -> Option<Patience> {
                let $it = self;
                Some($lane?.patience())
            }

            fn glance(&self, look: Look) -> Attempt<()> {
                let $it = self;
                if $has_more {
                    return Attempt::Ready(());
                }
                $lane.map_or(Attempt::Ready(()), |lane| lane.glance(look))
            }

            fn has_more(&self) -> bool {
                let $it = self;
                $lane.is_some_and(|lane| lane.has_more())
            }

            fn is_blind(&self) -> bool {
                let $it = self;
                $lane.is_some_and(|lane| lane.attachment().is_blind())
            }
        }
    )+};
}

by_lane! {
    (T) spsc::Consumer<T>: it, Some(it.receiving()), false;
    () pipe::Connection: it, it.receiving(), it.has_record();
    () pipe::Receiver: it, Some(it.receiving()), it.has_record();
}
