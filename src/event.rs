//! Sleeping until something happens: the crate's only blocking loop.
//!
//! An event is a word that processes sleep on (`epoch`) and one bit per member with a thread that sleeps or
//! is about to (`waiters`). Bits rather than a count, because a member may be killed at any instruction: a
//! count that the dead took part in can never be put right, a bit of the dead is simply cleared.
//!
//! **No wake-up is lost.** A waiter sets its bit, passes the heavy barrier, reads `epoch`, tries once more,
//! and sleeps only while `epoch` is what it read. A notifier changes the state, passes the light barrier (or
//! changed it by a sequentially consistent read-modify-write), and reads the bits. By the barrier pair
//! either the notifier sees the bit and changes `epoch`, so that the waiter does not fall asleep or is
//! woken, or the waiter's last try sees the changed state.
//!
//! **Few wake-ups are in vain.** The bit of a waiter that was woken stays until it runs, which is long for a notifier that has
//! more to send. So a waiter counts each sleep that it is about to begin (`sleeps`), after it has read `epoch` and before the
//! barrier and the try; and a notifier that has read `sleeps`, changed `epoch` and woken nobody leaves it at that while
//! `sleeps` is what it read. Whoever counted before that reading had read an older `epoch`: it does not fall asleep. Whoever
//! counts later is seen by the next notifier or sees, in its try, what that one changed: the barrier pair again.
//!
//! **No wake-up is wasted.** A waiter that leaves, for whatever reason, may have taken a wake-up that
//! another could have used: it clears its bit and then, if there is more to do, wakes one of the others.
//!
//! **A sleep is bounded** by the recheck interval. That is a bound on correctness and cannot be switched
//! off: a wake-up handed to a waiter that is killed before it acts is gone, and only a later look heals it.

mod patience;
mod several;
mod word;

use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicU64};

use crate::error::MemberId;
use crate::layout::{CLOSING, EventLine};
use crate::primitive::Ordering::{Acquire, Relaxed, Release, SeqCst};
use crate::primitive::{Barrier, Mutex, now_ns, pause, yield_now};

pub use patience::{Deadline, Look, Patience, Recheck, Wait};
use patience::{SHORT_NS, nap};
pub use several::wait_at_several;
pub use word::{SharedRecheck, Turn, wait_at_word};

/// What one try of a waiting operation came to.
#[derive(Debug)]
pub enum Attempt<R> {
    /// It is done.
    Ready(R),
    /// Nothing to do yet: sleep until notified.
    Idle,
    /// A member is in the middle of what is waited for: look again within a millisecond, and the longer the same one
    /// is at it the less often.
    Held(MemberId),
}

/// Tries with a spin between before a waiter yields: a few microseconds, about what a wake-up costs.
const SPINS: u32 = 100;
/// Yields before a waiter sleeps.
const YIELDS: u32 = 3;
/// As many notifications in a row that reach nobody make it worth while to ask whether those who wait live.
const UNANSWERED: u32 = 4096;
/// As many of these is a wake-up that reaches nobody worth, because it costs a system call.
const CALL: u32 = 64;

/// What one attachment knows of one event.
pub struct LocalWaiters {
    /// Its threads that wait: the member's bit is set while there is any.
    threads: Mutex<u32>,
    /// Its notifications that reached nobody, since one did; a wake-up counts as [`CALL`].
    unanswered: AtomicU32,
    /// What `sleeps` was before its last wake-up that reached nobody, and one; zero before there was any.
    settled: AtomicU64,
}

impl Default for LocalWaiters {
    fn default() -> Self {
        Self { threads: Mutex::new(0), unanswered: AtomicU32::new(0), settled: AtomicU64::new(0) }
    }
}

impl LocalWaiters {
    /// Counts notifications that reached nobody; whether they are many.
    fn in_vain(&self, worth: u32) -> bool {
        let before = self.unanswered.fetch_add(worth, Relaxed);
        before / UNANSWERED != before.wrapping_add(worth) / UNANSWERED
    }
}

impl fmt::Debug for LocalWaiters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LocalWaiters")
    }
}

/// An event as one member sees it.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    line: &'a EventLine,
    local: &'a LocalWaiters,
    member: MemberId,
    barrier: Barrier,
    /// Whether [`CLOSING`] shares the first word, which then is the only one.
    two_ended: bool,
}

