//! Send, step by step. The numbers are those of the protocol's text; each step is one shared
//! access.

use super::at_once::AtOnce;
use super::config::Role;
use super::edges::small;
use super::memory::{Actor, Memory};
use super::mutants::Mutant;
use super::resolve::{Purpose, Resolve, Resolved, Side};
use super::state::At;
use crate::word::{CursorWord, SlotWord, State as Slot, after, before};

/// Where a producer is, and what it has in hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Send {
    /// 1, or the same on the straight way.
    Begin,
    /// The straight way.
    AtOnce(AtOnce),
    /// 1.
    ReadTail,
    /// 2. `count` slots in a row were found vacant.
    ReadSlot { seen: CursorWord, count: u8 },
    /// 2, by the mutant that looks twice.
    ReadSlotTwice { seen: CursorWord },
    /// 2. The slot was not vacant.
    ReadTailAgain { seen: CursorWord, word: SlotWord },
    /// 3. Whether the last claim is stamped.
    ReadLast { seen: CursorWord, count: u8 },
    /// 3. It is not.
    Certify { seen: CursorWord, count: u8, resolve: Resolve },
    /// 4.
    Claim { seen: CursorWord, count: u8 },
    /// 5. `done` of `count` slots from `first` are stamped.
    Stamp { first: u64, count: u8, done: u8 },
    /// 5. The handle remembers its claim; a step of its own only where threads share the handle.
    Remember { first: u64, count: u8 },
    /// 6. Half of a message is next, or the end of the reservation.
    Write { first: u64, count: u8, done: u8, half: u8 },
    /// 7.
    Commit { first: u64, count: u8, done: u8 },
}

impl Send {
    /// How many ways there are to go on from here.
    pub fn choices(self, memory: &Memory, me: usize) -> u8 {
        let aborts = matches!(memory.config.threads[me].role, Role::Producer { aborts: true, .. });
        if aborts && matches!(self, Send::Write { half: 0, .. }) { 2 } else { 1 }
    }

    /// One access by thread `me`; the second choice at `Write` gives the reservation up.
    pub fn step(self, memory: &mut Memory, me: usize, choice: u8) -> At {
        let by = Actor::Thread(me);
        let next = match self {
            Send::Begin if memory.config.goes_straight(me) => {
                Send::AtOnce(AtOnce::ReadSlot { seen: memory.load_tail() })
            }
            Send::AtOnce(at_once) => at_once.send(memory, me),
            Send::Begin | Send::ReadTail => Send::ReadSlot { seen: memory.load_tail(), count: 0 },
            Send::ReadSlot { seen, count } => return read_slot(memory, me, seen, count),
            Send::ReadSlotTwice { seen } => {
                Send::ReadTailAgain { seen, word: memory.load_slot(seen.position()) }
            }
            Send::ReadTailAgain { seen, word } => read_tail_again(memory, seen, word),
            Send::ReadLast { seen, count } => {
                let last = before(seen.position(), 1);
                if memory.load_slot(last) == memory.ring.vacant(last) {
                    let resolve = Resolve::new(Side::Tail, Purpose::Certify, seen);
                    Send::Certify { seen, count, resolve }
                } else {
                    Send::Claim { seen, count }
                }
            }
            Send::Certify { seen, count, resolve } => match resolve.step(memory, by) {
                Resolved::Not(resolve) => Send::Certify { seen, count, resolve },
                Resolved::Done { .. } => Send::Claim { seen, count },
            },
            Send::Claim { seen, count } => claim(memory, me, seen, count),
            Send::Stamp { first, count, done } => stamp(memory, me, first, count, done),
            Send::Remember { first, count } => remember(memory, me, first, count),
            Send::Write { first, count, done, .. } if choice == 1 => {
                let position = after(first, u64::from(done));
                memory.store_slot(position, memory.ring.aborted(position), by);
                return finished(memory, me, first, count, done);
            }
            Send::Write { first, count, done, half } => {
                memory.write(after(first, u64::from(done)), usize::from(half), me);
                match half {
                    0 => Send::Write { first, count, done, half: 1 },
                    _ => Send::Commit { first, count, done },
                }
            }
            Send::Commit { first, count, done } => {
                let position = after(first, u64::from(done));
                memory.store_slot(position, memory.ring.filled(position), by);
                return finished(memory, me, first, count, done);
            }
        };
        At::Send(next)
    }

