//! What a member that died left behind in a ring between many, taken back.
//!
//! The caller has proof that the member can store no more, and that nobody is given its number meanwhile. Each step is
//! a compare-and-swap on the exact word that was seen, so any number of reapers may be anywhere in it, a step may be
//! done twice, and a reaper that dies half-way is replaced by one that begins at the beginning.

use super::mpmc::Ring;
use super::word::{CursorWord, SlotWord, State, before};
use crate::error::MemberId;
use crate::layout::{DELIVERY_AT_LEAST_ONCE, DELIVERY_AT_MOST_ONCE};
use crate::primitive::Message;
use crate::primitive::Ordering::{AcqRel, Acquire, Relaxed};

/// What becomes of a message that its receiver did not acknowledge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeliveryPolicy {
    /// It is delivered again, flagged: another receiver may have seen it.
    #[default]
    AtLeastOnce,
    /// It is dropped: nobody sees it twice.
    AtMostOnce,
}

impl DeliveryPolicy {
    /// The policy that a header's code stands for, if this build knows it.
    pub fn of(code: u32) -> Option<Self> {
        match code {
            DELIVERY_AT_LEAST_ONCE => Some(DeliveryPolicy::AtLeastOnce),
            DELIVERY_AT_MOST_ONCE => Some(DeliveryPolicy::AtMostOnce),
            _ => None,
        }
    }

    /// Its code in a header.
    pub fn code(self) -> u32 {
        match self {
            DeliveryPolicy::AtLeastOnce => DELIVERY_AT_LEAST_ONCE,
            DeliveryPolicy::AtMostOnce => DELIVERY_AT_MOST_ONCE,
        }
    }
}

/// What a reaper found and undid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reaped {
    /// Claims to fill that were not committed.
    pub aborted: u64,
    /// Messages put back.
    pub redelivered: u64,
    /// Messages dropped.
    pub dropped: u64,
}

impl Reaped {
    /// Adds what was undone elsewhere.
    pub fn add(&mut self, other: Self) {
        self.aborted += other.aborted;
        self.redelivered += other.redelivered;
        self.dropped += other.dropped;
    }
}

/// Brings the claim that ends before `end` out of its unstamped state, slot by slot, the last one last.
///
/// `change` gives what an unstamped slot becomes, and nothing for one that is stamped. It walks down, reading only, to
/// where stamps begin, then works upwards, as owners do: so whoever finds the last slot of a claim stamped knows
/// that all are, even if the one who was at it died half-way. Says how many slots it changed.
pub fn resolve<M: Message + ?Sized>(
    ring: &Ring<'_, M>,
    end: u64,
    mut change: impl FnMut(u64, SlotWord) -> Option<SlotWord>,
) -> u64 {
    // ORDERING(stamp): pairs with the Release of the owner, or of another helper.
    let mut next = |position| {
        let found = SlotWord(ring.word(position).load(Acquire));
        change(position, found).map(|changed| (found, changed))
    };
    let unstamped = |distance: &u64| next(before(end, *distance)).is_some();
    let count = (1..=ring.capacity()).take_while(unstamped).count() as u64;
    let mut done = 0;
    for distance in (1..=count).rev() {
        let position = before(end, distance);
        if let Some((found, changed)) = next(position) {
            // ORDERING(stamp): Acquire also if it fails: then the owner, or another helper, has stamped it.
            let swap = ring.word(position).compare_exchange(found.0, changed.0, AcqRel, Acquire);
            done += u64::from(swap.is_ok());
        }
    }
    done
}

/// Takes back all that `dead` had claimed in `ring`, messages of which have no blocks. The caller then wakes both sides.
#[cfg(any(test, loom))]
pub fn reap<M: Message + ?Sized>(
    ring: &Ring<'_, M>,
    dead: MemberId,
    delivery: DeliveryPolicy,
) -> Reaped {
    reap_claims(ring, dead, delivery)
}