impl<'a> Event<'a> {
    /// The event on `line` of a channel with two ends for `member`, whose threads are counted in `local`.
    ///
    /// # Panics
    ///
    /// When the member's bit is not in the first word: channels of two ends have at most 63 members.
    pub fn new(
        line: &'a EventLine,
        local: &'a LocalWaiters,
        member: MemberId,
        barrier: Barrier,
    ) -> Self {
        assert!(member.index() < 63, "the kind's shape allows 63 members");
        Self { line, local, member, barrier, two_ended: true }
    }

    /// The event on `line` of a channel of many. Those who notify have passed a sequentially consistent
    /// read-modify-write, so a fence is barrier enough.
    ///
    /// # Panics
    ///
    /// When there is no bit for the member.
    pub fn of_many(line: &'a EventLine, local: &'a LocalWaiters, member: MemberId) -> Self {
        assert!(member.index() < 64 * line.waiters.len(), "the kind's shape allows 512 members");
        Self { line, local, member, barrier: Barrier::Fence, two_ended: false }
    }

    /// Wakes up to `count` waiters, if there are any.
    ///
    /// The caller has passed the light barrier since it changed what they wait for. On the paths that count,
    /// the rings read the waiter word themselves and call this only where it is not zero.
    ///
    /// True if many in a row have reached nobody: those who seem to wait may have died, and the caller may want to see to
    /// that.
    #[cold]
    pub fn notify(&self, count: u32) -> bool {
        self.anyone_waits() && self.wake_sleepers(count)
    }

    /// Wakes up to `count` waiters, unless it did so in vain and nobody has been about to sleep since.
    fn wake_sleepers(&self, count: u32) -> bool {
        // ORDERING(sleeps): after the light barrier, as the bits; pairs with the count in `Event::about_to_sleep`: who is
        // in it has read an epoch before the one that is made now.
        let sleeps = u64::from(self.line.sleeps.load(Acquire)) + 1;
        let local = self.local;
        if local.settled.load(Acquire) == sleeps {
            return local.in_vain(1);
        }
        if self.wake(count) {
            return false;
        }
        local.settled.store(sleeps, Release);
        local.in_vain(CALL)
    }

    /// Wakes everybody, whether or not a bit is set: for changes that happen once.
    pub fn notify_all(&self) {
        self.wake(u32::MAX);
    }

    /// Relaxed: the barrier before it orders it against the state that was changed.
    fn anyone_waits(&self) -> bool {
        match &self.line.waiters {
            [first, ..] if self.two_ended => first.load(Relaxed) & !CLOSING != 0,
            words => words.iter().any(|word| word.load(Relaxed) != 0),
        }
    }

    /// Says whether it reached anybody.
    fn wake(&self, count: u32) -> bool {
        // ORDERING(epoch): the change of state comes before it; pairs with the load in `park_until`.
        self.line.epoch.fetch_add(1, SeqCst);
        let answered = self.line.epoch.wake(count) > 0;
        if answered {
            self.local.unanswered.store(0, Relaxed);
        }
        answered
    }

    /// Tries until the attempt is ready or the deadline passes, at least once.
    ///
    /// When the next recheck is due is kept in `recheck` from wait to wait, so that many short waits look as
    /// often as one long one. `more` says whether another waiter would find something to do.
    pub fn wait_until<R>(
        &self,
        patience: Patience,
        recheck: &mut Recheck,
        deadline: Deadline,
        mut attempt: impl FnMut(Look) -> Attempt<R>,
        more: impl Fn() -> bool,
    ) -> Option<R> {
        let overdue = recheck.is_due(patience);
        if let Attempt::Ready(result) = attempt(Look { overdue, ..Look::QUICK }) {
            return Some(result);
        }
        if deadline.has_passed() {
            return None;
        }
        match patience.wait {
            Wait::Spin => return Self::spin_until(patience, recheck, deadline, &mut attempt),
            Wait::SpinThenPark => {
                if let Some(result) = Self::spin_briefly(1, patience, &mut attempt) {
                    return Some(result);
                }
            }
            Wait::Park => {}
        }
        self.park_until(patience, recheck, deadline, attempt, more)
    }

    /// As long at one of several `events` as at one: an attempt takes the longer, the more there are.
    fn spin_briefly<R>(
        events: usize,
        patience: Patience,
        attempt: &mut impl FnMut(Look) -> Attempt<R>,
    ) -> Option<R> {
        let spins = if patience.alone { 0 } else { SPINS / u32::try_from(events.max(1)).ok()? };
        for step in 0..spins + YIELDS {
            if step < spins {
                pause();
            } else {
                yield_now();
            }
            if let Attempt::Ready(result) = attempt(Look::QUICK) {
                return Some(result);
            }
        }
        None
    }

