//! Attempts that come to nothing: when to look who died, and how to wait.

use super::growing::Growth;
use super::{Post, Station};
use crate::error::MemberId;
use crate::event::{Attempt, Deadline, Look, Recheck};
use crate::primitive::Ordering::Relaxed;
use crate::primitive::{AtomicU32, AtomicU64, Message, Mutex, now_ns};

/// What a handle remembers of its fruitless attempts, so that one who only ever polls, or waits only briefly, still
/// looks from time to time who died.
#[derive(Debug, Default)]
pub struct Idle {
    misses: AtomicU32,
    recheck: Mutex<Recheck>,
    stuck: Stuck,
}

/// Where a handle that polls is stuck. Not exact where threads share the handle: then they ask later.
#[derive(Debug, Default)]
struct Stuck {
    /// The position.
    at: AtomicU64,
    /// How often in a row it was seen there.
    looks: AtomicU32,
    /// Since when it is known to be there, or when it last asked, on the monotonic clock.
    since: AtomicU64,
}

/// Fruitless attempts between two looks at the clock.
const MISSES: u32 = 256;
/// As often a position is seen stuck before it is worth a look at the clock, which takes longer than most claims.
const LOOKS: u32 = 4;
/// The part of a recheck interval after which somebody who polls asks whether the member in its way lives.
const STUCK_PART: u64 = 10;

impl<M: Message + ?Sized> Station<M> {
    /// Counts a fruitless attempt.
    #[inline(always)]
    pub(super) fn missed(&self) {
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
        if self.idle.recheck.try_lock().is_ok_and(|mut next| next.is_due(self.patience)) {
            self.attachment.bury_dead();
        }
    }

    /// Who is in the middle of what this side waits for, although its next slot does not say so.
    pub(super) fn at_work(&self) -> Option<MemberId> {
        if let Some(growth) = &self.growth {
            return growth.at_work(self.post == Post::Sender);
        }
        match self.post {
            Post::Sender => self.ring().consumer_at_work(),
            Post::Receiver | Post::DeadLetters => self.ring().producer_at_work(),
        }
    }

    /// An attempt failed because `member` is in the middle of something. Once that has lasted for a while, asks whether
    /// it lives. True if not, and what it held was taken back: try again.
    #[cold]
    pub(super) fn is_freed_of(&self, member: MemberId) -> bool {
        let Stuck { at, looks, since } = &self.idle.stuck;
        let sends = self.post == Post::Sender;
        let now_at = match &self.growth {
            Some(growth) => growth.turn(sends),
            None => self.ring().turn(sends),
        };
        let seen =
            if at.load(Relaxed) == now_at { looks.load(Relaxed).saturating_add(1) } else { 1 };
        at.store(now_at, Relaxed);
        looks.store(seen, Relaxed);
        if seen < LOOKS {
            return false;
        }
        let now = now_ns();
        let lasts = now.saturating_sub(since.load(Relaxed));
        if seen > LOOKS && lasts < self.patience.recheck_ns / STUCK_PART {
            return false;
        }
        since.store(now, Relaxed);
        seen > LOOKS && self.attachment.bury(member)
    }

    /// One attempt of who waits: at a recheck it looks who died, and before a sleep who is in the way;
    /// `at_work` says who is in the middle of what is waited for.
    #[inline]
    pub(super) fn closely<R>(
        &self,
        look: Look,
        attempt: &mut impl FnMut(Look) -> Attempt<R>,
        at_work: &impl Fn() -> Option<MemberId>,
    ) -> Attempt<R> {
        if look.overdue {
            self.attachment.bury_dead();
        }
        let outcome = attempt(look);
        let in_the_way = match outcome {
            Attempt::Held(member) if look.last => Some(member),
            Attempt::Idle if look.last => at_work(),
            outcome => return outcome,
        };
        // It costs a question to the kernel, where a sleep is about to cost a system call anyway.
        match in_the_way {
            Some(member) if self.attachment.bury(member) => attempt(look),
            Some(member) => Attempt::Held(member),
            None => Attempt::Idle,
        }
    }

    /// Waits at one of the two events.
    pub(super) fn wait_until<R>(
        &self,
        deadline: Deadline,
        attempt: impl FnMut(Look) -> Attempt<R>,
    ) -> Option<R> {
        self.wait_for(deadline, attempt, || self.at_work())
    }

    /// The same, where `at_work` says who is in the middle of what is waited for.
    pub(super) fn wait_for<R>(
        &self,
        deadline: Deadline,
        mut attempt: impl FnMut(Look) -> Attempt<R>,
        at_work: impl Fn() -> Option<MemberId>,
    ) -> Option<R> {
        let attempt = |look: Look| self.closely(look, &mut attempt, &at_work);
        let known = || self.idle.recheck.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut recheck = *known();
        let (ring, growth, patience) = (self.ring(), self.growth.as_ref(), self.patience);
        let waited = match self.post {
            Post::Sender => {
                let (event, more) = (self.anchored.not_full(), || {
                    growth.map_or_else(|| ring.has_room(), Growth::has_room)
                });
                event.wait_until(patience, &mut recheck, deadline, attempt, more)
            }
            Post::Receiver | Post::DeadLetters => {
                let (event, more) = (self.anchored.not_empty(), || {
                    growth.map_or_else(|| ring.has_more(), Growth::has_more)
                });
                event.wait_until(patience, &mut recheck, deadline, attempt, more)
            }
        };
        *known() = recheck;
        waited
    }
}
