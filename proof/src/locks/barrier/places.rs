//! How a party comes by a place, a free one or a dead one's, and gives it up.

use super::{ARRIVED, ARRIVED_SHIFT, Breaker, Party, WORD};
use crate::locks::config::Mutant;
use crate::locks::holder::Holder;
use crate::locks::memory::Memory;
use crate::locks::state::At;

/// Takes a place that is free, or goes to ask whose are not.
pub fn join(memory: &mut Memory, place: u8) {
    if place == memory.config.parties() {
        return memory.go(At::Party(Party::Ask(0)));
    }
    let mine = memory.holder().bits();
    if memory.swap(1 + usize::from(place), 0, mine) {
        return has_place(memory, place);
    }
    memory.go(At::Party(Party::Join(place + 1)));
}

/// Has that place now.
pub fn has_place(memory: &mut Memory, place: u8) {
    memory.state.threads[memory.me].place = place;
    memory.go(At::Party(Party::Arrive));
}

/// Asks whether who has the place lives.
pub fn ask(memory: &mut Memory, place: u8) {
    let found = memory.state.words[1 + usize::from(place)];
    let dead = Holder::of(found).is_some_and(|holder| memory.is_dead(holder));
    if !dead {
        return ask_next(memory, place);
    }
    memory.go(At::Party(Party::Find(place, found)));
}

/// Sees which round it is, before it takes the place in which it found the dead.
pub fn find(memory: &mut Memory, place: u8, found: u64) {
    let seen = memory.state.words[WORD];
    let early = memory.config.is(Mutant::JoinBreaksFirst);
    let breaks = Party::See(Breaker::Early(place, found));
    memory.go(At::Party(if early { breaks } else { Party::TakeOver(place, found, seen) }));
}

/// Takes a dead one's place, and breaks the round that was seen before, if anybody had come by then.
pub fn take_over(memory: &mut Memory, place: u8, found: u64, seen: u64) {
    let (mine, heir) = (memory.holder().bits(), Breaker::Heir(place));
    if !memory.swap(1 + usize::from(place), found, mine) {
        return ask_next(memory, place);
    }
    if memory.config.is(Mutant::HeirLooksLate) {
        return memory.go(At::Party(Party::See(heir)));
    }
    let had_come = seen >> ARRIVED_SHIFT & ARRIVED > 0;
    if !had_come || memory.config.is(Mutant::JoinBreaksNothing) {
        return has_place(memory, place);
    }
    memory.go(At::Party(Party::Break(heir, seen)));
}

/// Where all places are taken nobody can join.
fn ask_next(memory: &mut Memory, place: u8) {
    let last = place + 1 == memory.config.parties();
    memory.go(if last { At::Rest } else { At::Party(Party::Ask(place + 1)) });
}

/// Gives its place up, and goes.
pub fn leave(memory: &mut Memory) {
    let place = usize::from(memory.state.threads[memory.me].place);
    memory.state.words[1 + place] = 0;
    memory.go(At::Rest);
}
