//! Receive, step by step. The numbers are those of the protocol's text; each step is one shared
//! access.
//!
//! A consumer receives for ever: whatever it was told, it begins again, so its waiting is a loop
//! through states that are equal. Messages that come again are in `again`.

use super::again::Again;
use super::at_once::AtOnce;
use super::config::{Policy, Role};
use super::edges::small;
use super::memory::{Actor, Memory};
use super::mutants::Mutant;
use super::producer::is_known_stamped;
use super::resolve::{Purpose, Resolve, Resolved, Side};
use super::state::At;
use crate::word::{CursorWord, SlotWord, State as Slot, after, before};

/// Where a consumer is, and what it has in hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Receive {
    /// 1, or 2 on the straight way.
    Begin,
    /// The straight way.
    AtOnce(AtOnce),
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
    pub fn choices(self, memory: &Memory, me: usize) -> u8 {
        let may = memory.state.threads[me].left > 0;
        if may && matches!(self, Receive::Read { .. } | Receive::Finish { .. }) { 2 } else { 1 }
    }

    /// One access by thread `me`; the second choice at `Read` and at `Finish` puts the message
    /// back.
    pub fn step(self, memory: &mut Memory, me: usize, choice: u8) -> At {
        At::Receive(match self {
            Receive::Begin if memory.config.goes_straight(me) => {
                Receive::AtOnce(AtOnce::ReadSlot { seen: memory.load_head() })
            }
            Receive::AtOnce(at_once) => at_once.receive(memory, me),
            Receive::Begin | Receive::ReadHint if memory.load_redeliver().is_pending() => {
                Receive::Again(Again::ReadWord)
            }
            Receive::Begin | Receive::ReadHint => Receive::ReadHead,
            Receive::Again(again) => again.step(memory, me),
            Receive::ReadHead => Receive::ReadSlot { seen: memory.load_head(), count: 0 },
            Receive::ReadSlot { seen, count } => read_slot(memory, me, seen, count),
            Receive::ReadSlotTwice { seen } => {
                let word = memory.load_slot(seen.position());
                not_filled(memory, me, seen, word)
            }
            Receive::ReadHeadAgain { seen, word } => read_head_again(memory, seen, word),
            Receive::ReadClosed { position } => read_closed(memory, position),
            Receive::HelpClose { position } => {
                Receive::ReadPending { position, tail: memory.close_tail() }
            }
            Receive::ReadPending { position, tail } => {
                let pending = memory.load_redeliver().is_pending();
                if tail.position() == position && !pending {
                    memory.drained();
                }
                Receive::Begin
            }
            Receive::ReadLast { seen, count } => read_last(memory, seen, count),
            Receive::Certify { seen, count, resolve } => {
                match resolve.step(memory, Actor::Thread(me)) {
                    Resolved::Not(resolve) => Receive::Certify { seen, count, resolve },
                    // An aborted slot was given back: the caller tells the producers and begins
                    // again.
                    Resolved::Done { freed: true } => Receive::Begin,
                    Resolved::Done { freed: false } => Receive::Claim { seen, count },
                }
            }
            Receive::Claim { seen, count } => claim(memory, me, seen, count),
            Receive::Stamp { first, count, done } => stamp(memory, me, first, count, done),
            Receive::GiveBack { position } => give_back(memory, me, position),
            Receive::Remember { first, count } => remember(memory, me, first, count),
            Receive::Read { batch } if choice == 1 => {
                memory.state.threads[me].left -= 1;
                Again::begin_to_put_back(memory, me, batch, false)
            }
            Receive::Read { batch } => {
                Receive::ReadRest { batch, half: memory.read(batch.position(), 0, me) }
            }
            Receive::ReadRest { batch, half } => {
                let halves = [half, memory.read(batch.position(), 1, me)];
                memory.deliver(batch.position(), halves, batch.word.tries() > 0);
                Receive::Finish { batch }
            }
            Receive::Finish { batch } => finish(memory, me, batch, choice),
        })
    }

    /// What the next step is called.
    pub fn name(self) -> &'static str {
        match self {
            Receive::AtOnce(at_once) => at_once.name(),
            Receive::Begin | Receive::ReadHint => "Receive 1: is anything to be delivered again",
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
fn most(memory: &Memory, me: usize) -> u8 {
    let Role::Consumer { batch, .. } = memory.config.threads[me].role else { unreachable!() };
    batch.min(small(memory.config.slots))
}

/// 3. One slot more.
fn read_slot(memory: &mut Memory, me: usize, seen: CursorWord, count: u8) -> Receive {
    let position = after(seen.position(), u64::from(count));
    let word = memory.load_slot(position);
    let filled = word == memory.ring.filled(position);
    let count = if filled { count + 1 } else { count };
    match count {
        0 if memory.config.is(Mutant::SlotReadTwice) && most(memory, me) > 1 => {
            Receive::ReadSlotTwice { seen }
        }
        0 => not_filled(memory, me, seen, word),
        _ if filled && count < most(memory, me) => Receive::ReadSlot { seen, count },
        _ => certify(memory, me, seen, count),
    }
}

/// 3. The slot at the head is not filled: it may be aborted, or there is nothing.
fn not_filled(memory: &mut Memory, me: usize, seen: CursorWord, word: SlotWord) -> Receive {
    if word == memory.ring.aborted(seen.position()) {
        return certify(memory, me, seen, 0);
    }
    Receive::ReadHeadAgain { seen, word }
}

/// 4. Unless this very handle stamped the last claim.
fn certify(memory: &mut Memory, me: usize, seen: CursorWord, count: u8) -> Receive {
    if is_known_stamped(memory, me, seen, Mutant::PopWithoutCertify) {
        Receive::Claim { seen, count }
    } else {
        Receive::ReadLast { seen, count }
    }
}

/// 3. There was nothing, unless the head has moved.
fn read_head_again(memory: &mut Memory, seen: CursorWord, word: SlotWord) -> Receive {
    let now = memory.load_head();
    if now != seen {
        return Receive::ReadSlot { seen: now, count: 0 };
    }
    let position = seen.position();
    let of_claim = !memory.config.is(Mutant::OwnClaimAtOneOnly) || memory.config.slots == 1;
    let empty = match word.state() {
        Some(Slot::Writing) if memory.ring.is_current(word, position) => return Receive::Begin,
        Some(Slot::Vacant) => memory.ring.is_current(word, position),
        Some(Slot::Reading | Slot::Redeliver) => memory.ring.is_previous(word, position),
        // A claim of all slots that is not stamped yet leaves them as they were, of the lap before.
        Some(Slot::Filled) if of_claim => memory.ring.is_previous(word, position),
        // Aborted ones are claimed one at a time.
        Some(Slot::Aborted) if memory.config.slots == 1 => memory.ring.is_previous(word, position),
        _ => false,
    };
    memory.rule(empty, "a consumer called a sound ring corrupt");
    Receive::ReadClosed { position }
}

/// 3. It is empty: for good?
fn read_closed(memory: &mut Memory, position: u64) -> Receive {
    if !memory.load_closed() {
        return Receive::Begin;
    }
    if memory.config.is(Mutant::LeaveOnFlag) {
        memory.drained();
        return Receive::Begin;
    }
    if memory.config.is(Mutant::CloseIsFlag) {
        return Receive::ReadPending { position, tail: memory.load_tail() };
    }
    Receive::HelpClose { position }
}

/// 4. One look.
fn read_last(memory: &mut Memory, seen: CursorWord, count: u8) -> Receive {
    let last = before(seen.position(), 1);
    let word = memory.load_slot(last);
    if word == memory.ring.filled(last) || word == memory.ring.aborted(last) {
        let resolve = Resolve::new(Side::Head, Purpose::Certify, seen);
        return Receive::Certify { seen, count, resolve };
    }
    Receive::Claim { seen, count }
}

/// 5.
fn claim(memory: &mut Memory, me: usize, seen: CursorWord, count: u8) -> Receive {
    if !memory.claim_head(seen, count.max(1), me) {
        return Receive::ReadSlot { seen: memory.state.shared.head(), count: 0 };
    }
    let first = seen.position();
    if memory.config.is(Mutant::LastBeforeStamp) {
        memory.handle(me).last = after(first, u64::from(count.max(1)) - 1);
    }
    match count {
        0 => Receive::GiveBack { position: first },
        _ => Receive::Stamp { first, count, done: 0 },
    }
}

/// 6.
fn stamp(memory: &mut Memory, me: usize, first: u64, count: u8, done: u8) -> Receive {
    let down = memory.config.is(Mutant::OwnerStampsDown);
    let next = if down { count - 1 - done } else { done };
    let position = after(first, u64::from(next));
    let word = memory.ring.reading(position, memory.member(me));
    memory.store_slot(position, word, Actor::Thread(me));
    match done + 1 < count {
        true => Receive::Stamp { first, count, done: done + 1 },
        false if memory.config.shares_handle(me) => Receive::Remember { first, count },
        false => remember(memory, me, first, count),
    }
}

/// 6. A helper may have been first, so it is a swap that may fail.
fn give_back(memory: &mut Memory, me: usize, position: u64) -> Receive {
    let ring = memory.ring;
    let (aborted, vacant) = (ring.aborted(position), ring.next_vacant(position));
    memory.swap_slot(position, aborted, vacant, Actor::Thread(me));
    if memory.config.shares_handle(me) {
        return Receive::Remember { first: position, count: 0 };
    }
    remember(memory, me, position, 0)
}

fn remember(memory: &mut Memory, me: usize, first: u64, count: u8) -> Receive {
    memory.handle(me).last = after(first, u64::from(count.max(1)) - 1);
    if count == 0 {
        return Receive::Begin;
    }
    let word = memory.ring.reading(first, memory.member(me));
    Receive::Read { batch: Batch { first, count, done: 0, word } }
}

/// 8. Or the message goes back, which by the at-most-once policy drops it.
fn finish(memory: &mut Memory, me: usize, batch: Batch, choice: u8) -> Receive {
    let position = batch.position();
    if choice == 1 && memory.config.policy == Policy::AtLeastOnce {
        memory.state.threads[me].left -= 1;
        return Again::begin_to_put_back(memory, me, batch, true);
    }
    memory.store_slot(position, memory.ring.next_vacant(position), Actor::Thread(me));
    Receive::goes_on(memory, me, batch)
}

impl Receive {
    /// After a message of `batch` is done with.
    pub fn goes_on(memory: &Memory, me: usize, batch: Batch) -> Self {
        if batch.done + 1 == batch.count {
            return Receive::Begin;
        }
        let done = batch.done + 1;
        let next = Batch { done, ..batch };
        let word = memory.ring.reading(next.position(), memory.member(me));
        Receive::Read { batch: Batch { word, ..next } }
    }
}
