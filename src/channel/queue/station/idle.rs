//! Attempts that come to nothing: when to look who died, and how to wait.

use super::{Post, Station};
use crate::error::MemberId;
use crate::event::{Attempt, Deadline, Look, Recheck};
use crate::primitive::Ordering::Relaxed;
use crate::primitive::{AtomicU32, Message, Mutex, now_ns};

/// What a handle remembers of its fruitless attempts, so that one who only ever polls, or waits only briefly, still
/// looks from time to time who died.
#[derive(Debug, Default)]
pub struct Idle {
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
    pub(super) fn is_freed_of(&self, member: MemberId) -> bool {
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
    pub(super) fn wait_until<R>(
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
}