    /// What the next step is called.
    pub fn name(self) -> &'static str {
        match self {
            Send::Begin | Send::ReadTail => "Send 1: read tail",
            Send::AtOnce(at_once) => at_once.name(),
            Send::ReadSlot { .. } => "Send 2: read slot",
            Send::ReadSlotTwice { .. } => "Send 2: read slot a second time",
            Send::ReadTailAgain { .. } => "Send 2: read tail again",
            Send::ReadLast { .. } => "Send 3: read the last claim's slot",
            Send::Certify { resolve, .. } => resolve.name(),
            Send::Claim { .. } => "Send 4: claim",
            Send::Stamp { .. } => "Send 5: stamp",
            Send::Remember { .. } => "Send 5: remember",
            Send::Write { .. } => "Send 6: write",
            Send::Commit { .. } => "Send 7: commit",
        }
    }
}

/// Claims are single (`claim_vacant`) or of several slots (`claim_vacant_run`).
fn most(memory: &Memory, me: usize) -> u8 {
    let Role::Producer { batch, .. } = memory.config.threads[me].role else { unreachable!() };
    batch.min(memory.state.threads[me].left).min(small(memory.config.slots))
}

/// 2. One slot more.
fn read_slot(memory: &mut Memory, me: usize, seen: CursorWord, count: u8) -> At {
    let position = after(seen.position(), u64::from(count));
    let word = memory.load_slot(position);
    if seen.is_closed() {
        memory.state.threads[me].left = 0;
        return At::Rest;
    }
    let count = if word == memory.ring.vacant(position) { count + 1 } else { count };
    let missed = word != memory.ring.vacant(position);
    At::Send(match count {
        0 if memory.config.is(Mutant::SlotReadTwice) && most(memory, me) > 1 => {
            Send::ReadSlotTwice { seen }
        }
        0 => Send::ReadTailAgain { seen, word },
        _ if !missed && count < most(memory, me) => Send::ReadSlot { seen, count },
        _ if is_known_stamped(memory, me, seen, Mutant::PushWithoutCertify) => {
            Send::Claim { seen, count }
        }
        _ => Send::ReadLast { seen, count },
    })
}

/// Step 3: whether `me` may claim without a look, because this very handle stamped the last claim; or by
/// mistake.
pub fn is_known_stamped(memory: &mut Memory, me: usize, seen: CursorWord, without: Mutant) -> bool {
    let mine = memory.member(me);
    memory.handle(me).last == before(seen.position(), 1)
        || memory.config.is(without)
        || memory.config.is(Mutant::WrapGuard) && seen.position() == 0
        || memory.config.is(Mutant::SkipByMember) && seen.member() == mine
}

/// 2. The slot was not vacant: the ring is full, unless the tail has moved.
fn read_tail_again(memory: &mut Memory, seen: CursorWord, word: SlotWord) -> Send {
    let now = memory.load_tail();
    if now != seen {
        return Send::ReadSlot { seen: now, count: 0 };
    }
    // A claim of all slots that is not stamped yet leaves them vacant, of the lap before.
    let of_claim = !memory.config.is(Mutant::OwnClaimAtOneOnly) || memory.config.slots == 1;
    let occupied = word.state().is_some_and(|state| state != Slot::Vacant || of_claim);
    let previous = memory.ring.is_previous(word, seen.position());
    memory.rule(occupied && previous, "a producer called a sound ring corrupt");
    Send::Begin
}

/// 4.
fn claim(memory: &mut Memory, me: usize, seen: CursorWord, count: u8) -> Send {
    if !memory.claim_tail(seen, count, me) {
        return Send::ReadSlot { seen: memory.state.shared.tail(), count: 0 };
    }
    memory.state.threads[me].left -= count;
    let first = seen.position();
    if memory.config.is(Mutant::LastBeforeStamp) {
        memory.handle(me).last = after(first, u64::from(count) - 1);
    }
    Send::Stamp { first, count, done: 0 }
}

/// 5.
fn stamp(memory: &mut Memory, me: usize, first: u64, count: u8, done: u8) -> Send {
    let down = memory.config.is(Mutant::OwnerStampsDown);
    let next = if down { count - 1 - done } else { done };
    let position = after(first, u64::from(next));
    let word = memory.ring.writing(position, memory.member(me));
    memory.store_slot(position, word, Actor::Thread(me));
    match done + 1 < count {
        true => Send::Stamp { first, count, done: done + 1 },
        false if memory.config.shares_handle(me) => Send::Remember { first, count },
        false => remember(memory, me, first, count),
    }
}

fn remember(memory: &mut Memory, me: usize, first: u64, count: u8) -> Send {
    memory.handle(me).last = after(first, u64::from(count) - 1);
    Send::Write { first, count, done: 0, half: 0 }
}

/// One message of a claim is done with.
fn finished(memory: &Memory, me: usize, first: u64, count: u8, done: u8) -> At {
    if done + 1 < count {
        return At::Send(Send::Write { first, count, done: done + 1, half: 0 });
    }
    match memory.state.threads[me].left {
        0 => At::Rest,
        _ => At::Send(Send::Begin),
    }
}
