//! Receive, step by step. The numbers are those of the protocol's text; each step is one shared access.
//!
//! A consumer receives for ever: whatever it was told, it begins again, so its waiting is a loop through
//! states that are equal. Messages that come again are in `again`.

use super::again::Again;
use super::config::{Policy, Role};
use super::memory::{Actor, World, small};
use super::mutants::Mutant;
use super::producer::is_known_stamped;
use super::resolve::{Purpose, Resolve, Resolved, Side};
use super::state::At;
use crate::word::{CursorWord, SlotWord, State as Slot, after, before};

/// Where a consumer is, and what it has in hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Receive {
    /// 1. Whether anything is to be delivered again, as far as one look tells.
    ReadHint,
    /// 1. Looking for it, or putting it there.
    Again(Again),
    /// 2.
    ReadHead,
    /// 3. `count` slots in a row were found filled.
    ReadSlot { seen: CursorWord, count: u8 },
    /// 3, by the mutant that looks twice.
    ReadSlotTwice { seen: CursorWord },
    /// 3. The slot was neither filled nor aborted.
    ReadHeadAgain { seen: CursorWord, word: SlotWord },
    /// 3. It is empty.
    ReadClosed { position: u64 },
    /// 3. And closed, or about to be.
    HelpClose { position: u64 },
    /// 3. And nothing more will come.
    ReadPending { position: u64, tail: CursorWord },
    /// 4. Whether the last claim is stamped.
    ReadLast { seen: CursorWord, count: u8 },
    /// 4. It is not.
    Certify { seen: CursorWord, count: u8, resolve: Resolve },
    /// 5. Of no slot: of one that was aborted.
    Claim { seen: CursorWord, count: u8 },
    /// 6. `done` of `count` slots from `first` are stamped.
    Stamp { first: u64, count: u8, done: u8 },
    /// 6. An aborted slot is given back.
    GiveBack { position: u64 },
    /// 6. The handle remembers; a step of its own only where threads share it.
    Remember { first: u64, count: u8 },
    /// 7.
    Read { batch: Batch },
    /// 7.
    ReadRest { batch: Batch, half: u8 },
    /// 8, or the message is put back.
    Finish { batch: Batch },
}

/// Messages in hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Batch {
    /// The first position.
    pub first: u64,
    /// How many.
    pub count: u8,
    /// How many of them are done with.
    pub done: u8,
    /// How often the first, which then is the only one, was delivered before.
    pub word: SlotWord,
}

impl Batch {
    fn position(self) -> u64 {
        after(self.first, u64::from(self.done))
    }
}

impl Receive {
    /// How many ways there are to go on from here.
    pub fn choices(self, world: &World, me: usize) -> u8 {
        let may = world.state.threads[me].left > 0;
        if may && matches!(self, Receive::Read { .. } | Receive::Finish { .. }) { 2 } else { 1 }
    }

    /// One access by thread `me`; the second choice at `Read` and at `Finish` puts the message back.
    pub fn step(self, world: &mut World, me: usize, choice: u8) -> At {
        At::Receive(match self {
            Receive::ReadHint if world.load_redeliver().is_pending() => {
                Receive::Again(Again::ReadWord)
            }
            Receive::ReadHint => Receive::ReadHead,
            Receive::Again(again) => again.step(world, me),
            Receive::ReadHead => Receive::ReadSlot { seen: world.load_head(), count: 0 },
            Receive::ReadSlot { seen, count } => read_slot(world, me, seen, count),
            Receive::ReadSlotTwice { seen } => {
                let word = world.load_slot(seen.position());
                not_filled(world, me, seen, word)
            }
            Receive::ReadHeadAgain { seen, word } => read_head_again(world, seen, word),
            Receive::ReadClosed { position } => read_closed(world, position),
            Receive::HelpClose { position } => {
                Receive::ReadPending { position, tail: world.close_tail() }
            }
            Receive::ReadPending { position, tail } => {
                let pending = world.load_redeliver().is_pending();
                if tail.position() == position && !pending {
                    world.drained();
                }
                Receive::ReadHint
            }
            Receive::ReadLast { seen, count } => read_last(world, seen, count),
            Receive::Certify { seen, count, resolve } => {
                match resolve.step(world, Actor::Thread(me)) {
                    Resolved::Not(resolve) => Receive::Certify { seen, count, resolve },
                    // An aborted slot was given back: the caller tells the producers and begins again.
                    Resolved::Done { freed: true } => Receive::ReadHint,
                    Resolved::Done { freed: false } => Receive::Claim { seen, count },
                }
            }
            Receive::Claim { seen, count } => claim(world, me, seen, count),
            Receive::Stamp { first, count, done } => stamp(world, me, first, count, done),
            Receive::GiveBack { position } => give_back(world, me, position),
            Receive::Remember { first, count } => remember(world, me, first, count),
            Receive::Read { batch } if choice == 1 => {
                world.state.threads[me].left -= 1;
                Again::begin_to_put_back(world, me, batch, false)
            }
            Receive::Read { batch } => {
                Receive::ReadRest { batch, half: world.read(batch.position(), 0, me) }
            }
            Receive::ReadRest { batch, half } => {
                let halves = [half, world.read(batch.position(), 1, me)];
                world.deliver(batch.position(), halves, batch.word.tries() > 0);
                Receive::Finish { batch }
            }
            Receive::Finish { batch } => finish(world, me, batch, choice),
        })
    }

