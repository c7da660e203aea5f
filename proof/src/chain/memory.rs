//! One shared access after another, and the rules about what each may do.

use super::config::{Config, Mutant, Role};
use super::state::{Ring, Slot, State};
use crate::chain_word::ChainWord;
use crate::frame::{self, small};

/// A state while a thread makes a step in it.
pub type Memory<'c> = frame::Memory<'c, Config, State>;

/// Where a segment is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// Here.
    At(usize),
    /// It is not there any more, and the chain is another.
    Gone,
}

impl Memory<'_> {
    /// The chain as it is.
    pub fn look(&self) -> ChainWord {
        self.state.shared.seen()
    }

    /// Compare-and-swaps the chain's word.
    pub fn swap(&mut self, from: ChainWord, to: ChainWord) -> bool {
        let word = &mut self.state.shared.word;
        let won = *word == from.0;
        if won {
            *word = to.0;
        }
        won
    }

    /// A ring.
    pub fn ring(&mut self, number: usize) -> &mut Ring {
        &mut self.state.shared.rings[number]
    }

    /// Which ring `seen` has as `generation`.
    pub fn number(seen: ChainWord, generation: u64) -> usize {
        if seen.is_anchor(generation) { 0 } else { usize::from(small(generation)) }
    }

    /// How many ways there are to find a segment: who has it mapped finds it also where its file has gone.
    pub fn ways(&self, seen: ChainWord, generation: u64) -> u8 {
        1 + u8::from(!self.has_file(Self::number(seen, generation)))
    }

    fn has_file(&self, number: usize) -> bool {
        number == 0 || self.state.shared.files >> number & 1 != 0
    }

    /// Finds the segment `generation` of `seen`; `mapped`: it is mapped already.
    pub fn find(&mut self, seen: ChainWord, generation: u64, mapped: bool) -> Found {
        let number = Self::number(seen, generation);
        if self.has_file(number) || mapped {
            return Found::At(number);
        }
        let changed = self.look() != seen;
        self.rule(changed, "a segment of the chain is not there");
        Found::Gone
    }

    /// Claims a slot of ring `number` to be filled. Whether there is room; nothing if it is shut.
    pub fn claim(&mut self, number: usize) -> Option<bool> {
        let (me, slots) = (small(self.me), self.config.slots);
        let ring = *self.ring(number);
        let index = usize::from(ring.tail) % slots;
        if ring.shut {
            return None;
        }
        if ring.slots[index] != Slot::Vacant {
            return Some(false);
        }
        self.accept(number);
        let claim = self.state.shared.ghost.claims;
        self.state.shared.ghost.claims += 1;
        self.state.shared.ghost.open |= 1 << claim;
        let ring = self.ring(number);
        ring.tail += 1;
        ring.slots[index] = Slot::Writing { member: me, claim };
        Some(true)
    }

    /// A claim in ring `number` is accepted.
    fn accept(&mut self, number: usize) {
        let seen = self.look();
        let generation = if number == 0 { seen.anchor() } else { Some(number as u64) };
        let there = generation.filter(|it| (seen.first()..=seen.last()).contains(it));
        self.rule(there.is_some(), "a message was accepted in a segment that is not in the chain");
        let generation = small(there.unwrap_or(0));
        let in_order = generation >= self.state.shared.ghost.highest;
        self.rule(in_order, "a message was accepted in a segment before that of an earlier one");
        let late = self.state.shared.ghost.drained;
        self.rule(!late, "a message was accepted after the end");
        self.state.shared.ghost.highest = generation;
    }

    /// Claims what comes again in ring `number`, if anything does, or goes past what was given up: then whether there is a
    /// message at the head.
    pub fn look_for(&mut self, number: usize) -> Result<usize, bool> {
        let (me, slots) = (small(self.me), self.config.slots);
        let ring = self.ring(number);
        for index in 0..slots {
            if let Slot::Redeliver { claim } = ring.slots[index] {
                ring.slots[index] = Slot::Reading { member: me, claim };
                return Ok(index);
            }
        }
        while ring.head != ring.tail {
            let slot = &mut ring.slots[usize::from(ring.head) % slots];
            if *slot != Slot::Aborted {
                return Err(matches!(slot, Slot::Filled { .. }));
            }
            *slot = Slot::Vacant;
            ring.head += 1;
        }
        Err(false)
    }

    /// Claims the message at `head` of ring `number`, unless the head has moved on: which slot.
    pub fn take(&mut self, number: usize, head: u8) -> Option<usize> {
        let (me, slots) = (small(self.me), self.config.slots);
        let ring = self.ring(number);
        let index = usize::from(head) % slots;
        let Slot::Filled { claim } = ring.slots[index] else { return None };
        if ring.head != head {
            return None;
        }
        ring.head += 1;
        ring.slots[index] = Slot::Reading { member: me, claim };
        let ghost = self.state.shared.ghost;
        self.rule(claim >= ghost.next, "a message came after a later one");
        let between = u16::MAX << ghost.next & !(u16::MAX << claim);
        self.rule(ghost.open & between == 0, "a message came before an earlier one");
        self.rule(!ghost.drained, "a message came after the end");
        self.state.shared.ghost.next = claim + 1;
        Some(index)
    }

    /// Nothing more comes of `claim`.
    pub fn close_claim(&mut self, claim: u8) {
        self.state.shared.ghost.open &= !(1 << claim);
    }

    /// A receiver is told that there is nothing more. It asks again, as others may.
    pub fn is_drained(&mut self) {
        let open = self.state.shared.ghost.open;
        // What others have in hand may still come again.
        let held = self.state.shared.rings.iter().flat_map(|ring| ring.slots);
        let held = held.fold(0, |bits, slot| match slot {
            Slot::Reading { claim, .. } => bits | 1 << claim,
            _ => bits,
        });
        self.rule(open & !held == 0, "the end was told, and a message was left");
        self.state.shared.ghost.drained = true;
    }

    /// Whether this thread may give a message up.
    pub fn aborts(&self) -> bool {
        matches!(self.config.threads[self.me], Role::Sender { aborts: true, .. })
    }

    /// Whether ring `number` may be passed.
    pub fn is_passable(&self, number: usize) -> bool {
        let ring = &self.state.shared.rings[number];
        let idle = if self.config.is(Mutant::PassesHeld) {
            ring.head == ring.tail
        } else {
            ring.is_idle(self.config.slots)
        };
        idle && (ring.shut || self.config.is(Mutant::PassesOpen))
    }
}