/// Takes back all that `dead` had claimed in every ring of a queue. The caller then takes back the blocks, if there are any, and
/// wakes both sides.
pub fn reap_all<M: Message + ?Sized>(
    rings: &[Ring<'_, M>],
    dead: MemberId,
    delivery: DeliveryPolicy,
) -> Reaped {
    let mut reaped = Reaped::default();
    // A message in a block is one once that is bound to it.
    if let Some(slab) = rings.iter().find_map(Ring::slab) {
        slab.commit_for(rings, dead);
    }
    for ring in rings {
        reaped.add(reap_claims(ring, dead, delivery));
    }
    reaped
}

/// Has `member` free the blocks that are nobody's once [`reap_all`] took back what `dead` had claimed in `rings`. The caller
/// wakes senders.
pub fn reap_blocks<M: Message + ?Sized>(rings: &[Ring<'_, M>], dead: MemberId, member: MemberId) {
    if let Some(slab) = rings.iter().find_map(Ring::slab) {
        slab.reap(rings, dead, member);
    }
}

fn reap_claims<M: Message + ?Sized>(
    ring: &Ring<'_, M>,
    dead: MemberId,
    delivery: DeliveryPolicy,
) -> Reaped {
    let mut reaped = Reaped::default();
    reap_last_fill(ring, dead, &mut reaped);
    reap_last_take(ring, dead, &mut reaped);
    let mut pending = false;
    for position in 0..ring.capacity() {
        pending |= reap_slot(ring, position, dead, delivery, &mut reaped);
    }
    if pending {
        ring.announce();
    }
    reaped
}

/// 1. A claim to fill that was not stamped.
fn reap_last_fill<M: Message + ?Sized>(ring: &Ring<'_, M>, dead: MemberId, reaped: &mut Reaped) {
    // ORDERING(tail): what its owner, or a helper, has stamped is visible.
    let tail = CursorWord(ring.header.tail.tail.load(Acquire));
    if tail.member() == dead.0 {
        let geometry = ring.geometry;
        reaped.aborted += resolve(ring, tail.position(), |position, found| {
            (found == geometry.vacant(position)).then(|| geometry.aborted(position))
        });
    }
}

/// 2. A claim to take that was not stamped: its owner has not read it yet, so it is put back unflagged.
fn reap_last_take<M: Message + ?Sized>(ring: &Ring<'_, M>, dead: MemberId, reaped: &mut Reaped) {
    // ORDERING(head): as for the tail.
    let head = CursorWord(ring.header.head.head.load(Acquire));
    if head.member() == dead.0 {
        let geometry = ring.geometry;
        // A claim is of messages, or of one aborted slot.
        let mut message = true;
        let done = resolve(ring, head.position(), |position, found| match () {
            () if found == geometry.filled(position) => Some(found.put_back_unseen()),
            () if found == geometry.aborted(position) => {
                message = false;
                Some(geometry.next_vacant(position))
            }
            () => None,
        });
        reaped.redelivered += if message { done } else { 0 };
    }
}

/// 3. One slot, by its index: what `dead` had stamped. Says whether the slot is in REDELIVER now.
fn reap_slot<M: Message + ?Sized>(
    ring: &Ring<'_, M>,
    index: u64,
    dead: MemberId,
    delivery: DeliveryPolicy,
    reaped: &mut Reaped,
) -> bool {
    let word = ring.word(index);
    // ORDERING(stamp): the message is as its owner saw it.
    let found = SlotWord(word.load(Acquire));
    let changed = match found.state() {
        Some(State::Redeliver) => return true,
        Some(State::Writing) if found.member() == dead.0 => found.aborted(),
        Some(State::Reading) if found.member() == dead.0 => match delivery {
            DeliveryPolicy::AtLeastOnce => found.put_back(),
            DeliveryPolicy::AtMostOnce => ring.geometry.next_vacant_of(found),
        },
        _ => return false,
    };
    // ORDERING(stamp): fails only if another reaper was first.
    let done = word.compare_exchange(found.0, changed.0, AcqRel, Relaxed).is_ok();
    match changed.state() {
        Some(State::Aborted) => reaped.aborted += u64::from(done),
        Some(State::Redeliver) => reaped.redelivered += u64::from(done),
        _ => reaped.dropped += u64::from(done),
    }
    changed.state() == Some(State::Redeliver)
}