    /// What the next step is called.
    pub fn name(self) -> &'static str {
        match self {
            Receive::ReadHint => "Receive 1: is anything to be delivered again",
            Receive::Again(again) => again.name(),
            Receive::ReadHead => "Receive 2: read head",
            Receive::ReadSlot { .. } => "Receive 3: read slot",
            Receive::ReadSlotTwice { .. } => "Receive 3: read slot a second time",
            Receive::ReadHeadAgain { .. } => "Receive 3: read head again",
            Receive::ReadClosed { .. } => "Receive 3: read the closed flag",
            Receive::HelpClose { .. } => "Receive 3: help to close, read tail",
            Receive::ReadPending { .. } => "Receive 3: drained unless something is pending",
            Receive::ReadLast { .. } => "Receive 4: read the last claim's slot",
            Receive::Certify { resolve, .. } => resolve.name(),
            Receive::Claim { .. } => "Receive 5: claim",
            Receive::Stamp { .. } => "Receive 6: stamp",
            Receive::GiveBack { .. } => "Receive 6: give an aborted slot back",
            Receive::Remember { .. } => "Receive 6: remember",
            Receive::Read { .. } | Receive::ReadRest { .. } => "Receive 7: read",
            Receive::Finish { .. } => "Receive 8: acknowledge or put back",
        }
    }
}

/// Claims are single (`claim_filled`) or of several slots (`claim_filled_run`).
fn most(world: &World, me: usize) -> u8 {
    let Role::Consumer { batch, .. } = world.config.threads[me].role else { unreachable!() };
    batch.min(small(world.config.slots))
}

/// 3. One slot more.
fn read_slot(world: &mut World, me: usize, seen: CursorWord, count: u8) -> Receive {
    let position = after(seen.position(), u64::from(count));
    let word = world.load_slot(position);
    let filled = word == world.ring.filled(position);
    let count = if filled { count + 1 } else { count };
    match count {
        0 if world.config.is(Mutant::SlotReadTwice) && most(world, me) > 1 => {
            Receive::ReadSlotTwice { seen }
        }
        0 => not_filled(world, me, seen, word),
        _ if filled && count < most(world, me) => Receive::ReadSlot { seen, count },
        _ => certify(world, me, seen, count),
    }
}

/// 3. The slot at the head is not filled: it may be aborted, or there is nothing.
fn not_filled(world: &mut World, me: usize, seen: CursorWord, word: SlotWord) -> Receive {
    if word == world.ring.aborted(seen.position()) {
        return certify(world, me, seen, 0);
    }
    Receive::ReadHeadAgain { seen, word }
}

/// 4. Unless this very handle stamped the last claim.
fn certify(world: &mut World, me: usize, seen: CursorWord, count: u8) -> Receive {
    if is_known_stamped(world, me, seen, Mutant::PopWithoutCertify) {
        Receive::Claim { seen, count }
    } else {
        Receive::ReadLast { seen, count }
    }
}

