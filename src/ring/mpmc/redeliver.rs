//! Messages that were claimed and not acknowledged: put back, and taken again.
//!
//! A message is put back in two steps: its slot becomes REDELIVER, and the redelivery word gets a new generation and
//! its pending bit. Who is killed in between has left the first to be found by who reaps it. Who takes messages again
//! looks through the slots, and only if none was in REDELIVER takes the bit off the very word that it began with: if
//! anything was put back meanwhile, the generation is another and the bit stays.

use super::super::word::{CursorWord, RedeliverWord, SlotWord, State, after, before};
use super::take::{ConsumerSide, Taken};
use super::{Attempts, Ring};
use crate::primitive::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use crate::primitive::passed_rmw;
use crate::primitive::{Message, Mutex};

/// What a process knows of messages to deliver again, for all its handles.
///
/// It spares them looking through the whole ring for every single message.
#[derive(Debug, Default)]
pub struct Sweeper(Mutex<Sweep>);

/// How far somebody has looked: with the redelivery word as in `word`, everything before `next` was seen not to be
/// in REDELIVER. With another word it says nothing.
#[derive(Clone, Copy, Debug, Default)]
struct Sweep {
    word: u64,
    next: u64,
}

impl<M: Message + ?Sized> Ring<'_, M> {
    /// Claims the first message that was put back, if there is one.
    #[cold]
    pub(super) fn take_again(&self, side: &ConsumerSide) -> Option<(u64, SlotWord)> {
        // ORDERING(redeliver): what was put back before it is visible, slots and head.
        let seen = RedeliverWord(self.header.head.redeliver.load(Acquire));
        if !seen.is_pending() {
            return None;
        }
        // ORDERING(head): everything in REDELIVER lies within one capacity before it.
        let head = CursorWord(self.header.head.head.load(Acquire)).position();
        // Another thread may be at it: then look through all.
        let mut sweep = side.sweeper.0.try_lock().ok();
        let known = sweep.as_ref().filter(|sweep| sweep.word == seen.0);
        let left = known.map_or(self.capacity(), |sweep| self.geometry.ahead(head, sweep.next));
        for distance in (1..=left).rev() {
            let position = before(head, distance);
            // ORDERING(redeliver): the message is as its last reader found it.
            let word = SlotWord(self.word(position).load(Acquire));
            if word.state() != Some(State::Redeliver) || !self.geometry.is_current(word, position) {
                continue;
            }
            let claimed = word.claimed_again(side.member.0);
            // ORDERING(stamp): one of those who look gets it.
            if self.word(position).compare_exchange(word.0, claimed.0, AcqRel, Relaxed).is_ok() {
                if let Some(sweep) = &mut sweep {
                    **sweep = Sweep { word: seen.0, next: after(position, 1) };
                }
                return Some((position, claimed));
            }
        }
        // ORDERING(redeliver): only off the word that it began with. Failing, there is something new.
        let word = &self.header.head.redeliver;
        let _ = word.compare_exchange(seen.0, seen.cleared().0, AcqRel, Relaxed);
        None
    }

    /// Puts a message back that nobody acknowledged, to be delivered again, flagged if `seen`. The caller then asks
    /// whether consumers wait.
    pub fn put_back(&self, sweeper: &Sweeper, claim: Taken, seen: bool) {
        let position = self.position_of(&claim);
        self.assert_edge(self.geometry.index(position), &[claim.word]);
        let word = if seen { claim.word.put_back() } else { claim.word.put_back_unseen() };
        // ORDERING(redeliver): its reader is done with it.
        self.word(position).store(word.0, Release);
        let before = self.announce();
        // All that was put back before was taken again if the bit was off: only this one is there.
        if let Ok(mut sweep) = sweeper.0.try_lock() {
            let next = match before.is_pending() {
                true if sweep.word != before.0 => return,
                true => self.earlier(sweep.next, position),
                false => position,
            };
            *sweep = Sweep { word: before.raised().0, next };
        }
    }

    /// Says that something is in REDELIVER. Gives the word as it was before.
    ///
    /// If somebody changes the word without end, the bit is set all the same, whatever generation comes of it.
    pub(in crate::ring) fn announce(&self) -> RedeliverWord {
        let word = &self.header.head.redeliver;
        let mut attempts = Attempts::default();
        let mut seen = RedeliverWord(word.load(Relaxed));
        loop {
            // ORDERING(redeliver): the slot comes before it. ORDERING(claims): in one order with waiters.
            match word.compare_exchange(seen.0, seen.raised().0, SeqCst, Relaxed) {
                Ok(_) => {
                    passed_rmw();
                    return seen;
                }
                Err(now) => seen = RedeliverWord(now),
            }
            if attempts.lose().is_err() {
                return RedeliverWord(word.fetch_or(1, SeqCst));
            }
        }
    }

    /// The earlier of two positions that lie within one capacity.
    fn earlier(&self, one: u64, other: u64) -> u64 {
        if before(one, other) <= self.capacity() { other } else { one }
    }
}
