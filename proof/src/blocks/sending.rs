//! Send, step by step: a block, its memory, the message, a slot, and what binds them.

use super::config::{Mutant, Role};
use super::memory::Memory;
use super::state::{At, Claim};
use crate::block::BlockWord;
use crate::frame::small;
use crate::word::State as Slot;

/// What is next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Send {
    /// 1. The block at `at`, if it is free.
    Take { at: u8 },
    /// 1, by the mistake of a store.
    TakeStore { at: u8 },
    /// 2. The kernel gives memory.
    Back { block: u8 },
    /// 2. Which is noted.
    Note { block: u8 },
    /// 3. One half of the message.
    Write { block: u8, half: usize },
    /// 4. A slot; or the block goes back.
    Claim { block: u8 },
    /// 5. The slot says which block.
    Describe(Claim),
    /// 6. And the block says which slot.
    Bind(Claim),
    /// 7.
    Commit(Claim),
    /// It is given up: the slot is.
    Abort(Claim),
    /// And the block.
    Free { block: u8 },
}

impl Send {
    /// How many ways there are to go on.
    pub fn choices(self, memory: &Memory) -> u8 {
        match self {
            Self::Claim { .. } | Self::Describe(_) => 1 + u8::from(aborts(memory)),
            _ => 1,
        }
    }

    /// One access.
    pub fn step(self, memory: &mut Memory, choice: u8) {
        match self {
            Self::Take { at } => take(memory, at),
            Self::TakeStore { at } => {
                memory.block(at).word = memory.mine().0;
                after_take(memory, at);
            }
            Self::Back { block } => {
                memory.block(block).held = true;
                memory.go(At::Send(Self::Note { block }));
            }
            Self::Note { block } => {
                memory.block(block).noted = true;
                memory.go(At::Send(Self::Write { block, half: 0 }));
            }
            Self::Write { block, half } => write(memory, block, half),
            Self::Claim { block } if choice == 1 => memory.go(At::Send(Self::Free { block })),
            Self::Claim { block } => claim(memory, block),
            Self::Describe(claim) if choice == 1 => memory.go(At::Send(Self::Abort(claim))),
            Self::Describe(claim) => {
                let index = memory.index(claim.position);
                memory.state.shared.rings[0].numbers[index] = claim.block;
                let first = memory.config.is(Mutant::CommitBeforeBind);
                memory.go(At::Send(if first { Self::Commit(claim) } else { Self::Bind(claim) }));
            }
            Self::Bind(claim) => bind(memory, claim),
            Self::Commit(claim) => commit(memory, claim),
            Self::Abort(claim) => {
                let word = memory.slot(0, claim.position).aborted();
                memory.store_slot(claim, Slot::Writing, word);
                memory.go(At::Send(Self::Free { block: claim.block }));
            }
            Self::Free { block } => {
                let mine = memory.mine();
                let freed = memory.swap_block(block, mine, BlockWord::FREE);
                memory.rule(freed, "a block was not its holder's any more");
                memory.count();
            }
        }
    }
}

fn aborts(memory: &Memory) -> bool {
    matches!(memory.config.threads[memory.me], Role::Sender { aborts: true, .. })
}

fn take(memory: &mut Memory, at: u8) {
    if memory.block(at).word() != BlockWord::FREE {
        let next = (at + 1) % small(memory.config.blocks);
        return memory.go(At::Send(Send::Take { at: next }));
    }
    if memory.config.is(Mutant::TakeByStore) {
        return memory.go(At::Send(Send::TakeStore { at }));
    }
    memory.block(at).word = memory.mine().0;
    after_take(memory, at);
}

fn after_take(memory: &mut Memory, block: u8) {
    let needs = memory.config.sparse && !memory.block(block).noted;
    let next = if needs { Send::Back { block } } else { Send::Write { block, half: 0 } };
    memory.go(At::Send(next));
}

fn write(memory: &mut Memory, block: u8, half: usize) {
    let message = memory.config.message(memory.me, memory.state.threads[memory.me].left);
    memory.write(block, half, message);
    let next = if half == 0 { Send::Write { block, half: 1 } } else { Send::Claim { block } };
    memory.go(At::Send(next));
}

/// Waits where there is no room.
fn claim(memory: &mut Memory, block: u8) {
    if let Some(position) = claim_tail(memory, 0) {
        memory.go(At::Send(Send::Describe(Claim { ring: 0, position, block })));
    }
}

/// Claims a slot of `ring`, and stamps it.
pub fn claim_tail(memory: &mut Memory, ring: u8) -> Option<u8> {
    let position = memory.state.shared.rings[usize::from(ring)].tail;
    let (index, geometry) = (memory.index(position), memory.config.geometry());
    if memory.slot(ring, position) != geometry.vacant(position.into()) {
        return None;
    }
    let word = geometry.writing(position.into(), memory.number());
    let ring = &mut memory.state.shared.rings[usize::from(ring)];
    (ring.tail, ring.slots[index]) = (position + 1, word.0);
    Some(position)
}

fn bind(memory: &mut Memory, claim: Claim) {
    let (mine, word) = (memory.mine(), BlockWord::bound(claim.place(), memory.number()));
    let owned = memory.block(claim.block).word() == mine;
    memory.rule(owned, "a block was bound by one whose it is not");
    memory.block(claim.block).word = word.0;
    if !memory.config.is(Mutant::CommitBeforeBind) {
        is_sent(memory, claim);
        return memory.go(At::Send(Send::Commit(claim)));
    }
    memory.count();
}

fn commit(memory: &mut Memory, claim: Claim) {
    let word = memory.slot(0, claim.position).filled();
    memory.store_slot(claim, Slot::Writing, word);
    if memory.config.is(Mutant::CommitBeforeBind) {
        is_sent(memory, claim);
        return memory.go(At::Send(Send::Bind(claim)));
    }
    memory.count();
}

fn is_sent(memory: &mut Memory, claim: Claim) {
    let message = memory.config.message(memory.me, memory.state.threads[memory.me].left);
    memory.belongs(message.into(), claim);
}
