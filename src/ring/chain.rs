//! A queue of several rings: one behind the other, each closed before the next is used.
//!
//! Segments of a chain have numbers, *generations*, that only grow. One word says which are in the chain: `first`, which
//! receivers drain, to `last`, which senders fill. The *anchor* is the segment that has the queue's name and this word; it is in
//! the chain at first, is out of it while later ones are, and comes back under a new generation once they are drained.
//!
//! **Change.** One at a time changes the chain (`Links::alone`: a lock that goes with its holder's life), in steps of which
//! each leaves the chain whole:
//!
//! - *append*: 1. the segment is made. 2. The word names it as the last, *unsettled*. 3. The one before is shut. 4. Settled.
//! - *come home*: the same with the anchor, which is opened again between 3 and 4.
//! - *pass*: the first is shut, drained, and nothing of it is in anybody's hands: the word leaves it out; then it is removed.
//!
//! Whoever meets an unsettled word makes it settled. So whoever fills a ring knows that the one before is shut: what is
//! accepted later is received later. A claim made by an old word's leave is refused if the ring was shut since, and is in
//! order if it was not.
//!
//! **Closing** for good is a bit of the word; the last ring is shut after it. Rings of a chain have no flag of their own
//! (`GateLine::closed`), by which a belated helper could shut the anchor after it was opened again.
//!
//! Left to others: files, limits (`member`), waiting (`channel`).

mod standing;
mod word;

use super::Corruption;
use super::mpmc::{Dry, Refusal, Ring};
use super::word::{CursorWord, RedeliverWord, after};
use crate::error::MemberId;
use crate::layout::QueueHeader;
use crate::primitive::Ordering::{Acquire, Relaxed, SeqCst};
use crate::primitive::{AtomicU64, ContestedU64, Message};
use word::CLOSED;

pub use standing::Standing;
pub use word::ChainWord;

/// How a ring of a chain stands to those who found nothing in it.
enum Ending {
    /// More may come.
    Open,
    /// That member has claimed what comes next.
    Busy(MemberId),
    /// Something was put back: look again.
    Again,
    /// It is shut, and all of it was taken.
    Exhausted,
}

impl QueueHeader {
    /// As [`Ring::shut`], before anybody else knows of it.
    pub fn shut(&self) {
        self.tail.tail.store(CursorWord::CLOSED, Relaxed);
    }
}

/// What chains ask of a ring.
impl<M: Message + ?Sized> Ring<'_, M> {
    /// Nothing more is claimed to be filled.
    pub fn shut(&self) {
        // ORDERING(tail): in one order with the claims: those before it are accepted, those after it fail.
        self.header.tail.tail.fetch_or(CursorWord::CLOSED, SeqCst);
    }

    /// Undoes [`shut`](Self::shut). One at a time.
    fn reopen(&self) {
        let tail = &self.header.tail.tail;
        // ORDERING(tail): while it is shut no claim changes it.
        let seen = tail.load(Acquire);
        let open = seen & !CursorWord::CLOSED;
        // ORDERING(tail): Release: who claims here sees that the ring before is shut. It fails only if it is open already.
        let _ = tail.compare_exchange(seen | CursorWord::CLOSED, open, SeqCst, Relaxed);
    }

    fn ending(&self) -> Result<Ending, Corruption> {
        // ORDERING(claims): the tail first: once it is shut it stays.
        let tail = CursorWord(self.header.tail.tail.load(SeqCst));
        if !tail.is_closed() {
            return Ok(Ending::Open);
        }
        let head = CursorWord(self.header.head.head.load(SeqCst));
        let again = RedeliverWord(self.header.head.redeliver.load(SeqCst));
        Ok(match () {
            () if again.is_pending() => Ending::Again,
            () if tail.position() != head.position() => Ending::Busy(self.member(tail.member())?),
            () => Ending::Exhausted,
        })
    }

    /// Whether every slot is vacant for the next claims: nothing is there, and nothing in anybody's hands.
    pub fn is_idle(&self) -> bool {
        // ORDERING(tail), ORDERING(vacant): as in `claim_vacant`.
        let tail = CursorWord(self.header.tail.tail.load(Acquire)).position();
        let is_vacant = |count| {
            let position = after(tail, count);
            self.word(position).load(Acquire) == self.geometry.vacant(position).0
        };
        let head = CursorWord(self.header.head.head.load(Relaxed)).position();
        // What was used last comes first: of that something may be in somebody's hands.
        head == tail && (0..self.capacity()).rev().all(is_vacant)
    }
}

