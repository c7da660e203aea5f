//! Reap, step by step: what a dead member left behind is taken back.
//!
//! Any number of reapers may be at work on one member, each on its own; who attaches with the number of a
//! dead member completes the reap alone, for it holds the lock that reapers share.

use super::again::raised;
use super::config::Policy;
use super::memory::{Actor, World};
use super::mutants::Mutant;
use super::resolve::{Purpose, Resolve, Resolved, Side};
use super::state::{Life, MAX_CLAIMS};
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
    pub fn step(self, world: &mut World, me: usize, dead: u16) -> Option<Self> {
        let by = Actor::Reaper(me);
        let first = Self::ReadSlot { index: 0, pending: false };
        Some(match self {
            Self::ReadTail => {
                let tail = world.load_tail();
                let ignored = world.config.is(Mutant::ReapIgnoresTail)
                    || world.config.is(Mutant::WrapGuard) && tail.position() == 0;
                match tail.member() == dead && !ignored {
                    true => Self::ResolveTail(Resolve::new(Side::Tail, Purpose::Bury, tail)),
                    false => Self::ReadHead,
                }
            }
            Self::ResolveTail(resolve) => match resolve.step(world, by) {
                Resolved::Not(resolve) => Self::ResolveTail(resolve),
                Resolved::Done { .. } => Self::ReadHead,
            },
            Self::ReadHead => {
                let head = world.load_head();
                let ignored = world.config.is(Mutant::ReapIgnoresHead)
                    || world.config.is(Mutant::WrapGuard) && head.position() == 0;
                match head.member() == dead && !ignored {
                    true => Self::ResolveHead(Resolve::new(Side::Head, Purpose::Bury, head)),
                    false => first,
                }
            }
            Self::ResolveHead(resolve) => match resolve.step(world, by) {
                Resolved::Not(resolve) => Self::ResolveHead(resolve),
                Resolved::Done { .. } => first,
            },
            Self::ReadSlot { index, pending } => read_slot(world, dead, index, pending),
            Self::SwapSlot { index, pending, found, changed } => {
                world.swap_index(index, found, changed, by);
                let again = changed.state() == Some(Slot::Redeliver);
                Self::after_slot(world, index, pending || again)
            }
            Self::ReadRedeliver => Self::Announce { seen: world.load_redeliver() },
            Self::Announce { seen } => {
                let raised = raised(world, seen);
                match world.swap_redeliver(seen, raised) {
                    true => Self::Finish,
                    false => Self::Announce { seen: world.state.shared.redeliver() },
                }
            }
            Self::Finish => {
                finish(world, dead);
                return None;
            }
        })
    }

    fn after_slot(world: &World, index: usize, pending: bool) -> Self {
        match index + 1 < world.config.slots {
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
fn read_slot(world: &mut World, dead: u16, index: usize, pending: bool) -> Undertaking {
    let found = world.load_index(index);
    let theirs = found.member() == dead;
    let changed = match found.state() {
        Some(Slot::Redeliver) => return Undertaking::after_slot(world, index, true),
        Some(Slot::Writing) if theirs => SlotWord(found.lap() | Slot::Aborted as u64),
        Some(Slot::Reading) if theirs => match world.config.policy {
            Policy::AtLeastOnce if world.config.is(Mutant::ReapCountsNoTry) => {
                found.put_back_unseen()
            }
            Policy::AtLeastOnce => found.put_back(),
            Policy::AtMostOnce => world.ring.next_vacant_of(found),
        },
        _ => return Undertaking::after_slot(world, index, pending),
    };
    Undertaking::SwapSlot { index, pending, found, changed }
}

/// Invariant I3: nothing that the member had claimed is left in its name.
fn finish(world: &mut World, dead: u16) {
    for offset in 0..MAX_CLAIMS {
        let holder = world.state.ghost.fates[offset].holder();
        let left = holder.is_some_and(|holder| world.member(usize::from(holder)) == dead);
        world.rule(!left, "a reap came to its end and left a claim of the dead behind (I3)");
    }
    world.state.ghost.members[usize::from(dead)] = Life::Reaped;
}
