//! How long, how often and how closely: what a wait goes by.

use std::time::Duration;

use crate::primitive::now_ns;

/// The longest sleep while somebody is in the middle, or where the barrier could not be had.
pub(super) const SHORT_NS: u64 = 1_000_000;

/// Of a nap for a member that is in the middle: by which part of the time that it has been there already. So who waits for
/// one that dies there learns of it soon after, and one that stays there for long costs little.
const NAP_PART: u64 = 8;

/// How a blocked call waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wait {
    /// Never gives the processor away: the lowest latency, a whole processor's cost.
    Spin,
    /// Spins for a few microseconds, yields a few times, then sleeps.
    #[default]
    SpinThenPark,
    /// Sleeps at once.
    Park,
}

/// When an attempt is made.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// A recheck is due: time to see whether those waited for live.
    pub overdue: bool,
    /// The thread is enrolled, and sleeps if this attempt finds nothing; or it spins, and did so for a millisecond since
    /// the last of these. So there is time for a closer look.
    pub last: bool,
}

impl Look {
    /// In between, while it is not worth the time to look closely.
    pub(super) const QUICK: Look = Look { overdue: false, last: false };
}

/// A point on the monotonic clock, or never.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline(pub(super) u64);

impl Deadline {
    /// It never comes.
    pub const NEVER: Deadline = Deadline(u64::MAX);

    /// The point `timeout` from now; one too far to express is never.
    pub fn after(timeout: Duration) -> Self {
        let nanos = u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX);
        Self(now_ns().saturating_add(nanos))
    }

    /// Whether it has come.
    pub(super) fn has_passed(self) -> bool {
        self != Self::NEVER && now_ns() >= self.0
    }
}

/// How a handle waits: strategy, and how long a sleep may last.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Spin or sleep.
    pub wait: Wait,
    /// The longest sleep without a look.
    pub recheck_ns: u64,
    /// There is one processor only, so that nothing happens while this side spins.
    pub alone: bool,
}

/// When the next recheck is due on the monotonic clock; zero before the first wait.
#[derive(Clone, Copy, Debug, Default)]
pub struct Recheck(pub(super) u64);

impl Recheck {
    /// As [`is_due`](Self::is_due), to one who may not come again: the first is due as well.
    pub fn is_due_or_first(&mut self, patience: Patience) -> bool {
        let is_first = self.0 == 0;
        self.is_due(patience) || is_first
    }

    /// Whether a recheck is due; then the next is due an interval from now.
    pub fn is_due(&mut self, patience: Patience) -> bool {
        let now = now_ns();
        let due = self.0 != 0 && now >= self.0;
        if due || self.0 == 0 {
            self.0 = now.saturating_add(patience.recheck_ns);
        }
        due
    }
}

/// How long to sleep while somebody has been in the middle for `ns`.
pub(super) fn nap(ns: u64) -> u64 {
    SHORT_NS.max(ns / NAP_PART)
}
