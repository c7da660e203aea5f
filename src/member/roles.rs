//! Who sends and who receives in a queue.
//!
//! Each member counts its own senders and receivers in its record, so a death needs no count repaired. That a side has
//! nobody is found by looking through the records, and such a look is wrong while one member hands over to another: it
//! may pass the newcomer before it has come and meet the other after it has left. So whoever comes counts itself in the
//! side's word of [`Ends`](crate::layout::Ends) as well before it can do anything, and a look counts only if that word
//! is the same before and after. What the word was then is kept beside it: from then on two loads tell everybody that
//! the side is deserted, until somebody comes again.

use super::Membership;
use crate::error::MemberId;
use crate::layout::MEMBER_UNUSED;
use crate::primitive::Ordering::{Relaxed, SeqCst};
use crate::segment::Segment;

/// What somebody does in a queue; as a number, its side in [`Ends`](crate::layout::Ends).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It sends.
    Sender = 0,
    /// It receives.
    Receiver = 1,
}

impl Membership {
    /// Counts one more sender or receiver of this member.
    pub fn enter(&self, role: Role) {
        let side = role as usize;
        self.segment.record(self.id).roles[side].fetch_add(1, SeqCst);
        // ORDERING(sides): after the member's own count; pairs with the looks in `is_deserted`.
        self.segment.ends().words[side].fetch_add(1, SeqCst);
    }

    /// Counts one less. Wakes everybody if it was the last of all.
    pub fn leave(&self, role: Role) {
        let count = &self.segment.record(self.id).roles[role as usize];
        if count.fetch_sub(1, SeqCst) == 1 && self.segment.desert(role) {
            self.segment.wake_everybody();
        }
    }
}

impl Segment {
    /// Looks whether anybody has `role`, and notes it if nobody does. True if nobody does.
    pub(super) fn desert(&self, role: Role) -> bool {
        let side = role as usize;
        let (entered, deserted) = (&self.ends().words[side], &self.ends().deserted[side]);
        for _ in 0..LOOKS {
            // ORDERING(sides): before the records are looked at; pairs with the count in `enter`.
            let before = entered.load(SeqCst);
            if self.member_ids().any(|member| self.has_role(member, side)) {
                return false;
            }
            // ORDERING(sides): unchanged after the records: nobody came between.
            if entered.load(SeqCst) == before {
                // A look from before somebody came and left again must not hide the later one.
                deserted.fetch_max(before, SeqCst);
                return true;
            }
        }
        false
    }

    fn has_role(&self, member: MemberId, side: usize) -> bool {
        let record = self.record(member);
        record.state.load(SeqCst) != MEMBER_UNUSED && record.roles[side].load(SeqCst) > 0
    }

    /// Takes away what a dead member's record says of it.
    pub(super) fn forget_roles(&self, dead: MemberId) {
        self.record(dead).roles.iter().for_each(|count| count.store(0, Relaxed));
        self.desert(Role::Sender);
        self.desert(Role::Receiver);
    }
}

/// As often somebody may come between the looks before the side counts as taken.
const LOOKS: usize = 8;
