//! Reap, step by step: what a dead member left behind is taken back.
//!
//! Any number of reapers may be at work on one member, each on its own; who attaches with the
//! number of a dead member completes the reap alone, for it holds the lock that reapers share.

use super::again::raised;
use super::config::Policy;
use super::memory::{Actor, Memory};
use super::mutants::Mutant;
use super::resolve::{Purpose, Resolve, Resolved, Side};
use super::state::Life;
use crate::word::{RedeliverWord, SlotWord, State as Slot};

/// Where a reaper is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reap {
    /// Nowhere.
    Idle,
    /// At work on a dead member; `attaching`: to use its number afterwards.
    Work { member: u16, attaching: bool, at: Undertaking },
}

/// What is next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Undertaking {
    /// 1. Whether `tail` names it.
    ReadTail,
    /// 1. It does.
    ResolveTail(Resolve),
    /// 2. Whether `head` names it.
    ReadHead,
    /// 2. It does.
    ResolveHead(Resolve),
    /// 3. What the slot is; `pending`: one before it was in REDELIVER.
    ReadSlot { index: usize, pending: bool },
    /// 3. It is the dead member's.
    SwapSlot { index: usize, pending: bool, found: SlotWord, changed: SlotWord },
    /// 4.
    ReadRedeliver,
    /// 4.
    Announce { seen: RedeliverWord },
    /// The member's record says that it was reaped.
    Finish,
}

impl Undertaking {
    /// One access by reaper `me` of `dead`; nothing after the last one.
    pub fn step(self, memory: &mut Memory, me: usize, dead: u16) -> Option<Self> {
        let by = Actor::Reaper(me);
        let first = Self::ReadSlot { index: 0, pending: false };
        Some(match self {
            Self::ReadTail => {
                let tail = memory.load_tail();
                let ignored = memory.config.is(Mutant::ReapIgnoresTail)
                    || memory.config.is(Mutant::WrapGuard) && tail.position() == 0;
                if tail.member() != dead || ignored {
                    return Some(Self::ReadHead);
                }
                Self::ResolveTail(Resolve::new(Side::Tail, Purpose::Bury, tail))
            }
            Self::ResolveTail(resolve) => match resolve.step(memory, by) {
                Resolved::Not(resolve) => Self::ResolveTail(resolve),
                Resolved::Done { .. } => Self::ReadHead,
            },
            Self::ReadHead => {
                let head = memory.load_head();
                let ignored = memory.config.is(Mutant::ReapIgnoresHead)
                    || memory.config.is(Mutant::WrapGuard) && head.position() == 0;
                if head.member() != dead || ignored {
                    return Some(first);
                }
                Self::ResolveHead(Resolve::new(Side::Head, Purpose::Bury, head))
            }
            Self::ResolveHead(resolve) => match resolve.step(memory, by) {
                Resolved::Not(resolve) => Self::ResolveHead(resolve),
                Resolved::Done { .. } => first,
            },
            Self::ReadSlot { index, pending } => read_slot(memory, dead, index, pending),
            Self::SwapSlot { index, pending, found, changed } => {
                memory.swap_index(index, found, changed, by);
                let again = changed.state() == Some(Slot::Redeliver);
                Self::after_slot(memory, index, pending || again)
            }
            Self::ReadRedeliver => Self::Announce { seen: memory.load_redeliver() },
            Self::Announce { seen } => {
                let raised = raised(memory, seen);
                if memory.swap_redeliver(seen, raised) {
                    Self::Finish
                } else {
                    Self::Announce { seen: memory.state.shared.redeliver() }
                }
            }
            Self::Finish => {
                finish(memory, dead);
                return None;
            }
        })
    }

    fn after_slot(memory: &Memory, index: usize, pending: bool) -> Self {
        match index + 1 < memory.config.slots {
            true => Self::ReadSlot { index: index + 1, pending },
            false if pending => Self::ReadRedeliver,
            false => Self::Finish,
        }
    }

    /// What the next step is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::ReadTail => "Reap 1: read tail",
            Self::ResolveTail(_) => "Reap 1: resolve the claim at the tail",
            Self::ReadHead => "Reap 2: read head",
            Self::ResolveHead(_) => "Reap 2: resolve the claim at the head",
            Self::ReadSlot { .. } => "Reap 3: read slot",
            Self::SwapSlot { .. } => "Reap 3: take slot back",
            Self::ReadRedeliver => "Reap 4: read redeliver",
            Self::Announce { .. } => "Reap 4: new generation",
            Self::Finish => "Reap: mark the member reaped",
        }
    }
}

/// 3.
fn read_slot(memory: &mut Memory, dead: u16, index: usize, pending: bool) -> Undertaking {
    let found = memory.load_index(index);
    let theirs = found.member() == dead;
    let changed = match found.state() {
        Some(Slot::Redeliver) => return Undertaking::after_slot(memory, index, true),
        Some(Slot::Writing) if theirs => SlotWord(found.lap() | Slot::Aborted as u64),
        Some(Slot::Reading) if theirs => match memory.config.policy {
            Policy::AtLeastOnce if memory.config.is(Mutant::ReapCountsNoTry) => {
                found.put_back_unseen()
            }
            Policy::AtLeastOnce => found.put_back(),
            Policy::AtMostOnce => memory.ring.next_vacant_of(found),
        },
        _ => return Undertaking::after_slot(memory, index, pending),
    };
    Undertaking::SwapSlot { index, pending, found, changed }
}

/// Invariant I3: nothing that the member had claimed is left in its name.
fn finish(memory: &mut Memory, dead: u16) {
    let fates = memory.state.ghost.fates;
    let holders = fates.iter().filter_map(|fate| fate.holder());
    let left = holders.filter(|&holder| memory.member(usize::from(holder)) == dead).count();
    let holds = left == 0 || !memory.config.invariants;
    memory.rule(holds, "a reap came to its end and left a claim of the dead behind (I3)");
    memory.state.ghost.members[usize::from(dead)] = Life::Reaped;
}
