//! Cleaning up after the dead: who does it, when, and what came of it.
//!
//! Whoever wants to know of a death asks the kernel: one question while the member lives. Only if it seems to be dead
//! is a verdict taken, which proves itself, and everything that it had is taken back under that proof. Any number of
//! members may do that at once.

use super::{DeadMember, Membership, Verdict, View, liveness_byte};
use crate::error::{ErrorKind, Failure, MemberId};
use crate::layout::{MEMBER_REAPING, MEMBER_UNUSED};
use crate::lock::Fate;
use crate::lock::holder::Holder;
use crate::primitive::AtomicU64;
use crate::primitive::Ordering::{AcqRel, Acquire, Relaxed};
use crate::ring::reap::Reaped;
use crate::segment::Segment;
use crate::sys::lock;

/// What was taken back from members that had died.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recovered {
    /// Members that had died and that nobody had cleaned up after.
    pub members: u64,
    /// Messages of a queue that they had not committed: nobody will see them.
    pub aborted: u64,
    /// Messages of a queue in their hands that will be delivered again.
    pub redelivered: u64,
    /// Messages of a queue in their hands that were dropped, by its policy.
    pub dropped: u64,
}

impl Recovered {
    /// What taking back `reaped` from `members` members came to.
    pub(super) fn of(members: u64, Reaped { aborted, redelivered, dropped }: Reaped) -> Self {
        Self { members, aborted, redelivered, dropped }
    }

    fn add(&mut self, other: Self) {
        self.members += other.members;
        self.aborted += other.aborted;
        self.redelivered += other.redelivered;
        self.dropped += other.dropped;
    }
}

/// What happened in a channel since it was made, as far as its members have counted it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// Dead members that were cleaned up after.
    pub recoveries: u64,
    /// Times that a receiver claimed a message of a queue which somebody may have seen before.
    pub redeliveries: u64,
    /// Claims that their senders had not committed when they died.
    pub aborted: u64,
    /// Messages that were in the hands of the dead and dropped, by the queue's policy.
    pub dropped: u64,
    /// Messages that went to the dead letters.
    pub dead_letters: u64,
}

impl Membership {
    /// How often this member's number was taken, its own time included: with the number it names the member for good.
    pub fn incarnation(&self) -> u64 {
        self.segment.record(self.id).incarnation.load(Relaxed)
    }

    /// What became of `holder` of a lock. If it lives this costs one question to the kernel. Whoever asks has acquired a word
    /// that it wrote.
    pub fn fate(&self, holder: Holder) -> Fate {
        let member = holder.member();
        if member.index() >= self.segment.shape().max_members as usize {
            return Fate::Impossible;
        }
        let record = self.segment.record(member);
        // ORDERING(member): whoever took the number since has put the record in order first.
        let state = record.state.load(Acquire);
        if Holder::new(member, record.incarnation.load(Relaxed)) != holder.member_only() {
            return Fate::Dead;
        }
        if member == self.id {
            return Fate::Lives;
        }
        // A record is marked so of the dead only.
        if matches!(state, MEMBER_UNUSED | MEMBER_REAPING) {
            return Fate::Dead;
        }
        let hint = lock::is_held_elsewhere(self.segment.probe(), liveness_byte(member));
        if matches!(hint, Ok(true)) {
            return Fate::Lives;
        }
        match self.verdict(member) {
            Verdict::Dead(_) => Fate::Dead,
            Verdict::Unknown if self.is_blind() => Fate::Unseen,
            Verdict::Alive | Verdict::Unknown => Fate::Lives,
        }
    }

    /// Takes back what `member` left behind if it is dead, and says whether there was anything to do. If it lives that costs
    /// one question to the kernel.
    pub fn bury(&self, member: MemberId) -> bool {
        self.bury_and_count(member).is_some()
    }

    fn bury_and_count(&self, member: MemberId) -> Option<Recovered> {
        if member == self.id || member.index() >= self.segment.shape().max_members as usize {
            return None;
        }
        // ORDERING(member): as in `take_number`. Who left, or was cleaned up after, has left nothing: to do it again would
        // wake everybody for nothing, the caller too, who then might come back at once.
        if self.segment.record(member).state.load(Acquire) == MEMBER_UNUSED {
            return None;
        }
        // A hint. If the question fails, the verdict finds out why.
        let hint = lock::is_held_elsewhere(self.segment.probe(), liveness_byte(member));
        if matches!(hint, Ok(true)) {
            return None;
        }
        match self.verdict(member) {
            Verdict::Dead(dead) => self.reap(&dead),
            Verdict::Alive | Verdict::Unknown => None,
        }
    }

    /// Takes back what a dead member left behind. Nothing if it cannot: then that is still to be done.
    fn reap(&self, dead: &DeadMember) -> Option<Recovered> {
        // Before what the record says of it: its messages come again before its side is deserted.
        let mut reaped = self.annexes.reap(&self.segment, dead.id).ok()?;
        reaped.add(self.segment.take_back(dead.id, self.id));
        if self.segment.slab().is_some_and(|slab| slab.trim(self.id) > 0) {
            // Who looked for a block meanwhile did not find what was being trimmed.
            self.segment.wake_everybody();
        }
        self.annexes.clean_up(&self.segment);
        let state = &self.segment.record(dead.id).state;
        let mut recovered = Recovered::of(0, reaped);
        // Once more, on the description that the verdict was taken through.
        if matches!(self.shows_us(&dead.view), Ok(true)) {
            // ORDERING(member): what was taken back is; pairs with the Acquire in `take_number`. Of several who
            // reap, one counts the member.
            let last = state.compare_exchange(MEMBER_REAPING, MEMBER_UNUSED, AcqRel, Acquire);
            recovered.members = u64::from(last.is_ok());
        }
        self.segment.note(self.id, recovered);
        Some(recovered)
    }

    /// Takes back what other members left behind that are dead.
    pub fn bury_dead(&self) -> Recovered {
        let mut recovered = Recovered::default();
        for member in self.segment.member_ids() {
            recovered.add(self.bury_and_count(member).unwrap_or_default());
        }
        recovered
    }

    /// As [`bury_dead`](Self::bury_dead), for a user who asks.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Os`] where this process cannot see who lives.
    pub fn recover(&self) -> Result<Recovered, Failure> {
        if self.segment.is_inherited() || matches!(self.view(), View::Lost | View::Unavailable) {
            return Err(ErrorKind::Os.into());
        }
        Ok(self.bury_dead())
    }

    /// What all members counted.
    pub fn statistics(&self) -> Statistics {
        if self.segment.is_inherited() {
            return Statistics::default();
        }
        let mut all = Statistics::default();
        for counters in self.segment.member_ids().map(|member| self.segment.counters(member)) {
            let add = |sum: &mut u64, counter: &AtomicU64| {
                *sum = sum.saturating_add(counter.load(Relaxed));
            };
            add(&mut all.recoveries, &counters.recoveries);
            add(&mut all.redeliveries, &counters.redeliveries);
            add(&mut all.aborted, &counters.aborted);
            add(&mut all.dropped, &counters.dropped);
            add(&mut all.dead_letters, &counters.dead_letters);
        }
        all
    }
}

impl Segment {
    /// Counts what `member` took back. Relaxed: for people.
    pub(super) fn note(&self, member: MemberId, recovered: Recovered) {
        let counters = self.counters(member);
        counters.recoveries.fetch_add(recovered.members, Relaxed);
        counters.aborted.fetch_add(recovered.aborted, Relaxed);
        counters.dropped.fetch_add(recovered.dropped, Relaxed);
    }
}
