//! What members leave in a segment: taken back once they are dead, and the name once none is left.

use std::fs::File;

use super::annexes::remove_all;
use super::liveness_byte;
use crate::error::{Failure, MemberId};
use crate::inspect::Trust;
use crate::layout::{FLAG_REMOVE_WHEN_UNUSED, MEMBER_REAPING, MEMBER_UNUSED, REMOVED};
use crate::name::{Address, unlink};
use crate::primitive::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use crate::ring::cursor::EndWord;
use crate::ring::mpmc::Ring;
use crate::ring::reap::{DeliveryPolicy, Reaped, reap_all, reap_blocks};
use crate::ring::slab::Slab;
use crate::segment::Segment;
use crate::sys::{fork, lock};

impl Segment {
    /// Says that the record of a member whose number was taken over is being put in order: who finds an end
    /// owned by it waits for that.
    pub(super) fn mark_taken(&self, member: MemberId) {
        let state = &self.record(member).state;
        // ORDERING(member): nobody else changes it while the byte is held alone; Release pairs with the
        // Acquire in `claim_end`.
        if state.load(Acquire) != MEMBER_UNUSED {
            state.store(MEMBER_REAPING, Release);
        }
    }

    /// Frees all that `member`, which can never act again, had taken: waiter bits, and ends or claims, blocks and roles.
    /// Doing it again, also half-way, changes nothing. Blocks are those of `by` on the way.
    pub(super) fn take_back(&self, member: MemberId, by: MemberId) -> Reaped {
        let mut reaped = Reaped::default();
        let state = &self.record(member).state;
        let seen = state.load(Relaxed);
        if seen != MEMBER_UNUSED {
            // It fails if somebody else has just finished, and then stays so.
            let _ = state.compare_exchange(seen, MEMBER_REAPING, Relaxed, Relaxed);
        }
        for event in self.events() {
            // ORDERING(waiters): as in `event.rs`; others' bits in the word stay as they are.
            event.waiters[member.index() / 64].fetch_and(!(1 << (member.index() % 64)), SeqCst);
        }
        if self.shape().kind.is_queue() {
            let delivery = DeliveryPolicy::of(self.shape().delivery);
            let delivery = delivery.expect("checked when it was opened");
            let slab = self.slab();
            let rings: Vec<_> = self.rings(slab.as_ref()).collect();
            reaped.add(reap_all(&rings, member, delivery));
            reap_blocks(&rings, member, by);
            self.forget_roles(member);
        } else {
            (0..self.ends().words.len()).for_each(|number| self.vacate(number, member, true));
        }
        self.wake_everybody();
        reaped
    }

    /// The rings of a queue, whatever its messages are.
    pub(super) fn rings<'a>(
        &'a self,
        slab: Option<&'a Slab<'a>>,
    ) -> impl Iterator<Item = Ring<'a, [u8]>> {
        let members = self.shape().max_members;
        (0..self.shape().rings()).map(move |number| {
            let ring = Ring::new(self.queue_header(number), self.slots(number), members);
            ring.with_slab(slab, number == 1)
        })
    }

    /// Tells `note` the owner of each slot of a queue that is in somebody's hands. Others go on meanwhile.
    pub(super) fn each_claim(&self, mut note: impl FnMut(MemberId)) {
        if self.shape().kind.is_queue() {
            self.rings(None).for_each(|ring| ring.each_claim(&mut note));
        }
    }

    /// Wakes every waiter: for changes that concern all and happen once.
    pub(super) fn wake_everybody(&self) {
        for event in self.events() {
            // ORDERING(epoch): as in `event.rs`.
            event.epoch.fetch_add(1, SeqCst);
            event.epoch.wake(u32::MAX);
        }
    }

    /// Gives end `number` up if `member` owns it, which has died or left what the dead had in hand if `died`.
    pub(super) fn vacate(&self, number: usize, member: MemberId, died: bool) {
        let word = &self.ends().words[number];
        // ORDERING(ends): as in `claim_end`.
        let seen = EndWord::from_bits(word.load(Acquire));
        if seen.owner() == Some(member) {
            // ORDERING(ends): Release pairs with the Acquire in `is_deserted`. It fails only if another
            // helper of the same dead member was first.
            let _ = word.compare_exchange(seen.bits(), seen.vacated(died).bits(), AcqRel, Relaxed);
        }
    }

    /// How many members live, and how many left a record without.
    ///
    /// `view` is a description of the segment's file that is known to be one.
    pub fn census(&self, view: &File) -> Result<(u32, u32), Failure> {
        let (mut alive, mut dead) = (0, 0);
        for id in self.member_ids() {
            // ORDERING(attaches): SeqCst against the store of one who leaves.
            if self.record(id).state.load(SeqCst) == MEMBER_UNUSED {
                continue;
            }
            let held = lock::is_held_elsewhere(view, liveness_byte(id))?;
            *if held { &mut alive } else { &mut dead } += 1;
        }
        Ok((alive, dead))
    }

    /// Whether nobody is left and nobody can come: its name is not its own any more.
    pub(super) fn is_forgotten(&self, view: &File, home: &Address) -> bool {
        !self.identity().is_at(home.path()) && matches!(self.census(view), Ok((0, _)))
    }

    /// Removes its name, which nobody uses any more, and all that belongs to it.
    pub(super) fn remove_name(&self, address: &Address) -> Result<(), Failure> {
        remove_all(self, address);
        unlink(self.probe(), address.path())
    }

    /// Whether the name should have gone with its last member, and nobody is left.
    ///
    /// If so the segment is marked: who joins from now on finds the mark and goes elsewhere, and who joined
    /// since the members were counted changed the count of attachments, so that the mark is not made.
    pub fn is_abandoned(&self, view: &File) -> Result<bool, Failure> {
        if self.shape().flags & FLAG_REMOVE_WHEN_UNUSED == 0 {
            return Ok(false);
        }
        let attaches = &self.control().attaches;
        loop {
            // ORDERING(attaches): an attachment takes its lock and its record before it counts itself here.
            let seen = attaches.load(SeqCst);
            if seen & REMOVED != 0 {
                return Ok(true);
            }
            if self.census(view)?.0 > 0 {
                return Ok(false);
            }
            // ORDERING(attaches): fails if anybody counted itself since; pairs with the one in `open`.
            if attaches.compare_exchange(seen, seen | REMOVED, SeqCst, SeqCst).is_ok() {
                return Ok(true);
            }
        }
    }
}

/// How many members of the segment at `address` live and how many died; `None` if it has just gone.
///
/// A segment that should have gone with its last member is removed on the way.
pub fn survey(address: &Address, trust: &Trust) -> Result<Option<(u32, u32)>, Failure> {
    let _guard = fork::guard();
    let (segment, _file) = Segment::open_any(address.path(), trust)?;
    if segment.is_abandoned(segment.probe())? {
        segment.remove_name(address)?;
        return Ok(None);
    }
    segment.census(segment.probe()).map(Some)
}