/// A claim, or whatever else was done in a ring of a chain, and that ring; or why not.
pub type Done<R, L, E> = Result<(R, L), E>;

/// The same of a sender, with what the chain was when it was refused.
pub type Filled<R, L> = Done<R, L, (Refusal, ChainWord)>;

/// So many turns of the chain, or of what is in it, one operation bears.
pub const TURNS: usize = 10_000;

/// The segments of a chain.
pub trait Links<M: Message + ?Sized> {
    /// One of them, which stays mapped while this is there.
    type Link;
    /// What can be wrong.
    type Trouble: From<Corruption>;

    /// The chain's word.
    fn word(&self) -> &ContestedU64;

    /// The generation that is being made or removed: whose file may be there although the chain has it not. Zero for none.
    fn leaving(&self) -> &AtomicU64;

    /// The segment that `seen` has as `generation`; nothing if it is not there.
    fn link(&self, seen: ChainWord, generation: u64) -> Result<Option<Self::Link>, Self::Trouble>;

    /// The ring in it.
    fn ring<'l>(&'l self, link: &'l Self::Link) -> Ring<'l, M>;

    /// Removes the segment `generation`, which is not the anchor's. It need not be there.
    fn discard(&self, generation: u64);

    /// Runs `act` while nobody else changes the chain. Nothing if somebody is at it.
    fn alone<R>(&self, act: impl FnOnce() -> R) -> Option<R>;

    /// The chain as it is now.
    fn look(&self) -> Result<ChainWord, Self::Trouble> {
        // ORDERING(chain): what was done to the segments before it is visible; in one order with waiters.
        let seen = ChainWord(self.word().load(SeqCst));
        if seen.is_possible() { Ok(seen) } else { Err(Corruption::Chain.into()) }
    }

    /// The segment `generation`; nothing if the chain is not as `seen` any more.
    fn find(&self, seen: ChainWord, generation: u64) -> Result<Option<Self::Link>, Self::Trouble> {
        match self.link(seen, generation)? {
            None if self.look()? == seen => Err(Corruption::Chain.into()),
            found => Ok(found),
        }
    }

