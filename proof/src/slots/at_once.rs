//! The straight ways through Send and Receive, for when there is no obstacle: the same accesses
//! without the branches. Whatever is in the way, the operation begins again by the steps that can
//! deal with it.

use super::consumer::Receive;
use super::memory::Memory;
use super::producer::Send;
use crate::word::{CursorWord, before};

/// Where somebody is on the straight way; `seen` is the cursor's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AtOnce {
    /// Send 2, Receive 3.
    ReadSlot { seen: CursorWord },
    /// Receive 1, which here comes later.
    ReadHint { seen: CursorWord },
    /// Send 3, Receive 4: only a look.
    ReadLast { seen: CursorWord },
    /// Send 4, Receive 5.
    Claim { seen: CursorWord },
}

impl AtOnce {
    /// One access by the producer `me`.
    pub fn send(self, memory: &mut Memory, me: usize) -> Send {
        match self {
            AtOnce::ReadSlot { seen } => {
                let vacant = memory.ring.vacant(seen.position());
                if memory.load_slot(seen.position()) != vacant || seen.is_closed() {
                    return Send::ReadTail;
                }
                Send::AtOnce(Self::after_slot(memory, me, seen))
            }
            AtOnce::ReadHint { seen } => Send::AtOnce(AtOnce::ReadLast { seen }),
            AtOnce::ReadLast { seen } => {
                let last = before(seen.position(), 1);
                if memory.load_slot(last) == memory.ring.vacant(last) {
                    return Send::ReadTail;
                }
                Send::AtOnce(AtOnce::Claim { seen })
            }
            AtOnce::Claim { seen } if memory.claim_tail(seen, 1, me) => {
                memory.state.threads[me].left -= 1;
                Send::Stamp { first: seen.position(), count: 1, done: 0 }
            }
            AtOnce::Claim { .. } => Send::ReadTail,
        }
    }

    /// One access by the consumer `me`.
    pub fn receive(self, memory: &mut Memory, me: usize) -> Receive {
        match self {
            AtOnce::ReadSlot { seen } => {
                let filled = memory.ring.filled(seen.position());
                if memory.load_slot(seen.position()) != filled {
                    return Receive::ReadHint;
                }
                Receive::AtOnce(AtOnce::ReadHint { seen })
            }
            AtOnce::ReadHint { .. } if memory.load_redeliver().is_pending() => Receive::ReadHint,
            AtOnce::ReadHint { seen } => Receive::AtOnce(Self::after_slot(memory, me, seen)),
            AtOnce::ReadLast { seen } => {
                let last = before(seen.position(), 1);
                let found = memory.load_slot(last);
                if found == memory.ring.filled(last) || found == memory.ring.aborted(last) {
                    return Receive::ReadHint;
                }
                Receive::AtOnce(AtOnce::Claim { seen })
            }
            AtOnce::Claim { seen } if memory.claim_head(seen, 1, me) => {
                Receive::Stamp { first: seen.position(), count: 1, done: 0 }
            }
            AtOnce::Claim { .. } => Receive::ReadHint,
        }
    }

    fn after_slot(memory: &mut Memory, me: usize, seen: CursorWord) -> Self {
        if memory.handle(me).last == before(seen.position(), 1) {
            AtOnce::Claim { seen }
        } else {
            AtOnce::ReadLast { seen }
        }
    }

    /// What the next step is called.
    pub fn name(self) -> &'static str {
        match self {
            AtOnce::ReadSlot { .. } => "at once: read slot",
            AtOnce::ReadHint { .. } => "at once: is anything to be delivered again",
            AtOnce::ReadLast { .. } => "at once: read the last claim's slot",
            AtOnce::Claim { .. } => "at once: claim",
        }
    }
}