    fn spin_until<R>(
        patience: Patience,
        recheck: &mut Recheck,
        deadline: Deadline,
        attempt: &mut impl FnMut(Look) -> Attempt<R>,
    ) -> Option<R> {
        let mut closer = now_ns().saturating_add(SHORT_NS);
        loop {
            for _ in 0..SPINS {
                if let Attempt::Ready(result) = attempt(Look::QUICK) {
                    return Some(result);
                }
                pause();
            }
            if deadline.has_passed() {
                return None;
            }
            if now_ns() >= closer {
                closer = now_ns().saturating_add(SHORT_NS);
                let overdue = recheck.is_due(patience);
                if let Attempt::Ready(result) = attempt(Look { overdue, last: true }) {
                    return Some(result);
                }
            }
        }
    }

    fn park_until<R>(
        &self,
        patience: Patience,
        recheck: &mut Recheck,
        deadline: Deadline,
        mut attempt: impl FnMut(Look) -> Attempt<R>,
        more: impl Fn() -> bool,
    ) -> Option<R> {
        let _enrolled = Enrolled::new(*self, more);
        let mut held: Option<(MemberId, u64)> = None;
        loop {
            let epoch = self.about_to_sleep();
            // ORDERING(waiters), ORDERING(sleeps): bit and count come before the try; pairs with the light barrier of
            // notifiers.
            let seen_by_all = self.barrier.heavy();
            let asleep_until = match attempt(Look { overdue: recheck.is_due(patience), last: true })
            {
                Attempt::Ready(result) => return Some(result),
                Attempt::Idle if seen_by_all => recheck.0,
                Attempt::Idle => now_ns() + SHORT_NS,
                Attempt::Held(member) => {
                    let now = now_ns();
                    let since = match held {
                        Some((holder, since)) if holder == member => since,
                        _ => now,
                    };
                    held = Some((member, since));
                    now.saturating_add(nap(now - since)).min(recheck.0)
                }
            };
            if deadline.has_passed() {
                return None;
            }
            self.line.epoch.wait(epoch, asleep_until.min(deadline.0));
            // What it was woken for needs no barrier.
            if let Attempt::Ready(result) = attempt(Look::QUICK) {
                return Some(result);
            }
        }
    }

    /// Counts a sleep. Gives the epoch during which it may be; the barrier and a try come between.
    fn about_to_sleep(&self) -> u32 {
        // ORDERING(epoch): read before the try. A notification after this load changes the word, and one before it made
        // its state visible to the try.
        let epoch = self.line.epoch.load(Acquire);
        // ORDERING(sleeps): after the epoch was read; pairs with the load in `wake_sleepers`.
        self.line.sleeps.fetch_add(1, SeqCst);
        epoch
    }

    /// Sets the member's bit, or takes it away; the heavy barrier must follow.
    fn enroll(&self, waits: bool) {
        let word = &self.line.waiters[self.member.index() / 64];
        let bit = 1 << (self.member.index() % 64);
        // ORDERING(waiters): set before the tries, taken away before the look for more, so that a later change
        // finds another waiter, or this one gone.
        if waits {
            word.fetch_or(bit, SeqCst)
        } else {
            word.fetch_and(!bit, SeqCst)
        };
    }
}

/// A thread's registration as a waiter; dropping it, also by panic, takes the bit away and passes the baton.
struct Enrolled<'a, M: Fn() -> bool> {
    event: Event<'a>,
    more: M,
}

impl<'a, M: Fn() -> bool> Enrolled<'a, M> {
    fn new(event: Event<'a>, more: M) -> Self {
        let mut threads =
            event.local.threads.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if *threads == 0 {
            event.enroll(true);
        }
        *threads += 1;
        drop(threads);
        Self { event, more }
    }
}

impl<M: Fn() -> bool> Drop for Enrolled<'_, M> {
    fn drop(&mut self) {
        let local = &self.event.local.threads;
        let mut threads = local.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *threads -= 1;
        if *threads == 0 {
            self.event.enroll(false);
        }
        drop(threads);
        if (self.more)() {
            self.event.notify(1);
        }
    }
}