/// 3. There was nothing, unless the head has moved.
fn read_head_again(world: &mut World, seen: CursorWord, word: SlotWord) -> Receive {
    let now = world.load_head();
    if now != seen {
        return Receive::ReadSlot { seen: now, count: 0 };
    }
    let position = seen.position();
    let of_claim = !world.config.is(Mutant::OwnClaimAtOneOnly) || world.config.slots == 1;
    let empty = match word.state() {
        Some(Slot::Writing) if world.ring.is_current(word, position) => return Receive::ReadHint,
        Some(Slot::Vacant) => world.ring.is_current(word, position),
        Some(Slot::Reading | Slot::Redeliver) => world.ring.is_previous(word, position),
        // A claim of all slots that is not stamped yet leaves them as they were, of the lap before.
        Some(Slot::Filled | Slot::Aborted) if of_claim => world.ring.is_previous(word, position),
        _ => false,
    };
    world.rule(empty, "a consumer called a sound ring corrupt");
    Receive::ReadClosed { position }
}

/// 3. It is empty: for good?
fn read_closed(world: &mut World, position: u64) -> Receive {
    if !world.load_closed() {
        return Receive::ReadHint;
    }
    if world.config.is(Mutant::LeaveOnFlag) {
        world.drained();
        return Receive::ReadHint;
    }
    if world.config.is(Mutant::CloseIsFlag) {
        return Receive::ReadPending { position, tail: world.load_tail() };
    }
    Receive::HelpClose { position }
}

/// 4. One look.
fn read_last(world: &mut World, seen: CursorWord, count: u8) -> Receive {
    let last = before(seen.position(), 1);
    let word = world.load_slot(last);
    if word == world.ring.filled(last) || word == world.ring.aborted(last) {
        let resolve = Resolve::new(Side::Head, Purpose::Certify, seen);
        return Receive::Certify { seen, count, resolve };
    }
    Receive::Claim { seen, count }
}

/// 5.
fn claim(world: &mut World, me: usize, seen: CursorWord, count: u8) -> Receive {
    if !world.claim_head(seen, count.max(1), me) {
        return Receive::ReadSlot { seen: world.state.shared.head(), count: 0 };
    }
    let first = seen.position();
    if world.config.is(Mutant::LastBeforeStamp) {
        world.handle(me).last = after(first, u64::from(count.max(1)) - 1);
    }
    match count {
        0 => Receive::GiveBack { position: first },
        _ => Receive::Stamp { first, count, done: 0 },
    }
}

/// 6.
fn stamp(world: &mut World, me: usize, first: u64, count: u8, done: u8) -> Receive {
    let down = world.config.is(Mutant::OwnerStampsDown);
    let next = if down { count - 1 - done } else { done };
    let position = after(first, u64::from(next));
    let word = world.ring.reading(position, world.member(me));
    world.store_slot(position, word, Actor::Thread(me));
    match done + 1 < count {
        true => Receive::Stamp { first, count, done: done + 1 },
        false if world.config.shares_handle(me) => Receive::Remember { first, count },
        false => remember(world, me, first, count),
    }
}

/// 6. A helper may have been first, so it is a swap that may fail.
fn give_back(world: &mut World, me: usize, position: u64) -> Receive {
    let ring = world.ring;
    let (aborted, vacant) = (ring.aborted(position), ring.next_vacant(position));
    world.swap_slot(position, aborted, vacant, Actor::Thread(me));
    if world.config.shares_handle(me) {
        return Receive::Remember { first: position, count: 0 };
    }
    remember(world, me, position, 0)
}

fn remember(world: &mut World, me: usize, first: u64, count: u8) -> Receive {
    world.handle(me).last = after(first, u64::from(count.max(1)) - 1);
    if count == 0 {
        return Receive::ReadHint;
    }
    let word = world.ring.reading(first, world.member(me));
    Receive::Read { batch: Batch { first, count, done: 0, word } }
}

/// 8. Or the message goes back, which by the at-most-once policy drops it.
fn finish(world: &mut World, me: usize, batch: Batch, choice: u8) -> Receive {
    let position = batch.position();
    if choice == 1 && world.config.policy == Policy::AtLeastOnce {
        world.state.threads[me].left -= 1;
        return Again::begin_to_put_back(world, me, batch, true);
    }
    world.store_slot(position, world.ring.next_vacant(position), Actor::Thread(me));
    Receive::goes_on(world, me, batch)
}

impl Receive {
    /// After a message of `batch` is done with.
    pub fn goes_on(world: &World, me: usize, batch: Batch) -> Self {
        if batch.done + 1 == batch.count {
            return Receive::ReadHint;
        }
        let done = batch.done + 1;
        let next = Batch { done, ..batch };
        let word = world.ring.reading(next.position(), world.member(me));
        Receive::Read { batch: Batch { word, ..next } }
    }
}