    /// Does `operation` in the ring that senders fill. If that is refused, says what the chain was then.
    fn fill<R>(
        &self,
        mut operation: impl FnMut(&Ring<'_, M>) -> Result<R, Refusal>,
    ) -> Result<Filled<R, Self::Link>, Self::Trouble> {
        for _ in 0..TURNS {
            let seen = self.look()?;
            if seen.is_closed() {
                return Ok(Err((Refusal::Closed, seen)));
            }
            if seen.is_unsettled() {
                if self.settle()? {
                    continue;
                }
                return Ok(Err((Refusal::Full, seen)));
            }
            let Some(link) = self.find(seen, seen.last())? else { continue };
            let refusal = match operation(&self.ring(&link)) {
                Ok(done) => return Ok(Ok((done, link))),
                Err(refusal) => refusal,
            };
            // Refused by a ring that is not the last any more, or not even there.
            if self.look()? != seen {
                continue;
            }
            return match refusal {
                Refusal::Corrupt(what) => Err(what.into()),
                Refusal::Closed => Err(Corruption::Chain.into()),
                refusal => Ok(Err((refusal, seen))),
            };
        }
        Err(Corruption::Restless.into())
    }

    /// Does `operation` in the first ring that has a message for it.
    fn take<R>(
        &self,
        mut operation: impl FnMut(&Self::Link, &Ring<'_, M>) -> Result<R, Dry>,
    ) -> Result<Done<R, Self::Link, Dry>, Self::Trouble> {
        let (mut seen, mut generation) = (self.look()?, None);
        for _ in 0..TURNS {
            let now = generation.unwrap_or(seen.first());
            if let Some(link) = self.find(seen, now)? {
                let standing = seen.is_anchor(now).then(|| Standing::new(self.word(), now));
                let ring = self.ring(&link).with_standing(standing);
                match operation(&link, &ring) {
                    Ok(done) => return Ok(Ok((done, link))),
                    // It has come home meanwhile: what it has is not the next.
                    Err(Dry::Empty) if !ring.stands() => {
                        (seen, generation) = (self.look()?, None);
                        continue;
                    }
                    Err(Dry::Empty | Dry::Drained) => {}
                    // Of a ring that is there no more this says nothing.
                    Err(Dry::Corrupt(_)) if self.look()?.first() > now => {
                        (seen, generation) = (self.look()?, None);
                        continue;
                    }
                    Err(Dry::Corrupt(what)) => return Err(what.into()),
                    Err(dry) => return Ok(Err(dry)),
                }
                match self.beyond(seen, now, &ring)? {
                    Ok(next) if next.is_some() => {
                        generation = next;
                        continue;
                    }
                    Ok(_) => {}
                    Err(dry) => return Ok(Err(dry)),
                }
            }
            (seen, generation) = (self.look()?, None);
        }
        Err(Corruption::Restless.into())
    }

    /// `ring`, of `generation`, has no message: which to look at next; none to begin anew. Or that there is no message.
    fn beyond(
        &self,
        seen: ChainWord,
        generation: u64,
        ring: &Ring<'_, M>,
    ) -> Result<Result<Option<u64>, Dry>, Self::Trouble> {
        let is_last = generation == seen.last();
        match ring.ending()? {
            Ending::Again => Ok(Ok(Some(generation))),
            Ending::Busy(member) => Ok(Err(Dry::Busy(member))),
            Ending::Exhausted if !is_last => {
                let passed = generation == seen.first() && ring.is_idle() && self.pass()?;
                Ok(Ok((!passed).then_some(generation + 1)))
            }
            _ if self.look()? != seen => Ok(Ok(None)),
            // Who settles it decides whether anything more can come; if somebody is at it, nothing has.
            _ if seen.is_unsettled() => Ok(if self.settle()? { Ok(None) } else { Err(Dry::Empty) }),
            Ending::Exhausted if seen.is_closed() => Ok(Err(Dry::Drained)),
            Ending::Open if seen.is_closed() && is_last => {
                ring.shut();
                Ok(Ok(Some(generation)))
            }
            // Nobody else may come to see that nothing is left: aborted slots are not acknowledged.
            Ending::Open if is_last => {
                let went = seen.is_away() && ring.is_idle() && self.go_home(seen)?;
                Ok(if went { Ok(None) } else { Err(Dry::Empty) })
            }
            Ending::Open | Ending::Exhausted => Err(Corruption::Chain.into()),
        }
    }

    /// Has all but the last ring shut. False if somebody else is changing the chain.
    fn settle(&self) -> Result<bool, Self::Trouble> {
        self.alone(|| self.settle_alone()).map_or(Ok(false), |settled| settled.map(|()| true))
    }

    /// 3 and 4 of a change.
    fn settle_alone(&self) -> Result<(), Self::Trouble> {
        for _ in 0..TURNS {
            let seen = self.look()?;
            if !seen.is_unsettled() {
                return Ok(());
            }
            let (before, last) = (seen.last() - 1, seen.last());
            let (Some(before), Some(link)) = (self.find(seen, before)?, self.find(seen, last)?)
            else {
                continue;
            };
            self.ring(&before).shut();
            match &self.ring(&link) {
                ring if seen.is_closed() => ring.shut(),
                ring if seen.is_anchor(last) => ring.reopen(),
                _ => {}
            }
            // ORDERING(chain): whoever sees it settled sees what is shut. It fails only if somebody closed the queue.
            let _ = self.word().compare_exchange(seen.0, seen.settled().0, SeqCst, Relaxed);
        }
        Err(Corruption::Restless.into())
    }

    /// Appends a segment if the chain is still as `seen`: `make` makes it, or says that there is to be none. True if the
    /// chain is another now. The caller is [`alone`](Self::alone).
    fn append(
        &self,
        seen: ChainWord,
        make: impl FnOnce(u64) -> Result<bool, Self::Trouble>,
    ) -> Result<bool, Self::Trouble> {
        self.clean_up()?;
        self.settle_alone()?;
        if self.look()? != seen {
            return Ok(true);
        }
        let Some(next) = seen.appended() else { return Ok(false) };
        // Who dies between making it and the swap leaves a segment that is not in the chain.
        self.leaving().store(next.last(), SeqCst);
        match make(next.last()) {
            Ok(true) => {}
            not_made => {
                self.leaving().store(0, SeqCst);
                return not_made;
            }
        }
        // ORDERING(chain): the segment is complete.
        if self.word().compare_exchange(seen.0, next.0, SeqCst, Relaxed).is_err() {
            self.discard(next.last());
            self.leaving().store(0, SeqCst);
            return Ok(true);
        }
        self.leaving().store(0, SeqCst);
        self.settle_alone().map(|()| true)
    }

    /// Takes the first segment out of the chain if nothing of it is left. False if it stays.
    fn pass(&self) -> Result<bool, Self::Trouble> {
        self.alone(|| self.pass_alone()).unwrap_or(Ok(false))
    }

    /// The same for who is alone.
    fn pass_alone(&self) -> Result<bool, Self::Trouble> {
        self.clean_up()?;
        self.settle_alone()?;
        let seen = self.look()?;
        let first = seen.first();
        if seen.ahead() == 0 {
            return Ok(false);
        }
        let Some(link) = self.find(seen, first)? else { return Ok(true) };
        let ring = self.ring(&link);
        if !(ring.is_closed() && ring.is_idle()) {
            return Ok(false);
        }
        let is_annex = !seen.is_anchor(first);
        if is_annex {
            self.leaving().store(first, SeqCst);
        }
        // ORDERING(chain): in one order with waiters. It fails only if somebody closed the queue, which is once.
        let swap = |seen: u64, passed: ChainWord| {
            self.word().compare_exchange(seen, passed.0, SeqCst, Relaxed).is_ok()
        };
        let closed = ChainWord(seen.0 | CLOSED);
        if !swap(seen.0, seen.passed()) && !swap(closed.0, closed.passed()) {
            return Err(Corruption::Chain.into());
        }
        if is_annex {
            self.discard(first);
            self.leaving().store(0, SeqCst);
        }
        Ok(true)
    }

    /// Removes what somebody who died had taken out of the chain, or had not put into it yet.
    fn clean_up(&self) -> Result<(), Self::Trouble> {
        let (leaving, seen) = (self.leaving().load(SeqCst), self.look()?);
        if leaving != 0 {
            if !(seen.first()..=seen.last()).contains(&leaving) {
                self.discard(leaving);
            }
            self.leaving().store(0, SeqCst);
        }
        Ok(())
    }

    /// A message of `link` was done with: if nothing of that segment is left it goes, and the last one makes room for the
    /// anchor. True if the chain is another now.
    fn tidy(&self, link: &Self::Link, generation: u64) -> Result<bool, Self::Trouble> {
        let (ring, seen) = (self.ring(link), self.look()?);
        let is_only = seen.is_away() && !seen.is_closed();
        if generation != seen.first() || !(is_only || seen.ahead() > 0) || !ring.is_idle() {
            return Ok(false);
        }
        if is_only { self.go_home(seen) } else { self.pass() }
    }

    /// Leaves the last segment, which is the only one and idle, as `seen` says, for the anchor. True if the chain is another
    /// now.
    fn go_home(&self, seen: ChainWord) -> Result<bool, Self::Trouble> {
        let go = || Ok(self.come_home(seen)? && self.pass_alone().map(|_| true)?);
        self.alone(go).unwrap_or(Ok(false))
    }

    /// Puts the anchor behind the last segment, which is the only one, as `seen` says.
    fn come_home(&self, seen: ChainWord) -> Result<bool, Self::Trouble> {
        self.clean_up()?;
        let Some(next) = seen.returning() else { return Ok(false) };
        // ORDERING(chain): as in `append`. It fails if the chain is another by now.
        if self.word().compare_exchange(seen.0, next.0, SeqCst, Relaxed).is_err() {
            return Ok(false);
        }
        self.settle_alone().map(|()| true)
    }

    /// Closes the queue for good. The caller wakes everybody.
    fn close(&self) -> Result<(), Self::Trouble> {
        // ORDERING(chain): nobody appends after it; who finds the last ring open shuts it.
        self.word().fetch_or(CLOSED, SeqCst);
        let seen = self.look()?;
        if !seen.is_unsettled()
            && let Some(last) = self.find(seen, seen.last())?
        {
            self.ring(&last).shut();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
